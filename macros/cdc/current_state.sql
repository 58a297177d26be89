{#
    The current state of a collection, as the query over its whole history that defines it. The materialization
    `current_state` runs the same text over the new part of the history only.

    bronze: the collection's raw table.
    columns: [name, type] or [name, type, path]; path in snake_case with dots, the column's name when it is left out.
        type is a Trino type that cdc_decode knows, or json for a part that is kept as text.

    Every collection's table ends with the same columns: extra_fields, parse_failures, is_deleted and where the row comes from.
#}
{% macro cdc_current_state(bronze, columns) -%}
{%- set paths = {} -%}
{%- set values = {} -%}
{%- set top_names = [] -%}
{%- set parents = [] -%}
{%- for column in columns -%}
    {%- set names = (column[2] if column | length > 2 else column[0]).split('.') -%}
    {%- do paths.update({column[0]: names}) -%}
    {%- do values.update({column[0]: 'field_' ~ names[0] if names | length == 1 else cdc_json_at('field_' ~ names[0], names[1:])}) -%}
    {%- do top_names.append(names[0]) if names[0] not in top_names -%}
    {%- do parents.append(names[0]) if names | length > 1 and names[0] not in parents -%}
{%- endfor -%}
with records as (

    select
        document_id,
        op,
        coalesce(source_ts, timestamp '1970-01-01 00:00:00.000000 UTC') as source_ts,
        coalesce(source_ord, -1) as source_ord,
        kafka_partition,
        kafka_offset,
        -- A delete shows the document as it was before, when the collection keeps pre-images.
        if(op = 'd', json_extract_scalar(envelope, '$.before'), json_extract_scalar(envelope, '$.after')) as image
    from {{ bronze }}
    -- A tombstone (t) only tells Kafka to compact; the delete before it said everything.
    where op in ('r', 'c', 'u', 'd') and document_id is not null

),

hashed as (

    select
        *,
        coalesce(to_hex(xxhash64(to_utf8(image))), '') as image_hash
    from records

),

-- One row for each change, however often it was sent: its last offset decides ties, its first coordinates stay.
changes as (

    select
        document_id,
        op,
        source_ts,
        source_ord,
        image_hash,
        max(kafka_offset) as kafka_offset,
        min(row(kafka_partition, kafka_offset)) as first_seen,
        arbitrary(image) as image
    from hashed
    group by document_id, op, source_ts, source_ord, image_hash

),

-- The newest change says whether the document lives, the newest image what it holds: a delete without a pre-image, or an
-- update whose document was gone when the connector looked it up, brings no image, and the last known one stays.
newest as (

    select
        document_id,
        max_by(
            cast(row(op, source_ts, source_ord, image_hash, first_seen[1], first_seen[2]) as {{ cdc_record_type() }}),
            {{ cdc_position('changes') }}
        ) as head,
        max_by(
            cast(row(op, source_ts, source_ord, image_hash, first_seen[1], first_seen[2]) as {{ cdc_record_type() }}),
            {{ cdc_position('changes') }}
        ) filter (where image is not null) as image_source,
        max_by(image, {{ cdc_position('changes') }}) filter (where image is not null) as image
    from changes
    group by document_id

),

-- NaN and Infinity stand bare in Debezium's JSON: quote them, outside of strings, when nothing else helps.
parsed as (

    select
        *,
        try_cast(coalesce(
            try(json_parse(image)),
            try(json_parse(regexp_replace(
                image, '("(?:[^"\\]|\\.)*")|(-?(?:NaN|Infinity))', part -> coalesce(part[1], '"' || part[2] || '"')
            )))
        ) as map(varchar, json)) as fields
    from newest

),

-- Each of the document's own fields once.
named as (

    select
        document_id,
        head,
        image_source,
        image,
        fields,
        {%- for name in top_names %}
        element_at(fields, '{{ cdc_field_name(name) }}') as field_{{ name }},
        {%- endfor %}
        map_filter(fields, (name, field) -> name not in (
            '_id'
            {%- for name in top_names -%}, '{{ cdc_field_name(name) }}'{%- endfor -%}
        )) as unknown_fields
    from parsed

),

decoded as (

    select
        *,
        {%- for column in columns %}
        {{ cdc_decode(values[column[0]], column[1]) }} as {{ column[0] }}{{ ',' if not loop.last }}
        {%- endfor %}
    from named

),

final as (

    select
        document_id,
        {%- for column in columns %}
        {{ column[0] }},
        {%- endfor %}
        if(cardinality(unknown_fields) > 0, json_format(cast(unknown_fields as json))) as extra_fields,
        nullif(concat(
            if(
                image is not null and fields is null,
                array[cast(row('$', substr(image, 1, 200)) as row(path varchar, value varchar))], {{ cdc_empty_list() }}
            ),
            {%- for name in parents %}
            if(
                coalesce(json_format(field_{{ name }}), 'null') <> 'null' and try_cast(field_{{ name }} as map(varchar, json)) is null,
                array[cast(row('{{ name }}', substr(json_format(field_{{ name }}), 1, 200)) as row(path varchar, value varchar))],
                {{ cdc_empty_list() }}
            ),
            {%- endfor %}
            {%- for column in columns %}
            {{ cdc_unreadable(values[column[0]], column[1], paths[column[0]] | join('.'), decoded=column[0]) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ), {{ cdc_empty_list() }}) as parse_failures,
        head.op = 'd' as is_deleted,
        head.op,
        head.source_ts,
        head.source_ord,
        head.image_hash,
        head.kafka_partition,
        head.kafka_offset,
        image_source,
        {{ cdc_document_day('document_id') }} as document_day,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from decoded

)

select * from final
{%- endmacro %}


{# What identifies and orders a record; the same fields name the columns of a silver row and the row `image_source`. #}
{% macro cdc_record_type() -%}
    row(op varchar, source_ts timestamp(6) with time zone, source_ord bigint, image_hash varchar, kafka_partition integer, kafka_offset bigint)
{%- endmacro %}


{# Columns that follow the newest record; all others follow the newest image. #}
{% macro cdc_head_columns() -%}
    {{ return(['is_deleted', 'op', 'source_ts', 'source_ord', 'image_hash', 'kafka_partition', 'kafka_offset']) }}
{%- endmacro %}
