with shipments as (

    select * from {{ ref('shipments_current') }}
    where not is_deleted

),

carriers as (

    select * from {{ ref('carriers') }}

),

orders as (

    {{ newest_by(ref('orders_current'), 'order_id', ['priority', 'customer_id', 'promised_delivery_at']) }}

),

joined as (

    select
        shipments.*,
        carriers.carrier_name as official_carrier_name,
        orders.priority as order_priority,
        orders.customer_id,
        orders.promised_delivery_at,
        coalesce(shipments.estimated_delivery, orders.promised_delivery_at) as due_at,
        {{ newest_processing_time('shipments', ['orders']) }} as computed_at
    from shipments
    left join carriers on shipments.carrier_code = carriers.carrier_code
    left join orders on shipments.order_id = orders.order_id

),

final as (

    select
        shipment_id,
        order_id,
        package_id,
        wave_id,
        status,
        carrier_code,
        -- The document's own spelling differs from service to service: FedEx, Federal Express.
        coalesce(official_carrier_name, carrier_name) as carrier_name,
        service_type,
        tracking_number,
        manifest_id,
        package_weight,
        package_type,
        order_priority,
        customer_id,
        promised_delivery_at,
        created_at,
        labeled_at,
        manifested_at,
        shipped_at,
        estimated_delivery,
        actual_delivery,
        due_at,
        -- As gold.shipping_performance_daily: only what has left can be late, and a delivery without its time decides nothing.
        if(
            shipped_at is not null and not (status is not distinct from 'delivered' and actual_delivery is null),
            {{ is_in_time('actual_delivery', 'due_at') }}
        ) as is_on_time,
        actual_delivery <= promised_delivery_at as is_promise_kept,
        round(date_diff('millisecond', shipped_at, actual_delivery) / 86400000e0, 6) as transit_days,
        updated_at,
        tenant_id,
        facility_id,
        warehouse_id,
        document_id,
        computed_at as processing_time
    from joined

)

select * from final
