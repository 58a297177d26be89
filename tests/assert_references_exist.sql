-- What a document names exists. A handful of rows is the source's doing and warns; more than 100 mean that a table lacks
-- rows: 65 lost orders of a simulated day were 245.
{{ config(warn_if='> 0', error_if='> 100') }}

with dangling as (

    {{ dangling_references([
        ['pick_tasks_current', 'order_id', 'orders_current', 'order_id'],
        ['pack_tasks_current', 'order_id', 'orders_current', 'order_id'],
        ['shipments_current', 'order_id', 'orders_current', 'order_id'],
        ['waves_current', 'orders.order_id', 'orders_current', 'order_id'],
        ['orders_current', 'wave_id', 'waves_current', 'wave_id'],
        ['orders_current', 'items.sku', 'inventory_current', 'sku'],
        ['pick_tasks_current', 'items.sku', 'inventory_current', 'sku'],
        ['pack_tasks_current', 'items.sku', 'inventory_current', 'sku'],
    ]) }}

)

select * from dangling
