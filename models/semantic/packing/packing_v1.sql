with tasks as (

    select * from {{ ref('pack_tasks_current') }}
    where not is_deleted

),

orders as (

    {{ newest_by(ref('orders_current'), 'order_id', ['priority', 'customer_id', 'promised_delivery_at']) }}

),

workers as (

    {{ newest_by(ref('worker_documents'), 'worker_id', ['name']) }}

),

-- The parcel's shipment. After a cancelled one the parcel gets another, and the task stays one row.
shipments as (

    select
        order_id,
        package_id,
        max_by(
            cast(
                row(shipment_id, status, shipped_at) as
                row(shipment_id varchar, status varchar, shipped_at timestamp(6) with time zone)
            ),
            row(status is distinct from 'cancelled', coalesce(created_at, source_ts), document_id)
        ) as latest,
        max(processing_time) as processing_time
    from {{ ref('shipments_current') }}
    where not is_deleted
    group by order_id, package_id

),

final as (

    select
        tasks.task_id,
        tasks.order_id,
        tasks.wave_id,
        tasks.status,
        tasks.station,
        tasks.packer_id,
        workers.name as worker_name,
        tasks.priority,
        orders.priority as order_priority,
        orders.customer_id,
        orders.promised_delivery_at,
        cardinality(tasks.items) as pack_lines,
        {{ pieces('tasks.items') }} as pieces,
        tasks.package_id,
        nullif(tasks.package_type, '') as package_type,
        tasks.suggested_package_type,
        tasks.package_total_weight,
        tasks.is_sealed,
        tasks.carrier_code,
        tasks.service_type,
        tasks.tracking_number,
        shipments.latest.shipment_id,
        shipments.latest.status as shipment_status,
        shipments.latest.shipped_at,
        tasks.created_at,
        tasks.started_at,
        tasks.packed_at,
        tasks.labeled_at,
        tasks.completed_at,
        date_diff('millisecond', tasks.started_at, tasks.completed_at) / 1000e0 as duration_seconds,
        tasks.updated_at,
        tasks.tenant_id,
        tasks.facility_id,
        tasks.warehouse_id,
        tasks.document_id,
        {{ newest_processing_time('tasks', ['orders', 'workers', 'shipments']) }} as processing_time
    from tasks
    left join orders on tasks.order_id = orders.order_id
    left join workers on tasks.packer_id = workers.worker_id
    left join shipments on tasks.order_id = shipments.order_id and tasks.package_id = shipments.package_id

)

select * from final
