-- Each domain is added up to one row for each day before the days are joined: no number counts twice.
with orders as (

    select
        date,
        sum(total_orders) as total_orders,
        sum(completed_orders) as completed_orders,
        sum(cancelled_orders) as cancelled_orders,
        sum(in_progress_orders) as in_progress_orders,
        sum(fulfilled_orders) as fulfilled_orders,
        sum(avg_fulfillment_time_hours * fulfilled_orders) as fulfillment_hours,
        sum(total_items) as total_items,
        sum(total_revenue) as total_revenue,
        max(processing_time) as processing_time
    from {{ ref('order_fulfillment_daily') }}
    group by date

),

waves as (

    select
        date,
        sum(waves_created) as waves_created,
        sum(waves_completed) as waves_completed,
        sum(waves_cancelled) as waves_cancelled,
        sum(total_orders) as orders_in_waves,
        max(processing_time) as processing_time
    from {{ ref('wave_performance_daily') }}
    group by date

),

labor as (

    select
        date,
        count(*) as workers_active,
        sum(tasks_completed) as tasks_completed,
        sum(items_processed) as items_processed,
        sum(total_work_hours) as work_hours,
        sum(pick_items) as pick_items,
        sum(pick_hours) as pick_hours,
        sum(pick_lines) as pick_lines,
        sum(exception_lines) as exception_lines,
        max(processing_time) as processing_time
    from {{ ref('labor_productivity_daily') }}
    group by date

),

shipping as (

    select
        date,
        sum(shipments_count) as shipments_count,
        sum(on_time_count) as on_time_count,
        sum(delayed_count) as delayed_count,
        max(processing_time) as processing_time
    from {{ ref('shipping_performance_daily') }}
    group by date

),

days as (

    select date from orders
    union distinct
    select date from waves
    union distinct
    select date from labor
    union distinct
    select date from shipping

),

final as (

    select
        days.date,
        orders.total_revenue,
        coalesce(orders.total_orders, 0) as total_orders,
        coalesce(orders.completed_orders, 0) as completed_orders,
        coalesce(orders.cancelled_orders, 0) as cancelled_orders,
        coalesce(orders.in_progress_orders, 0) as in_progress_orders,
        cast(orders.completed_orders as double) / orders.total_orders as completion_rate,
        round(orders.fulfillment_hours / nullif(orders.fulfilled_orders, 0), 6) as avg_fulfillment_time_hours,
        coalesce(orders.total_items, 0) as total_items,
        coalesce(waves.waves_created, 0) as waves_created,
        coalesce(waves.waves_completed, 0) as waves_completed,
        coalesce(waves.waves_cancelled, 0) as waves_cancelled,
        round(cast(waves.orders_in_waves as double) / nullif(waves.waves_created, 0), 6) as avg_orders_per_wave,
        coalesce(labor.workers_active, 0) as workers_active,
        coalesce(labor.tasks_completed, 0) as tasks_completed,
        coalesce(labor.items_processed, 0) as items_processed,
        round(labor.work_hours, 6) as work_hours,
        round(labor.pick_items / nullif(labor.pick_hours, 0), 6) as picks_per_hour,
        cast(labor.pick_lines - labor.exception_lines as double) / nullif(labor.pick_lines, 0) as pick_accuracy_rate,
        coalesce(shipping.shipments_count, 0) as shipments_count,
        coalesce(shipping.on_time_count, 0) as on_time_count,
        coalesce(shipping.delayed_count, 0) as delayed_count,
        cast(shipping.on_time_count as double) / nullif(shipping.on_time_count + shipping.delayed_count, 0) as on_time_rate,
        array_max(filter(
            array[orders.processing_time, waves.processing_time, labor.processing_time, shipping.processing_time],
            computed_at -> computed_at is not null
        )) as processing_time
    from days
    left join orders on days.date = orders.date
    left join waves on days.date = waves.date
    left join labor on days.date = labor.date
    left join shipping on days.date = shipping.date

)

select * from final
