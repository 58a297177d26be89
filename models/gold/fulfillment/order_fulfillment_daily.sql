{{ config(
    materialized='daily',
    group='fulfillment',
    follows=['orders_current', 'shipments_current'],
    grain=['date', 'priority'],
) }}

with orders as (

    select
        order_id,
        {{ created_day() }} as order_day,
        coalesce(priority, 'unknown') as priority,
        coalesce(status, 'unknown') as status,
        created_at,
        items
    from {{ ref('orders_current') }}
    where not is_deleted and {{ touched('created_at') }}

),

-- A parcel cannot leave before its order exists: an earlier shipped_at is a mistake at the source, and no fulfillment time.
first_shipments as (

    select
        orders.order_id,
        min(shipments.shipped_at) as first_shipped_at
    from {{ ref('shipments_current') }} as shipments
    inner join orders on shipments.order_id = orders.order_id and shipments.shipped_at >= orders.created_at
    where not shipments.is_deleted and {{ touched('shipments.shipped_at', 'since') }}
    group by orders.order_id

),

measured as (

    select
        orders.order_day,
        orders.priority,
        orders.status,
        date_diff('millisecond', orders.created_at, first_shipments.first_shipped_at) as fulfillment_milliseconds,
        {{ pieces('orders.items') }} as items,
        {{ line_value('orders.items') }} as revenue
    from orders
    left join first_shipments on orders.order_id = first_shipments.order_id

),

by_day as (

    select
        order_day,
        priority,
        count(*) as total_orders,
        count_if(status in ('shipped', 'delivered')) as completed_orders,
        count_if(status = 'cancelled') as cancelled_orders,
        count_if(status = 'dead_letter') as dead_letter_orders,
        count_if(status not in ('shipped', 'delivered', 'cancelled', 'dead_letter')) as in_progress_orders,
        count(fulfillment_milliseconds) as fulfilled_orders,
        -- Milliseconds are added as whole numbers, so the mean is the same on every plan.
        sum(fulfillment_milliseconds) as fulfillment_milliseconds,
        array_sort(
            array_agg(fulfillment_milliseconds / 3600000e0) filter (where fulfillment_milliseconds is not null)
        ) as fulfillment_hours,
        coalesce(sum(items), 0) as total_items,
        sum(revenue) as total_revenue
    from measured
    group by order_day, priority

),

final as (

    select
        -- The consumers' queries call it so.
        order_day as date,  -- noqa: RF04
        priority,
        total_orders,
        completed_orders,
        cancelled_orders,
        in_progress_orders,
        dead_letter_orders,
        cast(completed_orders as double) / total_orders as completion_rate,
        fulfilled_orders,
        -- Six places of an hour are 3.6 ms; what follows is the noise of binary fractions (7.399999999999999).
        round(fulfillment_milliseconds / 3600000e0 / fulfilled_orders, 6) as avg_fulfillment_time_hours,
        round({{ percentile_cont('fulfillment_hours', 0.5) }}, 6) as p50_fulfillment_time_hours,
        round({{ percentile_cont('fulfillment_hours', 0.95) }}, 6) as p95_fulfillment_time_hours,
        total_items,
        total_revenue,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from by_day

)

select * from final
