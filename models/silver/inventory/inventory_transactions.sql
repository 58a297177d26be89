{{ config(
    materialized='first_seen', group='inventory', key=['document_id', 'entry_hash'], partition='transaction_day',
    window_records=5000,
) }}

{{ cdc_entries(
    source('bronze', 'inventory_raw'),
    path='transactions',
    owner=['sku', 'varchar'],
    columns=[
        ['transaction_id', 'varchar'],
        ['type', 'varchar'],
        ['quantity', 'bigint'],
        ['location_id', 'varchar'],
        ['reference_id', 'varchar'],
        ['reason', 'varchar'],
        ['created_at', 'timestamp(6) with time zone'],
        ['created_by', 'varchar'],
    ],
    day={'name': 'transaction_day', 'value': utc_day('created_at')},
) }}
