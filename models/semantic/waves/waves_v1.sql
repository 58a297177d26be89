with waves as (

    select * from {{ ref('waves_current') }}
    where not is_deleted

),

orders as (

    {{ newest_by(ref('orders_current'), 'order_id', ['status', 'promised_delivery_at']) }}

),

-- An order that stands twice in a wave counts once.
members as (

    select distinct
        waves.document_id,
        entry.order_id
    from waves
    cross join unnest(transform(waves.orders, entry -> entry.order_id)) as entry (order_id)

),

progress as (

    select
        members.document_id,
        count(*) as orders_total,
        count_if(orders.status in ('picking', 'consolidated')) as orders_in_picking,
        count_if(orders.status in ('packed', 'shipped', 'delivered')) as orders_packed,
        count_if(orders.status in ('shipped', 'delivered')) as orders_shipped,
        count_if(orders.status in ('cancelled', 'dead_letter')) as orders_dropped,
        min(orders.promised_delivery_at) filter (
            where orders.status not in ('shipped', 'delivered', 'cancelled', 'dead_letter')
        ) as earliest_open_promise_at,
        max(orders.processing_time) as processing_time
    from members
    left join orders on members.order_id = orders.order_id
    group by members.document_id

),

final as (

    select
        waves.wave_id,
        waves.wave_type,
        waves.status,
        waves.fulfillment_mode,
        waves.priority,
        waves.zone,
        coalesce(progress.orders_total, 0) as orders_total,
        coalesce(progress.orders_in_picking, 0) as orders_in_picking,
        coalesce(progress.orders_packed, 0) as orders_packed,
        coalesce(progress.orders_shipped, 0) as orders_shipped,
        coalesce(progress.orders_dropped, 0) as orders_dropped,
        cast(progress.orders_packed as double) / nullif(progress.orders_total - progress.orders_dropped, 0) as progress_rate,
        {{ pieces('waves.orders', 'item_count') }} as pieces,
        progress.earliest_open_promise_at,
        waves.scheduled_start,
        waves.scheduled_end,
        waves.created_at,
        waves.released_at,
        waves.completed_at,
        round(date_diff('millisecond', waves.released_at, waves.completed_at) / 3600000e0, 6) as completion_time_hours,
        waves.updated_at,
        waves.tenant_id,
        waves.facility_id,
        waves.warehouse_id,
        waves.document_id,
        {{ newest_processing_time('waves', ['progress']) }} as processing_time
    from waves
    left join progress on waves.document_id = progress.document_id

)

select * from final
