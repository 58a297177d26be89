{{ config(materialized='view', group='picking') }}

-- A view: three writers would have to agree on a table, and a change of one order or worker would rewrite many tasks.
with tasks as (

    select * from {{ ref('pick_tasks_current') }}
    where not is_deleted

),

-- A business key that two living documents share (the services' indexes forbid it) must not double the tasks.
orders as (

    select
        order_id,
        max_by(row(priority, customer_id, promised_delivery_at, processing_time), row(source_ts, document_id)) as newest
    from {{ ref('orders_current') }}
    where not is_deleted
    group by order_id

),

workers as (

    select
        worker_id,
        max_by(row(name, shift_type, processing_time), row(source_ts, document_id)) as newest
    from {{ ref('worker_documents') }}
    where not is_deleted
    group by worker_id

),

final as (

    select
        tasks.task_id,
        tasks.order_id,
        tasks.wave_id,
        tasks.route_id,
        tasks.picker_id,
        tasks.status,
        tasks.pick_method,
        transform(tasks.items, item -> cast(
            row(item.sku, item.quantity, item.picked_qty, item.location.location_id, item.status) as
            row(sku varchar, quantity bigint, picked_quantity bigint, location_id varchar, status varchar)
        )) as items,
        tasks.tote_id,
        tasks.zone,
        tasks.created_at,
        tasks.assigned_at,
        tasks.started_at,
        tasks.completed_at,
        date_diff('millisecond', tasks.started_at, tasks.completed_at) / 1000e0 as duration_seconds,
        {{ pieces('tasks.items', 'picked_qty') }} as items_picked,
        coalesce(cardinality(tasks.exceptions), 0) as exception_count,
        orders.newest[1] as order_priority,
        orders.newest[2] as customer_id,
        orders.newest[3] as promised_delivery_at,
        workers.newest[1] as worker_name,
        workers.newest[2] as shift_type,
        tasks.updated_at,
        tasks.document_id,
        greatest(
            tasks.processing_time, coalesce(orders.newest[4], tasks.processing_time), coalesce(workers.newest[3], tasks.processing_time)
        ) as processing_time
    from tasks
    left join orders on tasks.order_id = orders.order_id
    left join workers on tasks.picker_id = workers.worker_id

)

select * from final
