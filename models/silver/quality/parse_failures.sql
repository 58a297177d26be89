{{ config(materialized='view', group='platform') }}

{%- set of_documents = cdc_document_tables() + cdc_period_tables() %}

with failures as (

    {% for name in of_documents + cdc_entry_tables() -%}
    select
        '{{ name }}' as table_name,
        row_with.document_id,
        failure.path,
        failure.value,
        {%- if name in of_documents %}
        row_with.image_source.source_ts,
        row_with.image_source.kafka_partition,
        row_with.image_source.kafka_offset,
        row_with.is_deleted,
        {%- else %}
        cast(null as timestamp(6) with time zone) as source_ts,
        row_with.kafka_partition,
        row_with.kafka_offset,
        false as is_deleted,
        {%- endif %}
        row_with.processing_time
    from {{ ref(name) }} as row_with
    cross join unnest(row_with.parse_failures) as failure (path, value)
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from failures
