-- Statuses inside of documents are those of seed status_values, like the documents' own (test in_status_values).
{%- set arrays = [
    ['pick_item', 'pick_tasks_current', 'transform(items, entry -> entry.status)'],
    ['wave_order', 'waves_current', 'transform(orders, entry -> entry.status)'],
    ['reservation', 'inventory_current', "try_cast(json_parse(json_query(reservations, 'lax $[*].status' with array wrapper)) as array(varchar))"],
    ['hard_allocation', 'inventory_current',
        "try_cast(json_parse(json_query(hard_allocations, 'lax $[*].status' with array wrapper)) as array(varchar))"],
] %}

with found as (

    {% for entity, table, statuses in arrays -%}
    select
        '{{ entity }}' as entity,
        document.document_id,
        entry.status
    from {{ ref(table) }} as document
    cross join unnest({{ statuses }}) as entry (status)
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

known as (

    select * from {{ ref('status_values') }}

),

final as (

    select found.*
    from found
    left join known on found.entity = known.entity and found.status = known.status
    where found.status is not null and known.status is null

)

select * from final
