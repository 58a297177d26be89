-- The days of a gold table add up to what silver has: nothing is left out, nothing counts on two days. A warning, because silver
-- may have been written again between the two.
{{ config(severity='warn') }}

with counted as (

    select
        'order_fulfillment_daily.total_orders' as gold_column,
        (select sum(total_orders) from {{ ref('order_fulfillment_daily') }}) as in_gold,
        (select count_if(not is_deleted) from {{ ref('orders_current') }}) as in_silver
    union all
    select
        'wave_performance_daily.waves_created' as gold_column,
        (select sum(waves_created) from {{ ref('wave_performance_daily') }}) as in_gold,
        (select count_if(not is_deleted) from {{ ref('waves_current') }}) as in_silver
    union all
    select
        'shipping_performance_daily.shipments_count' as gold_column,
        (select sum(shipments_count) from {{ ref('shipping_performance_daily') }}) as in_gold,
        (select count_if(not is_deleted and shipped_at is not null) from {{ ref('shipments_current') }}) as in_silver
    union all
    select
        'labor_productivity_daily.tasks_completed' as gold_column,
        (select sum(tasks_completed) from {{ ref('labor_productivity_daily') }}) as in_gold,
        (select count_if({{ is_done_task() }} and picker_id <> '') from {{ ref('pick_tasks_current') }})
        + (select count_if({{ is_done_task() }} and packer_id <> '') from {{ ref('pack_tasks_current') }}) as in_silver

),

final as (

    select * from counted
    where in_gold is distinct from in_silver

)

select * from final
