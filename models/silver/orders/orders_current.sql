{{ config(materialized='current_state', group='orders') }}

{{ cdc_current_state(
    source('bronze', 'orders_raw'),
    [
        ['order_id', 'varchar'],
        ['customer_id', 'varchar'],
        ['status', 'varchar'],
        ['priority', 'varchar'],
        ['items', 'array(row(sku varchar, quantity bigint, weight double, unit_price double))'],
        ['shipping_address', 'row(street varchar, city varchar, state varchar, zip_code varchar, country varchar)'],
        ['recipient_name', 'varchar', 'shipping_address.recipient_name'],
        ['recipient_phone', 'varchar', 'shipping_address.phone'],
        ['wave_id', 'varchar'],
        ['tracking_number', 'varchar'],
        ['gift_wrap', 'boolean'],
        ['process_requirements', 'json'],
        ['promised_delivery_at', 'timestamp(6) with time zone'],
        ['created_at', 'timestamp(6) with time zone'],
        ['updated_at', 'timestamp(6) with time zone'],
        ['external_order_id', 'varchar'],
        ['tenant_id', 'varchar'],
        ['facility_id', 'varchar'],
        ['warehouse_id', 'varchar'],
        ['seller_id', 'varchar'],
        ['channel_id', 'varchar'],
    ],
    history='status',
) }}
