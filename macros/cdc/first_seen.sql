{#
    The entries of a list inside of a collection's documents, each once, however many images show it: entries that are equal
    in every field are one. An entry stays when the document drops it. Materialization `first_seen`, key
    ['document_id', 'entry_hash'].

    bronze: the collection's raw table. path: the list. owner: [name, type] of a field of the document itself, as the entry's
    first image shows it. columns: [name, type] of the entry's fields. day: {name, value} of the partition column.
#}
{% macro cdc_entries(bronze, path, owner, columns, day) -%}
{%- set fields = [] -%}
{%- for name, type in columns -%}
    {%- do fields.append([cdc_json_at('entry', [name]), type, path ~ '[].' ~ name, name]) -%}
{%- endfor -%}
with records as (

    select
        document_id,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        {{ cdc_image() }} as raw_image
    from {{ bronze }}
    where op in ('r', 'c', 'u', 'd') and document_id is not null

),

images as (

    select
        document_id,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        try(json_parse({{ cdc_readable('raw_image') }})) as document
    from records

),

lists as (

    select
        document_id,
        kafka_topic,
        kafka_partition,
        kafka_offset,
        {{ cdc_part(cdc_json_at('document', [owner[0]])) }} as owner,
        transform(try_cast({{ cdc_part(cdc_json_at('document', [path])) }} as array(json)), entry -> json_format(entry)) as entries
    from images

),

-- A document of 200 entries shows 199 of them again with each change: only what the image before did not have goes on.
additions as (

    select
        *,
        array_except(
            entries,
            coalesce(lag(entries) over (partition by document_id order by kafka_partition, kafka_offset), array[])
        ) as added
    from lists
    where entries is not null

),

entries as (

    select
        additions.document_id,
        to_hex(xxhash64(to_utf8(addition.entry))) as entry_hash,
        arbitrary(json_parse(addition.entry)) as entry,
        min(row(additions.kafka_topic, additions.kafka_partition, additions.kafka_offset)) as first_seen,
        min_by(additions.owner, row(additions.kafka_topic, additions.kafka_partition, additions.kafka_offset)) as owner
    from additions
    cross join unnest(additions.added) as addition (entry)
    group by additions.document_id, addition.entry

),

decoded as (

    select
        *,
        {{ cdc_decode('owner', owner[1]) }} as {{ owner[0] }},
        {%- for column in columns %}
        {{ cdc_decode(cdc_json_at('entry', [column[0]]), column[1]) }} as {{ column[0] }}{{ ',' if not loop.last }}
        {%- endfor %}
    from entries

),

final as (

    select
        document_id,
        entry_hash,
        {{ owner[0] }},
        {%- for column in columns %}
        {{ column[0] }},
        {%- endfor %}
        nullif({{ cdc_unreadable(fields) }}, {{ cdc_empty_list() }}) as parse_failures,
        first_seen[1] as kafka_topic,
        first_seen[2] as kafka_partition,
        first_seen[3] as kafka_offset,
        coalesce({{ day.value }}, date '1970-01-01') as {{ day.name }},
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from decoded

)

select * from final
{%- endmacro %}
