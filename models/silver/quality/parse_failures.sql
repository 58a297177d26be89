{{ config(materialized='view', group='platform') }}

{%- set current_states = ['orders_current', 'inventory_current', 'shipments_current'] %}

with failures as (

    {% for name in current_states -%}
    select
        '{{ name }}' as table_name,
        current_row.document_id,
        failure.path,
        failure.value,
        current_row.image_source.source_ts,
        current_row.image_source.kafka_partition,
        current_row.image_source.kafka_offset,
        current_row.is_deleted,
        current_row.processing_time
    from {{ ref(name) }} as current_row
    cross join unnest(current_row.parse_failures) as failure (path, value)
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select * from failures
