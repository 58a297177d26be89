{{ config(materialized='view', group='platform') }}

with documents as (

    {% for name in cdc_document_tables() -%}
    select
        '{{ name }}' as table_name,
        documents.document_id,
        documents.image_source.source_ts,
        {{ cdc_fields('json_parse(documents.extra_fields)') }} as fields
    from {{ ref(name) }} as documents
    where documents.extra_fields is not null and not documents.is_deleted
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

final as (

    select
        documents.table_name,
        extra.field,
        count(*) as documents,
        min(documents.source_ts) as first_seen,
        min_by(documents.document_id, row(documents.source_ts, documents.document_id)) as example_document_id,
        min_by(substr(json_format(extra.content), 1, 200), row(documents.source_ts, documents.document_id)) as example_value
    from documents
    cross join unnest(documents.fields) as extra (field, content)
    group by documents.table_name, extra.field

)

select * from final
