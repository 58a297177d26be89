{#
    Codes of a column, or of a field in an array column ('skills.type'), that are not among the known ones, an empty one apart: it is
    not chosen yet. Each entry is a list [table, column, known codes].
#}
{% macro unknown_codes(codes) -%}
    {%- for table, column, known in codes %}
    {%- set is_array = '.' in column %}
    {%- set code = 'entry.code' if is_array else 'document.' ~ column %}
    select
        '{{ table }}.{{ column }}' as code_of,
        {{ code }} as code,
        document.document_id
    from {{ ref(table) }} as document
    {%- if is_array %}
    cross join unnest(transform(document.{{ column.split('.')[0] }}, entry -> entry.{{ column.split('.')[1] }})) as entry (code)
    {%- endif %}
    where {{ code }} not in ('', '{{ known | join("', '") }}')
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
