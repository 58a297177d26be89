-- A copy adds nothing, a save in the same status does; the service's time decides, not the arrival, and the change's own when
-- the service's cannot be read; an image without a status adds nothing. A unit test cannot expect an array of rows.
{%- set records -%}
(
    select
        '{"$oid": "65a000000000000000000001"}' as document_id,
        0 as kafka_partition,
        kafka_offset,
        op,
        cast(source_ts as timestamp(6) with time zone) as source_ts,
        source_ord,
        '{"before": null, "after": ' || json_format(cast(image as json)) || '}' as envelope
    from (values
        (bigint '1', 'u', timestamp '2026-03-01 12:05:00 UTC', bigint '1', '{"status": "picking", "{{ cdc_field_name("updated_at") }}": {"$date": 1772366700000}}'),
        (bigint '2', 'c', timestamp '2026-03-01 12:00:01 UTC', bigint '1', '{"status": "received", "{{ cdc_field_name("updated_at") }}": {"$date": 1772366400000}}'),
        (bigint '3', 'u', timestamp '2026-03-01 12:05:00 UTC', bigint '1', '{"status": "picking", "{{ cdc_field_name("updated_at") }}": {"$date": 1772366700000}}'),
        (bigint '4', 'u', timestamp '2026-03-01 12:06:00 UTC', bigint '1', '{"status": "picking", "weight": NaN, "{{ cdc_field_name("updated_at") }}": "soon"}'),
        (bigint '5', 'u', timestamp '2026-03-01 12:07:00 UTC', bigint '1', '{"weight": 1}')
    ) as given (kafka_offset, op, source_ts, source_ord, image)
)
{%- endset %}

with found as (

    select
        array_join(
            transform(
                status_history,
                entry -> format_datetime(entry.at, 'HH:mm') || ' ' || format_datetime(entry.source_ts, 'HH:mm:ss') || ' ' || entry.status
            ),
            ', '
        ) as history
    from ({{ cdc_current_state(records, [['status', 'varchar']], history='status') }})

),

final as (

    select * from found
    where history is distinct from '12:00 12:00:01 received, 12:05 12:05:00 picking, 12:06 12:06:00 picking'

)

select * from final
