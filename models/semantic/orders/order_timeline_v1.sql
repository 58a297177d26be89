-- The services store no time for each status: the stages of an order are read from the history of its document.
with orders as (

    select * from {{ ref('orders_current') }}
    where not is_deleted

),

saves as (

    select
        orders.document_id,
        orders.order_id,
        orders.priority,
        orders.processing_time,
        save.place,
        save.at,
        save.status,
        lag(save.status) over (partition by orders.document_id order by save.place) as previous_status
    from orders
    cross join unnest(orders.status_history) with ordinality as save (at, source_ts, source_ord, status, place)

),

-- A save in the same status changed something else, or is the same change seen again by a snapshot: it begins no stage.
stages as (

    select
        document_id,
        order_id,
        priority,
        status as stage,
        previous_status as previous_stage,
        at as started_at,
        processing_time,
        row_number() over (partition by document_id order by place) as sequence,
        lead(at) over (partition by document_id order by place) as ended_at
    from saves
    where previous_status is distinct from status

),

final as (

    select
        order_id,
        sequence,
        stage,
        previous_stage,
        started_at,
        ended_at,
        priority,
        document_id,
        processing_time,
        date_diff('millisecond', started_at, ended_at) / 1000e0 as duration_seconds,
        ended_at is null as is_current
    from stages

)

select * from final
