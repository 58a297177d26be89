{#
    Every step from one status to another that the histories of the documents show: consecutive saves in the same status are
    none. from_place is the save before, place the one after.
#}
{% macro status_steps() -%}
    {%- set tables = {
        'order': 'orders_current', 'wave': 'waves_current', 'pick_task': 'pick_tasks_current', 'pack_task': 'pack_tasks_current',
        'shipment': 'shipments_current',
    } -%}
    {%- for entity, table in tables.items() %}
    select
        '{{ entity }}' as entity,
        document_id,
        from_status,
        to_status,
        from_at,
        to_at,
        is_dated
    from (
        select
            document_id,
            save.status as to_status,
            save.at as to_at,
            lag(save.status) over (partition by document_id order by save.place) as from_status,
            lag(save.at) over (partition by document_id order by save.place) as from_at,
            -- A save without a readable updated_at stands at source_ts, which MongoDB cuts to the second: it can come out before
            -- a save that it followed.
            save.at <> save.source_ts and lag(save.at <> save.source_ts) over (partition by document_id order by save.place) as is_dated
        from {{ ref(table) }}
        cross join unnest(status_history) with ordinality as save (at, source_ts, source_ord, status, place)
    )
    where from_status <> to_status
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{#
    The statuses that can follow a status after one or more allowed steps, up to eight: the longest way through a state machine
    of seed status_transitions is that of an order, seven from received to delivered.
#}
{% macro reachable_statuses() -%}
    {%- set ways = namespace(sql="select entity, from_status, to_status from " ~ ref('status_transitions')) -%}
    {%- for doubling in range(3) -%}
        {%- set ways.sql -%}
    select entity, from_status, to_status from ({{ ways.sql }})
    union
    select
        first_way.entity,
        first_way.from_status,
        then_way.to_status
    from ({{ ways.sql }}) as first_way
    inner join ({{ ways.sql }}) as then_way
        on first_way.entity = then_way.entity and first_way.to_status = then_way.from_status
        {%- endset -%}
    {%- endfor -%}
    {{ ways.sql }}
{%- endmacro %}
