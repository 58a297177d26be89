-- An article's image carries its last 200 transactions: 36 kB each on a simulated day, 180 MB in a window of this size.
{{ config(
    materialized='current_state', group='inventory', key=['document_id', 'inventory_day'], partition='inventory_day',
    window_records=5000,
) }}

{{ cdc_current_state(
    source('bronze', 'inventory_raw'),
    [
        ['sku', 'varchar'],
        ['product_name', 'varchar'],
        ['total_quantity', 'bigint'],
        ['reserved_quantity', 'bigint'],
        ['hard_allocated_quantity', 'bigint'],
        ['available_quantity', 'bigint'],
        ['reorder_point', 'bigint'],
        ['updated_at', 'timestamp(6) with time zone'],
    ],
    per={
        'name': 'inventory_day',
        'value': utc_day('coalesce(' ~ cdc_timestamp(cdc_json_at('document', ['updated_at'])) ~ ', source_ts)'),
    },
    opening=['opening_quantity', 'total_quantity'],
    day={'name': 'inventory_day', 'value': 'inventory_day'},
) }}
