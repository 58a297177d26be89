with targets as (

    select * from {{ ref('kpi_targets') }}

),

labor_end as (

    select max(date) as window_end from {{ ref('labor_productivity_daily') }}

),

labor as (

    select
        labor_end.window_end,
        sum(days.pick_items) as pick_items,
        sum(days.pick_hours) as pick_hours,
        sum(days.pick_lines) as pick_lines,
        sum(days.exception_lines) as exception_lines
    from {{ ref('labor_productivity_daily') }} as days
    inner join labor_end on days.date > labor_end.window_end - interval '30' day
    group by labor_end.window_end

),

shipping_end as (

    select max(date) as window_end from {{ ref('shipping_performance_daily') }}

),

shipping as (

    select
        shipping_end.window_end,
        sum(days.on_time_count) as on_time_count,
        sum(days.delayed_count) as delayed_count,
        sum(days.delivered_count) as delivered_count
    from {{ ref('shipping_performance_daily') }} as days
    inner join shipping_end on days.date > shipping_end.window_end - interval '30' day
    group by shipping_end.window_end

),

measured as (

    select
        'picks_per_hour' as kpi,
        window_end,
        round(pick_items / nullif(pick_hours, 0), 6) as measured_value,
        'No pick task of the window has a start and an end.' as reason
    from labor
    union all
    select
        'order_accuracy_pct' as kpi,
        window_end,
        round(100e0 * (pick_lines - exception_lines) / nullif(pick_lines, 0), 6) as measured_value,
        'No pick task of the window has a line.' as reason
    from labor
    union all
    select
        'on_time_shipment_pct' as kpi,
        window_end,
        -- Without any delivery on record every due shipment would look late: that is a gap at the source, not 0 percent.
        if(delivered_count > 0, round(100e0 * on_time_count / nullif(on_time_count + delayed_count, 0), 6)) as measured_value,
        'No shipment of the window has a delivery on record: the shipping service writes no actual_delivery.' as reason
    from shipping

),

{% set gaps = {
    'dock_to_stock_hours': 'Receiving and putaway are not captured: nothing says when goods reached the dock.',
    'space_utilization_pct': 'The source knows no capacity of a storage location.',
    'cost_per_order': 'The source knows no cost: neither of labor, nor of packaging, nor of freight.',
    'labor_cost_ratio': 'The source knows no wages.',
    'fulfillment_revenue_pct': 'The source knows no cost of fulfillment to set against revenue.',
} -%}

unanswered as (

    {% for kpi, reason in gaps.items() -%}
    select
        '{{ kpi }}' as kpi,
        '{{ reason }}' as reason
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        targets.kpi,
        measured.measured_value as value,  -- noqa: RF04
        targets.target,
        targets.best_in_class,
        targets.unit,
        targets.direction,
        measured.window_end,
        if(
            targets.direction = 'lower', measured.measured_value <= targets.target, measured.measured_value >= targets.target
        ) as is_target_met,
        round(
            if(targets.direction = 'lower', targets.target - measured.measured_value, measured.measured_value - targets.target), 6
        ) as gap,
        measured.window_end - interval '29' day as window_start,
        if(
            measured.measured_value is null,
            coalesce(unanswered.reason, measured.reason, 'The window is empty, or nothing defines the KPI.')
        ) as reason
    from targets
    left join measured on targets.kpi = measured.kpi
    left join unanswered on targets.kpi = unanswered.kpi

)

select * from final
