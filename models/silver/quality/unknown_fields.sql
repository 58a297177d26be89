{{ config(materialized='view', group='platform') }}

with documents as (

    {% for name in cdc_document_tables() -%}
    select
        '{{ name }}' as table_name,
        document_id,
        image_source.source_ts,
        cast(json_parse(extra_fields) as map(varchar, json)) as fields
    from {{ ref(name) }}
    where extra_fields is not null and not is_deleted
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        documents.table_name,
        unknown.field,
        count(*) as documents,
        min(documents.source_ts) as first_seen,
        min_by(documents.document_id, row(documents.source_ts, documents.document_id)) as example_document_id,
        min_by(substr(json_format(unknown.value), 1, 200), row(documents.source_ts, documents.document_id)) as example_value
    from documents
    cross join unnest(documents.fields) as unknown (field, value)
    group by documents.table_name, unknown.field

)

select * from final
