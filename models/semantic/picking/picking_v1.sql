with tasks as (

    select * from {{ ref('pick_tasks_enriched') }}

),

final as (

    select
        task_id,
        order_id,
        wave_id,
        route_id,
        status,
        pick_method,
        zone,
        tote_id,
        picker_id,
        worker_name,
        shift_type,
        order_priority,
        customer_id,
        promised_delivery_at,
        items,
        items_picked,
        exception_count,
        created_at,
        assigned_at,
        started_at,
        completed_at,
        duration_seconds,
        updated_at,
        document_id,
        processing_time,
        cardinality(items) as pick_lines,
        coalesce(cardinality(filter(items, line -> line.status in ('short', 'exception'))), 0) as short_lines,
        {{ pieces('items') }} as pieces_requested,
        date_diff('millisecond', created_at, started_at) / 1000e0 as wait_seconds,
        round(items_picked * 3600 / nullif(duration_seconds, 0), 6) as pieces_per_hour
    from tasks

)

select * from final
