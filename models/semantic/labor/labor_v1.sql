with workers as (

    select * from {{ ref('workers_current') }}
    where not is_deleted

),

days as (

    select * from {{ ref('labor_productivity_daily') }}

),

last_days as (

    select
        worker_id,
        max(date) as last_work_date
    from days
    group by worker_id

),

-- One row for each worker: his last working day, and the 30 days that end with it.
productivity as (

    select
        days.worker_id,
        max(last_days.last_work_date) as last_work_date,
        max(days.tasks_completed) filter (where days.date = last_days.last_work_date) as last_day_tasks_completed,
        max(days.items_processed) filter (where days.date = last_days.last_work_date) as last_day_items_processed,
        max(days.tasks_per_hour) filter (where days.date = last_days.last_work_date) as last_day_tasks_per_hour,
        max(days.accuracy_rate) filter (where days.date = last_days.last_work_date) as last_day_accuracy_rate,
        count(*) as days_worked_30,
        sum(days.tasks_completed) as tasks_completed_30,
        sum(days.items_processed) as items_processed_30,
        round(sum(days.total_work_hours), 6) as work_hours_30,
        max(days.processing_time) as processing_time
    from days
    inner join last_days on days.worker_id = last_days.worker_id
    where days.date > last_days.last_work_date - interval '30' day
    group by days.worker_id

),

final as (

    select
        workers.worker_id,
        workers.employee_id,
        workers.name,
        workers.status,
        workers.current_zone,
        workers.current_task_id,
        workers.shift_type,
        workers.shift_started_at,
        workers.skills,
        workers.avg_tasks_per_hour,
        workers.avg_items_per_hour,
        workers.accuracy_rate,
        productivity.last_work_date,
        productivity.last_day_tasks_completed,
        productivity.last_day_items_processed,
        productivity.last_day_tasks_per_hour,
        productivity.last_day_accuracy_rate,
        coalesce(productivity.days_worked_30, 0) as days_worked_30,
        coalesce(productivity.tasks_completed_30, 0) as tasks_completed_30,
        coalesce(productivity.items_processed_30, 0) as items_processed_30,
        productivity.work_hours_30,
        workers.updated_at,
        {{ newest_processing_time('workers', ['productivity']) }} as processing_time
    from workers
    left join productivity on workers.worker_id = productivity.worker_id

)

select * from final
