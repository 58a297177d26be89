{#
    One row for each value of a business key: the living document that changed last. Two documents with the same order_id
    (the services' indexes forbid it, a restored backup does not) would otherwise double every row that is joined to them.
#}
{% macro newest_by(relation, key, columns) -%}
    select
        {{ key }},
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        processing_time
    from (
        select
            *,
            row_number() over (partition by {{ key }} order by source_ts desc, document_id desc) as place
        from {{ relation }}
        where not is_deleted
    )
    where place = 1
{%- endmacro %}


{# When the newest of the joined rows was computed: NULL of a row that is missing does not count. #}
{% macro newest_processing_time(first, others) -%}
    greatest(
        {{ first }}.processing_time
        {%- for other in others %}, coalesce({{ other }}.processing_time, {{ first }}.processing_time){% endfor -%}
    )
{%- endmacro %}


{# Whether a promise was kept, at any moment: true or false once it is decided, NULL before, and when nothing was promised. #}
{% macro is_in_time(done_at, due_at) -%}
    case
        when {{ done_at }} is not null then {{ done_at }} <= {{ due_at }}
        when {{ due_at }} < {{ as_of() }} then false
    end
{%- endmacro %}
