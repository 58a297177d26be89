{#
    The one rule of what is newer, as a row that compares field by field:

    1. the second of source_ts. A real MongoDB stamps changes to the second only, a snapshot to the millisecond.
    2. a streamed change before a snapshot record of the same second: the change stream opens before the snapshot reads,
       so whatever the snapshot may have seen in that second also arrives as a change, and nothing is lost by preferring it.
    3. source_ts, source_ord: MongoDB's own order of changes.
    4. kafka_offset, for two writes to one document in one transaction, which share everything above. Offsets of different
       partitions mean nothing to each other, but a key only moves to another partition when somebody adds partitions.
    5. the hash of the image, so that the order is total whatever happens.

    Example, one order: u at 12:00:05.000 (really 05.700) writes 'picking'; a snapshot read it at 05.200, still 'validated'.
    By source_ts alone the snapshot would take 'picking' back. By (second, streamed) it does not; a re-snapshot at 12:07:00
    wins, because a change after 12:00:05 that the stream lost can only be in there. The clocks of connector and MongoDB
    are taken to agree within the second.

    `record` is the alias of anything with the columns of a record.
#}
{% macro cdc_position(record) -%}
    row(
        date_trunc('second', {{ record }}.source_ts), {{ record }}.op <> 'r', {{ record }}.source_ts, {{ record }}.source_ord,
        {{ record }}.kafka_offset, {{ record }}.image_hash
    )
{%- endmacro %}


{# The same change, sent again (the connector repeats itself after a crash). #}
{% macro cdc_is_copy(one, other) -%}
    {{ one }}.source_ts = {{ other }}.source_ts and {{ one }}.source_ord = {{ other }}.source_ord
    and {{ one }}.op = {{ other }}.op and {{ one }}.image_hash = {{ other }}.image_hash
{%- endmacro %}


{#
    Whether a record must take another's place. A copy never does, so that repetition writes nothing, except to move
    the coordinates to the first copy, which makes them independent of the order of arrival, too.
#}
{% macro cdc_beats(one, other) -%}
    if(
        {{ cdc_is_copy(one, other) }},
        row({{ one }}.kafka_partition, {{ one }}.kafka_offset) < row({{ other }}.kafka_partition, {{ other }}.kafka_offset),
        {{ cdc_position(one) }} > {{ cdc_position(other) }}
    )
{%- endmacro %}


{# Whether a record came before another; of two copies the one with the lower coordinates, as above. #}
{% macro cdc_precedes(one, other) -%}
    if(
        {{ cdc_is_copy(one, other) }},
        row({{ one }}.kafka_partition, {{ one }}.kafka_offset) < row({{ other }}.kafka_partition, {{ other }}.kafka_offset),
        {{ cdc_position(one) }} < {{ cdc_position(other) }}
    )
{%- endmacro %}


{# The UTC day inside an ObjectId (its first four bytes are the creation second); 1970-01-01 for any other _id. Never changes for a key. #}
{% macro cdc_document_day(document_id) -%}
    cast(from_unixtime(coalesce(
        try(from_base(regexp_extract({{ document_id }}, '^\{"\$oid": ?"([0-9a-f]{8})[0-9a-f]{16}"\}$', 1), 16)), 0
    ), 'UTC') as date)
{%- endmacro %}
