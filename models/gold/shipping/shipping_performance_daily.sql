{{ config(
    materialized='daily',
    group='shipping',
    follows=['shipments_current', 'orders_current'],
    follows_clock=true,
    grain=['date', 'carrier_code', 'service_type'],
) }}

with shipments as (

    select
        order_id,
        {{ utc_day('shipped_at') }} as shipped_day,
        coalesce(carrier_code, 'unknown') as carrier_code,
        coalesce(service_type, 'unknown') as service_type,
        coalesce(status = 'delivered', false) or actual_delivery is not null as is_delivered,
        shipped_at,
        estimated_delivery,
        actual_delivery
    from {{ ref('shipments_current') }}
    where not is_deleted and shipped_at is not null and {{ touched('shipped_at') }}

),

-- Only for the shipments that need it: most carriers say when they deliver.
promises as (

    select
        order_id,
        max(promised_delivery_at) as promised_delivery_at
    from {{ ref('orders_current') }}
    where
        not is_deleted
        and order_id in (
            select shipments.order_id
            from shipments
            where shipments.estimated_delivery is null
        )
    group by order_id

),

due as (

    select
        shipments.*,
        coalesce(shipments.estimated_delivery, promises.promised_delivery_at) as due_at
    from shipments
    left join promises on shipments.order_id = promises.order_id

),

by_day as (

    select
        shipped_day,
        carrier_code,
        service_type,
        count(*) as shipments_count,
        count_if(is_delivered) as delivered_count,
        count_if(actual_delivery <= due_at) as on_time_count,
        count_if(actual_delivery > due_at or (not is_delivered and due_at < {{ as_of() }})) as delayed_count,
        -- Milliseconds are added as whole numbers, so the mean is the same on every plan.
        sum(date_diff('millisecond', shipped_at, actual_delivery)) filter (where actual_delivery >= shipped_at) as transit_milliseconds,
        count_if(actual_delivery >= shipped_at) as transits
    from due
    group by shipped_day, carrier_code, service_type

),

final as (

    select
        -- The consumers' queries call it so.
        shipped_day as date,  -- noqa: RF04
        carrier_code,
        service_type,
        shipments_count,
        delivered_count,
        on_time_count,
        delayed_count,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time,
        shipments_count - on_time_count - delayed_count as undecided_count,
        cast(on_time_count as double) / nullif(on_time_count + delayed_count, 0) as on_time_rate,
        round(transit_milliseconds / 86400000e0 / nullif(transits, 0), 6) as avg_transit_days
    from by_day

)

select * from final
