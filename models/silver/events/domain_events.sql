{{ config(materialized='first_seen', group='platform', key=['event_id'], partition='event_day') }}

{#- Extension attributes of the envelope and their columns. -#}
{%- set extensions = {
    'wmscorrelationid': 'correlation_id', 'wmswavenumber': 'wave_number', 'wmsworkflowid': 'workflow_id', 'wmstenantid': 'tenant_id',
    'wmsfacilityid': 'facility_id', 'wmswarehouseid': 'warehouse_id', 'wmssellerid': 'seller_id', 'wmschannelid': 'channel_id',
    'wmsorderid': 'order_id', 'traceparent': 'trace_parent',
} -%}
{%- set standard = ['specversion', 'type', 'source', 'subject', 'id', 'time', 'datacontenttype', 'data'] -%}

with records as (

    select
        *,
        -- An event without a readable time has the day of its record: the same for every copy within the outbox's seconds.
        {{ utc_day('coalesce(event_time, kafka_timestamp)') }} as event_day
    from {{ source('bronze', 'domain_events_raw') }}
    where event_id is not null

),

-- Delivered at least once, on any partition: the copy with the lowest coordinates stays.
firsts as (

    select
        event_id,
        event_day,
        min(row(kafka_topic, kafka_partition, kafka_offset)) as coordinates,
        min_by(
            row(event_type, event_source, subject, event_time, envelope), row(kafka_topic, kafka_partition, kafka_offset)
        ) as event
    from records
    group by event_id, event_day

),

parsed as (

    select
        event_id,
        event_day,
        coordinates[1] as kafka_topic,
        coordinates[2] as kafka_partition,
        coordinates[3] as kafka_offset,
        event[1] as event_type,
        event[2] as event_source,
        event[3] as subject,
        event[4] as event_time,
        {{ cdc_fields("try(json_parse(" ~ cdc_readable('event[5]') ~ "))") }} as attributes
    from firsts

),

final as (

    select
        event_id,
        event_type,
        event_source,
        subject,
        event_time,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        event_day,
        split_part(subject, '/', 1) as entity_type,
        nullif(substr(subject, strpos(subject, '/') + 1), subject) as entity_id,
        {{ cdc_string("element_at(attributes, 'specversion')") }} as spec_version,
        {{ cdc_string("element_at(attributes, 'datacontenttype')") }} as data_content_type,
        -- CloudEvents calls it so.
        {{ cdc_json("element_at(attributes, 'data')") }} as data,  -- noqa: RF04
        {%- for attribute, name in extensions.items() %}
        {{ cdc_string("element_at(attributes, '" ~ attribute ~ "')") }} as {{ name }},
        {%- endfor %}
        {{ cdc_other_fields('attributes', standard + extensions.keys() | list) }} as extra_attributes,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from parsed

)

select * from final
