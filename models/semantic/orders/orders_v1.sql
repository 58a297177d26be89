with orders as (

    select * from {{ ref('orders_current') }}
    where not is_deleted

),

waves as (

    {{ newest_by(ref('waves_current'), 'wave_id', ['wave_type', 'status', 'released_at']) }}

),

-- Tasks and shipments are added up for each order before they are joined: an order with two shipments stays one row.
picked as (

    select
        order_id,
        count(*) as pick_tasks,
        count_if(status = 'completed') as completed_pick_tasks,
        min(started_at) as picking_started_at,
        if(count(*) = count_if(status in ('completed', 'cancelled')), max(completed_at)) as picking_completed_at,
        sum(coalesce(cardinality(exceptions), 0)) as pick_exceptions,
        max(processing_time) as processing_time
    from {{ ref('pick_tasks_current') }}
    where not is_deleted
    group by order_id

),

packed as (

    select
        order_id,
        count(*) as pack_tasks,
        count_if(status = 'completed') as completed_pack_tasks,
        min(started_at) as packing_started_at,
        if(count(*) = count_if(status in ('completed', 'cancelled')), max(completed_at)) as packing_completed_at,
        max(processing_time) as processing_time
    from {{ ref('pack_tasks_current') }}
    where not is_deleted
    group by order_id

),

shipped as (

    select
        order_id,
        count(*) as shipments,
        max_by(
            cast(
                row(shipment_id, status, carrier_code, service_type, tracking_number) as
                row(shipment_id varchar, status varchar, carrier_code varchar, service_type varchar, tracking_number varchar)
            ),
            row(status is distinct from 'cancelled', coalesce(created_at, source_ts), document_id)
        ) as latest,
        min(shipped_at) as first_shipped_at,
        max(estimated_delivery) filter (where status is distinct from 'cancelled') as estimated_delivery,
        if(
            count_if(status is distinct from 'cancelled') = count_if(status is distinct from 'cancelled' and actual_delivery is not null),
            max(actual_delivery)
        ) as delivered_at,
        max(processing_time) as processing_time
    from {{ ref('shipments_current') }}
    where not is_deleted
    group by order_id

),

final as (

    select
        orders.order_id,
        orders.external_order_id,
        orders.customer_id,
        orders.status,
        orders.priority,
        cardinality(orders.items) as order_lines,
        {{ pieces('orders.items') }} as pieces,
        {{ line_value('orders.items') }} as order_value,
        orders.shipping_address.city as ship_to_city,
        orders.shipping_address.state as ship_to_state,
        orders.shipping_address.country as ship_to_country,
        orders.created_at,
        orders.updated_at,
        orders.promised_delivery_at,
        orders.wave_id,
        waves.wave_type,
        waves.status as wave_status,
        waves.released_at as wave_released_at,
        coalesce(picked.pick_tasks, 0) as pick_tasks,
        coalesce(picked.completed_pick_tasks, 0) as completed_pick_tasks,
        picked.picking_started_at,
        picked.picking_completed_at,
        coalesce(picked.pick_exceptions, 0) as pick_exceptions,
        coalesce(packed.pack_tasks, 0) as pack_tasks,
        coalesce(packed.completed_pack_tasks, 0) as completed_pack_tasks,
        packed.packing_started_at,
        packed.packing_completed_at,
        coalesce(shipped.shipments, 0) as shipments,
        shipped.latest.shipment_id,
        shipped.latest.status as shipment_status,
        shipped.latest.carrier_code,
        shipped.latest.service_type,
        coalesce(shipped.latest.tracking_number, orders.tracking_number) as tracking_number,
        shipped.first_shipped_at,
        shipped.estimated_delivery,
        shipped.delivered_at,
        -- What was cancelled or given up keeps no promise and breaks none.
        if(
            coalesce(orders.status, '') not in ('cancelled', 'dead_letter'),
            {{ is_in_time('shipped.delivered_at', 'orders.promised_delivery_at') }}
        ) as is_promise_kept,
        orders.tenant_id,
        orders.facility_id,
        orders.warehouse_id,
        orders.seller_id,
        orders.channel_id,
        orders.document_id,
        {{ newest_processing_time('orders', ['waves', 'picked', 'packed', 'shipped']) }} as processing_time
    from orders
    left join waves on orders.wave_id = waves.wave_id
    left join picked on orders.order_id = picked.order_id
    left join packed on orders.order_id = packed.order_id
    left join shipped on orders.order_id = shipped.order_id

)

select * from final
