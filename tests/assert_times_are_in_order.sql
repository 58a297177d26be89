-- Moments of one document, written by one service, follow each other. A handful of rows is a clock that was set and warns; more
-- than 100 mean that moments are read from the wrong field.
{{ config(warn_if='> 0', error_if='> 100') }}
{%- set orders_of = {
    'orders_current': [['created_at', 'updated_at'], ['created_at', 'promised_delivery_at']],
    'inventory_current': [['created_at', 'updated_at']],
    'waves_current': [['created_at', 'released_at'], ['released_at', 'completed_at'], ['scheduled_start', 'scheduled_end']],
    'pick_tasks_current': [['created_at', 'assigned_at'], ['assigned_at', 'started_at'], ['started_at', 'completed_at']],
    'pack_tasks_current': [
        ['created_at', 'started_at'], ['started_at', 'packed_at'], ['packed_at', 'labeled_at'], ['labeled_at', 'completed_at'],
    ],
    'shipments_current': [['created_at', 'labeled_at'], ['created_at', 'shipped_at'], ['shipped_at', 'actual_delivery']],
    'worker_documents': [['created_at', 'updated_at'], ['shift_started_at', 'shift_ended_at']],
} %}

with final as (

    {% for table, pairs in orders_of.items() -%}
    {%- set last_table = loop.last -%}
    {%- for earlier, later in pairs -%}
    select
        '{{ table }}' as table_name,
        document_id,
        '{{ earlier }} > {{ later }}' as wrong_order,
        {{ earlier }} as earlier_at,
        {{ later }} as later_at
    from {{ ref(table) }}
    where not is_deleted and {{ earlier }} > {{ later }}
    {{ 'union all' if not (last_table and loop.last) }}
    {% endfor %}
    {%- endfor %}

)

select * from final
