{{ config(
    materialized='daily',
    group='labor',
    follows=['worker_days', 'worker_shifts', 'worker_documents'],
    grain=['date', 'worker_id'],
) }}

with worker_days as (

    select *
    from {{ ref('worker_days') }}
    where {{ touched('date', 'on_days') }}

),

shifts as (

    select
        document_id,
        worker_id,
        started_at,
        shift_type,
        zone
    from {{ ref('worker_shifts') }}
    where {{ touched('shift_day', 'on_days', back=1) }}

),

-- A worker's number that was given again belongs to two documents: the living one counts, or the later one.
workers as (

    select
        worker_id,
        max_by(name, row(not is_deleted, document_id)) as worker_name
    from {{ ref('worker_documents') }}
    where worker_id is not null
    group by worker_id

),

worked_shifts as (

    select
        worker_days.date,
        worker_days.worker_id,
        max_by(row(shifts.shift_type, shifts.zone), row(shifts.started_at, shifts.document_id)) as shift
    from worker_days
    inner join shifts
        on
            worker_days.worker_id = shifts.worker_id
            and worker_days.last_completed_at >= shifts.started_at
            and worker_days.last_completed_at < shifts.started_at + interval '24' hour
    group by worker_days.date, worker_days.worker_id

),

final as (

    select
        worker_days.date,
        worker_days.worker_id,
        workers.worker_name,
        worker_days.tasks_completed,
        worker_days.items_processed,
        worker_days.exceptions_count,
        worker_days.pick_items,
        worker_days.pick_lines,
        worker_days.exception_lines,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time,
        -- The consumers' queries call it so.
        coalesce(worked_shifts.shift[2], worker_days.zone) as zone,  -- noqa: RF04
        worked_shifts.shift[1] as shift_type,
        -- Six places of an hour are 3.6 ms.
        round(worker_days.work_seconds / 3600, 6) as total_work_hours,
        round(worker_days.tasks_completed * 3600e0 / nullif(worker_days.work_seconds, 0), 6) as tasks_per_hour,
        round(worker_days.items_processed * 3600e0 / nullif(worker_days.work_seconds, 0), 6) as items_per_hour,
        cast(worker_days.pick_lines - worker_days.exception_lines as double) / nullif(worker_days.pick_lines, 0) as accuracy_rate,
        round(worker_days.pick_seconds / 3600, 6) as pick_hours
    from worker_days
    left join workers on worker_days.worker_id = workers.worker_id
    left join worked_shifts on worker_days.date = worked_shifts.date and worker_days.worker_id = worked_shifts.worker_id

)

select * from final
