{#
    Values of a column, or of a field in an array column, that the column they name does not have. Each reference is a list
    [table, column, target table, target column]; 'items.sku' means sku of each entry of items.

    A row that changed after the target's last known change may be ahead of it: the tables are not read at one moment, and at the
    speed of the simulator an order and its pick task are milliseconds apart. Deleted documents stay in silver, so they are found.
#}
{% macro dangling_references(references) -%}
    {%- for table, column, target, target_column in references %}
    {%- set is_array = '.' in column %}
    select
        '{{ table }}.{{ column }}' as reference,
        holder.document_id,
        {{ 'entry.value' if is_array else 'holder.' ~ column }} as value_without_target,
        '{{ target }}.{{ target_column }}' as target
    from {{ ref(table) }} as holder
    {%- if is_array %}
    cross join unnest(transform(holder.{{ column.split('.')[0] }}, entry -> entry.{{ column.split('.')[1] }})) as entry (value)
    {%- endif %}
    where
        not holder.is_deleted
        and {{ 'entry.value' if is_array else 'holder.' ~ column }} not in (
            select {{ target_column }} from {{ ref(target) }} where {{ target_column }} is not null
        )
        and holder.source_ts <= (select max(source_ts) from {{ ref(target) }})
        and {{ 'entry.value' if is_array else 'holder.' ~ column }} <> ''
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
