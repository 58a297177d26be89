{{ config(materialized='view', group='labor') }}

-- A view: what a worker achieves changes with every task, and rewriting the worker's row each time would save no reader anything.
with documents as (

    select * from {{ ref('worker_documents') }}

),

-- Seconds are added as decimals: a sum of doubles depends on the order of its terms.
achieved as (

    select
        worker_id,
        cast(sum(if(work_seconds is null, 0, tasks_completed)) as double) as timed_tasks,
        cast(sum(if(work_seconds is null, 0, items_processed)) as double) as timed_items,
        cast(nullif(sum(pick_lines), 0) as double) as pick_lines,
        cast(sum(exception_lines) as double) as exception_lines,
        cast(nullif(sum(cast(work_seconds as decimal(18, 3))), 0) as double) / 3600 as hours,
        max(processing_time) as processing_time
    from {{ ref('worker_days') }}
    group by worker_id

),

final as (

    select
        documents.worker_id,
        documents.employee_id,
        documents.name,
        documents.current_zone,
        documents.current_task_id,
        documents.status,
        documents.shift_type,
        documents.shift_started_at,
        documents.updated_at,
        documents.is_deleted,
        documents.document_id,
        transform(documents.skills, skill -> cast(
            row(skill.type, skill.level, skill.certified_at) as
            row(skill_type varchar, level bigint, certified_at timestamp(6) with time zone)
        )) as skills,
        -- The services write 0 into metrics that they never compute.
        coalesce(60 / nullif(documents.average_task_time, 0), round(achieved.timed_tasks / achieved.hours, 6)) as avg_tasks_per_hour,
        coalesce(nullif(documents.average_items_per_hour, 0), round(achieved.timed_items / achieved.hours, 6)) as avg_items_per_hour,
        coalesce(
            nullif(documents.accuracy_percent, 0) / 100, round(1 - achieved.exception_lines / achieved.pick_lines, 6)
        ) as accuracy_rate,
        greatest(documents.processing_time, coalesce(achieved.processing_time, documents.processing_time)) as processing_time
    from documents
    left join achieved on documents.worker_id = achieved.worker_id

)

select * from final
