-- An article's image carries its last 200 transactions: 36 kB each on a simulated day, 180 MB in a window of this size.
{{ config(materialized='current_state', group='inventory', window_records=5000) }}

{{ cdc_current_state(
    source('bronze', 'inventory_raw'),
    [
        ['sku', 'varchar'],
        ['product_name', 'varchar'],
        ['total_quantity', 'bigint'],
        ['reserved_quantity', 'bigint'],
        ['available_quantity', 'bigint'],
        ['hard_allocated_quantity', 'bigint'],
        ['locations', 'array(row(location_id varchar, zone varchar, aisle varchar, rack bigint, level bigint, quantity bigint))'],
        ['reorder_point', 'bigint'],
        ['reorder_quantity', 'bigint'],
        ['velocity_class', 'varchar'],
        ['storage_strategy', 'varchar'],
        ['pick_frequency', 'bigint'],
        ['reservations', 'json'],
        ['hard_allocations', 'json'],
        ['transactions', 'json'],
        ['last_cycle_count', 'timestamp(6) with time zone'],
        ['last_stowed_at', 'timestamp(6) with time zone'],
        ['last_picked_at', 'timestamp(6) with time zone'],
        ['created_at', 'timestamp(6) with time zone'],
        ['updated_at', 'timestamp(6) with time zone'],
        ['tenant_id', 'varchar'],
        ['facility_id', 'varchar'],
        ['warehouse_id', 'varchar'],
        ['seller_id', 'varchar'],
    ],
) }}
