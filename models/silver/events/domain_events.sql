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
        min(row(kafka_topic, kafka_partition, kafka_offset)) as first_seen,
        min_by(
            cast(
                row(event_type, event_source, subject, event_time, envelope) as
                row(event_type varchar, event_source varchar, subject varchar, event_time timestamp(6) with time zone, envelope varchar)
            ),
            row(kafka_topic, kafka_partition, kafka_offset)
        ) as record
    from records
    group by event_id, event_day

),

parsed as (

    select
        event_id,
        event_day,
        first_seen,
        record,
        try_cast(try(json_parse({{ cdc_readable('record.envelope') }})) as map(varchar, json)) as attributes
    from firsts

),

final as (

    select
        event_id,
        record.event_type,
        record.event_source,
        record.subject,
        split_part(record.subject, '/', 1) as entity_type,
        nullif(substr(record.subject, strpos(record.subject, '/') + 1), record.subject) as entity_id,
        record.event_time,
        {{ cdc_string("element_at(attributes, 'specversion')") }} as spec_version,
        {{ cdc_string("element_at(attributes, 'datacontenttype')") }} as data_content_type,
        {{ cdc_json("element_at(attributes, 'data')") }} as data,
        {%- for attribute, name in extensions.items() %}
        {{ cdc_string("element_at(attributes, '" ~ attribute ~ "')") }} as {{ name }},
        {%- endfor %}
        json_format(cast(nullif(
            map_filter(attributes, (name, attribute) -> name not in ('{{ (standard + extensions.keys() | list) | join("', '") }}')),
            cast(map() as map(varchar, json))
        ) as json)) as extra_attributes,
        first_seen[1] as kafka_topic,
        first_seen[2] as kafka_partition,
        first_seen[3] as kafka_offset,
        event_day,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from parsed

)

select * from final
