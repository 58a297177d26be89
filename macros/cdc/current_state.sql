{#
    The current state of a collection, as the query over its whole history that defines it. The materialization
    `current_state` runs the same text over the new part of the history only.

    bronze: the collection's raw table.
    columns: [name, type] or [name, type, path]; path in snake_case with dots, the column's name when it is left out.
        type is a Trino type that cdc_decode knows, or json for a part that is kept as text.
    history: a path whose values are kept with the moment at which the document was saved with them, as status_history.
    per: {name, value} splits a document's history into periods (an article's days, a worker's shifts) with a row for each.
        value is SQL over the image as JSON, `document`, and source_ts; an image where it is NULL belongs to no period.
        A delete ends no period: it is left out.
    opening: [name, path] of a whole number as it was before the period's first change: 0 for an insert, NULL for the insert
        of a document that was created on an earlier day (an import) and for a snapshot, which do not say.
    day: {name, value} of the partition column, which never changes for a row; the day in the document's id by default.

    Every table ends with the same columns: extra_fields (of periods always NULL: their document's row has them), parse_failures,
    is_deleted and where the row comes from.
#}
{% macro cdc_current_state(bronze, columns, history=none, per=none, opening=none, day=none) -%}
{%- set key = ['document_id'] + ([per.name] if per else []) -%}
{%- set operations = "'r', 'c', 'u'" ~ ('' if per else ", 'd'") -%}
{%- set day = day or {'name': 'document_day', 'value': cdc_document_day('document_id')} -%}
{%- set paths = {} -%}
{%- set values = {} -%}
{%- set top_names = [] -%}
{%- set parents = [] -%}
{%- set rows = [] -%}
{%- for column in columns -%}
    {%- set names = (column[2] if column | length > 2 else column[0]).split('.') -%}
    {%- do paths.update({column[0]: names}) -%}
    {%- do values.update({column[0]: 'field_' ~ names[0] if names | length == 1 else cdc_json_at('field_' ~ names[0], names[1:])}) -%}
    {%- do top_names.append(names[0]) if names[0] not in top_names -%}
    {%- do parents.append(names[0]) if names | length > 1 and names[0] not in parents -%}
    {%- do rows.append(names[0]) if column[1].startswith('row(') -%}
{%- endfor -%}
{#- What can be unreadable: the document as a whole, the parts that columns look into, the columns. -#}
{%- set fields = [['image', 'text', '$', 'fields']] -%}
{%- for name in parents if name not in rows -%}
    {%- do fields.append(['field_' ~ name, 'varchar', name, cdc_fields('field_' ~ name)]) -%}
{%- endfor -%}
{%- for column in columns -%}
    {%- do fields.append([values[column[0]], column[1], paths[column[0]] | join('.'), column[0]]) -%}
{%- endfor -%}
{%- set record -%}
    cast(row(op, source_ts, source_ord, image_hash, first_seen[1], first_seen[2]) as {{ cdc_record_type() }})
{%- endset -%}
with records as (

    select
        document_id,
        op,
        coalesce(source_ts, timestamp '1970-01-01 00:00:00.000000 UTC') as source_ts,
        coalesce(source_ord, -1) as source_ord,
        kafka_partition,
        kafka_offset,
        {{ cdc_image() }} as raw_image
        {%- if opening %},
        json_extract_scalar(envelope, '$.before') as raw_before
        {%- endif %}
    from {{ bronze }}
    -- A tombstone (t) only tells Kafka to compact; the delete before it said everything.
    where op in ({{ operations }}) and document_id is not null

),

readable as (

    select
        *,
        {{ cdc_readable('raw_image') }} as image,
        {%- if opening %}
        {{ cdc_readable('raw_before') }} as image_before,
        {%- endif %}
        coalesce(to_hex(xxhash64(to_utf8(raw_image))), '') as image_hash
    from records

),
{%- if per %}

placed as (

    select
        *,
        {{ per.value }} as {{ per.name }}
    from (select *, try(json_parse(image)) as document from readable)

),
{%- endif %}

-- One row for each change, however often it was sent: its last offset decides ties, its first coordinates stay.
changes as (

    select
        {{ key | join(', ') }},
        op,
        source_ts,
        source_ord,
        image_hash,
        max(kafka_offset) as kafka_offset,
        min(row(kafka_partition, kafka_offset)) as first_seen,
        arbitrary(image) as image
        {%- if opening %},
        min(image_before) as image_before
        {%- endif %}
    from {{ 'placed' if per else 'readable' }}
    {%- if per %}
    where {{ per.name }} is not null
    {%- endif %}
    group by {{ key | join(', ') }}, op, source_ts, source_ord, image_hash

),

-- The newest change says whether the document lives, the newest image what it holds: a delete without a pre-image, or an
-- update whose document was gone when the connector looked it up, brings no image, and the last known one stays.
newest as (

    select
        {{ key | join(', ') }},
        max_by({{ record }}, {{ cdc_position('changes') }}) as head,
        max_by({{ record }}, {{ cdc_position('changes') }}) filter (where image is not null) as image_source,
        max_by(image, {{ cdc_position('changes') }}) filter (where image is not null) as image
        {%- if history %},
        array_agg(distinct {{ cdc_history_entry(history) }})
            filter (where {{ cdc_string(cdc_json_at('image', [history])) }} is not null) as status_history
        {%- endif %}
        {%- if opening %},
        min_by({{ record }}, {{ cdc_position('changes') }}) as opening_source,
        min_by(image_before, {{ cdc_position('changes') }}) as image_before,
        min_by({{ cdc_timestamp(cdc_json_at('image', ['created_at'])) }}, {{ cdc_position('changes') }}) as created_before
        {%- endif %}
    from changes
    group by {{ key | join(', ') }}

),

parsed as (

    select
        *,
        {{ cdc_fields('try(json_parse(image))') }} as fields
    from newest

),

-- Each of the document's own fields once.
named as (

    select
        parsed.*,
        {%- for name in top_names %}
        element_at(fields, '{{ cdc_field_name(name) }}') as field_{{ name }},
        {%- endfor %}
        {%- if per %}
        cast(null as map(varchar, json)) as unknown_fields
        {%- else %}
        map_filter(fields, (name, field) -> name not in (
            '_id'
            {%- for name in top_names -%}, '{{ cdc_field_name(name) }}'{%- endfor -%}
        )) as unknown_fields
        {%- endif %}
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
        {{ key | join(', ') }},
        {%- for column in columns %}
        {{ column[0] }},
        {%- endfor %}
        {%- if history %}
        array_sort(status_history) as status_history,
        {%- endif %}
        {%- if opening %}
        {{ cdc_opening(opening, day) }},
        opening_source,
        {%- endif %}
        if(cardinality(unknown_fields) > 0, json_format(cast(unknown_fields as json))) as extra_fields,
        nullif({{ cdc_unreadable(fields) }}, {{ cdc_empty_list() }}) as parse_failures,
        head.op = 'd' as is_deleted,
        head.op,
        head.source_ts,
        head.source_ord,
        head.image_hash,
        head.kafka_partition,
        head.kafka_offset,
        image_source,
        {%- if day.name not in key %}
        {{ day.value }} as {{ day.name }},
        {%- endif %}
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from decoded

)

select * from final
{%- endmacro %}


{# What identifies and orders a record; the same fields name the columns of a silver row and the row `image_source`. #}
{% macro cdc_record_type() -%}
    row(op varchar, source_ts timestamp(6) with time zone, source_ord bigint, image_hash varchar, kafka_partition integer, kafka_offset bigint)
{%- endmacro %}


{# One value of a document's history, as the change at hand shows it: sorted by when the service saved it, then by MongoDB's order. #}
{% macro cdc_history_entry(path) -%}
    cast(row(
        coalesce({{ cdc_timestamp(cdc_json_at('image', ['updated_at'])) }}, source_ts), source_ts, source_ord,
        {{ cdc_string(cdc_json_at('image', [path])) }}
    ) as row(at timestamp(6) with time zone, source_ts timestamp(6) with time zone, source_ord bigint, {{ path }} varchar))
{%- endmacro %}


{# What a number was before the first change of a period. #}
{% macro cdc_opening(opening, day) -%}
    case opening_source.op
        when 'c' then if({{ utc_day('created_before') }} < {{ day.value }}, null, 0)
        when 'u' then {{ cdc_bigint(cdc_json_at('try(json_parse(image_before))', opening[1].split('.'))) }}
    end as {{ opening[0] }}
{%- endmacro %}


{# Which record each column of a row follows: the newest, the earliest (of its period), or, when neither, the newest image. #}
{% macro cdc_head_columns() -%}
    {{ return(['is_deleted', 'op', 'source_ts', 'source_ord', 'image_hash', 'kafka_partition', 'kafka_offset']) }}
{%- endmacro %}

{# See cdc_head_columns. #}
{% macro cdc_opening_columns() -%}
    {{ return(['opening_quantity', 'opening_source']) }}
{%- endmacro %}
