{{ config(
    materialized='daily',
    group='waves',
    follows=['waves_current'],
    grain=['date', 'wave_type'],
) }}

with waves as (

    select
        {{ created_day() }} as created_day,
        coalesce(wave_type, 'unknown') as wave_type,
        status,
        coalesce(cardinality(orders), 0) as orders,
        {{ pieces('orders', 'item_count') }} as items,
        if(completed_at >= released_at, date_diff('millisecond', released_at, completed_at)) as completion_milliseconds
    from {{ ref('waves_current') }}
    where not is_deleted and {{ touched('created_at') }}

),

by_day as (

    select
        created_day,
        wave_type,
        count(*) as waves_created,
        count_if(status = 'completed') as waves_completed,
        count_if(status = 'cancelled') as waves_cancelled,
        sum(orders) as total_orders,
        coalesce(sum(items), 0) as total_items,
        -- Milliseconds are added as whole numbers, so the mean is the same on every plan.
        sum(completion_milliseconds) as completion_milliseconds,
        count(completion_milliseconds) as completions
    from waves
    group by created_day, wave_type

),

final as (

    select
        -- The consumers' queries call it so.
        created_day as date,  -- noqa: RF04
        wave_type,
        waves_created,
        waves_completed,
        waves_cancelled,
        total_orders,
        total_items,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time,
        round(cast(total_orders as double) / waves_created, 6) as avg_orders_per_wave,
        round(cast(total_items as double) / waves_created, 6) as avg_items_per_wave,
        round(completion_milliseconds / 3600000e0 / nullif(completions, 0), 6) as avg_completion_time_hours
    from by_day

)

select * from final
