{{ config(
    materialized='daily',
    group='labor',
    follows=['pick_tasks_current', 'pack_tasks_current'],
    grain=['date', 'worker_id'],
) }}

with pick_tasks as (

    select
        'pick' as kind,
        picker_id as worker_id,
        zone,
        started_at,
        completed_at,
        {{ pieces('items', 'picked_qty') }} as items,
        coalesce(cardinality(items), 0) as lines,
        coalesce(cardinality(filter(
            items,
            line -> coalesce(line.status in ('short', 'exception'), false) or any_match(
                coalesce(exceptions, array[]),
                -- An exception that names no location means the article, wherever it lies.
                problem -> coalesce(
                    problem.sku = line.sku
                    and coalesce(problem.location_id = line.location.location_id, true),
                    false
                )
            )
        )), 0) as exception_lines,
        coalesce(cardinality(exceptions), 0) as exceptions
    from {{ ref('pick_tasks_current') }}
    where {{ is_done_task() }} and {{ touched('completed_at') }}

),

pack_tasks as (

    select
        'pack' as kind,
        packer_id as worker_id,
        -- The contract calls it so, here and below.
        cast(null as varchar) as zone,  -- noqa: RF04
        started_at,
        completed_at,
        {{ pieces('items') }} as items,
        0 as lines,
        0 as exception_lines,
        0 as exceptions
    from {{ ref('pack_tasks_current') }}
    where {{ is_done_task() }} and {{ touched('completed_at') }}

),

tasks as (

    select
        *,
        {{ utc_day('completed_at') }} as completed_day,
        -- Whole milliseconds, what BSON stores: their sum is the same on every plan.
        if(completed_at >= started_at, {{ epoch_milliseconds('started_at') }}) as start_ms,
        if(completed_at >= started_at, {{ epoch_milliseconds('completed_at') }}) as end_ms
    from (
        select * from pick_tasks
        union all
        select * from pack_tasks
    ) as all_tasks
    where worker_id <> ''

),

-- How far the worker's earlier tasks reach: only what a task adds behind that is new working time.
reached as (

    select
        *,
        max(end_ms) over (
            partition by completed_day, worker_id
            order by start_ms, end_ms, kind rows between unbounded preceding and 1 preceding
        ) as reached_ms,
        max(if(kind = 'pick', end_ms)) over (
            partition by completed_day, worker_id
            order by start_ms, end_ms, kind rows between unbounded preceding and 1 preceding
        ) as reached_pick_ms
    from tasks

),

zone_tasks as (

    select
        completed_day,
        worker_id,
        zone,
        count(*) as tasks
    from tasks
    where kind = 'pick' and zone is not null
    group by completed_day, worker_id, zone

),

zones as (

    select
        completed_day,
        worker_id,
        min_by(zone, row(-tasks, zone)) as zone  -- noqa: RF04
    from zone_tasks
    group by completed_day, worker_id

),

days as (

    select
        completed_day,
        worker_id,
        count(*) as tasks_completed,
        count_if(kind = 'pick') as pick_tasks,
        count_if(kind = 'pack') as pack_tasks,
        coalesce(sum(items), 0) as items_processed,
        coalesce(sum(items) filter (where kind = 'pick'), 0) as pick_items,
        sum(lines) as pick_lines,
        sum(exception_lines) as exception_lines,
        sum(exceptions) as exceptions_count,
        sum(greatest(end_ms - greatest(start_ms, coalesce(reached_ms, start_ms)), 0)) as work_ms,
        sum(greatest(end_ms - greatest(start_ms, coalesce(reached_pick_ms, start_ms)), 0)) filter (where kind = 'pick') as pick_ms,
        min(started_at) as first_started_at,
        max(completed_at) as last_completed_at
    from reached
    group by completed_day, worker_id

),

final as (

    select
        -- Gold and its consumers call it so.
        days.completed_day as date,  -- noqa: RF04
        days.worker_id,
        zones.zone,
        days.tasks_completed,
        days.pick_tasks,
        days.pack_tasks,
        days.items_processed,
        days.pick_items,
        days.pick_lines,
        days.exception_lines,
        days.exceptions_count,
        days.first_started_at,
        days.last_completed_at,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time,
        days.work_ms / 1000e0 as work_seconds,
        days.pick_ms / 1000e0 as pick_seconds
    from days
    left join zones on days.completed_day = zones.completed_day and days.worker_id = zones.worker_id

)

select * from final
