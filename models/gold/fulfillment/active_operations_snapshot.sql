-- History that nothing else holds: a full refresh must not lose it.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    full_refresh=false,
    group='fulfillment',
) }}

{#- What has a status, the table with it, and the moment that counts for the last hour. -#}
{%- set operations = [
    ('order', 'orders_current', 'created_at'),
    ('wave', 'waves_current', none),
    ('pick_task', 'pick_tasks_current', none),
    ('pack_task', 'pack_tasks_current', none),
    ('shipment', 'shipments_current', 'shipped_at'),
] -%}

-- What the carrier has is off the floor, though it still travels; order_fulfillment_daily calls such an order completed.
with finished as (

    select
        entity,
        status
    from {{ ref('status_values') }}
    where is_terminal or status = 'shipped'

),

{% for entity, table, moment in operations -%}
{{ entity }}s as (

    select
        {%- if moment %}
        count_if(
            operations.{{ moment }} > {{ as_of() }} - interval '1' hour and operations.{{ moment }} <= {{ as_of() }}
        ) as last_hour,
        {%- endif %}
        count_if(finished.status is null) as active
    from {{ ref(table) }} as operations
    left join finished on finished.entity = '{{ entity }}' and operations.status = finished.status
    where not operations.is_deleted

),

{% endfor -%}

workers as (

    select count(*) as active
    from {{ ref('worker_documents') }} as workers
    inner join {{ ref('status_values') }} as known on known.entity = 'worker' and workers.status = known.status
    where not workers.is_deleted and not known.is_initial

),

final as (

    select
        cast({{ as_of() }} at time zone 'UTC' as timestamp(6) with time zone) as snapshot_time,
        orders.active as active_orders,
        waves.active as active_waves,
        pick_tasks.active as active_pick_tasks,
        pack_tasks.active as active_pack_tasks,
        shipments.active as pending_shipments,
        workers.active as active_workers,
        orders.last_hour as orders_last_hour,
        shipments.last_hour as shipments_last_hour,
        cast('{{ invocation_id }}' as varchar) as run_id,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from orders
    cross join waves
    cross join pick_tasks
    cross join pack_tasks
    cross join shipments
    cross join workers
    {%- if is_incremental() %}
    where
        not exists (
            select 1
            from {{ this }} as taken
            -- The newest files are enough: a run does not take a day, and a frozen clock repeats its own moment.
            where
                taken.snapshot_time >= {{ as_of() }} - interval '1' day
                and (taken.run_id = '{{ invocation_id }}' or taken.snapshot_time = {{ as_of() }})
        )
    {%- endif %}

)

select * from final
