{#
    How far a model has read: <model>__watermarks beside its table, one row for each source and partition of the source.
    A run writes its rows with the next number and removes the older ones. Both are one commit each, the second drops whole
    files; a crash between them leaves both, and the highest number counts.

    One table for each model: with a common one, two models that committed at once failed on a Hive Metastore ("Failed to
    commit during delete: The table has been modified"), which Trino does not retry.
#}

{% macro cdc_watermarks(relation) -%}
    {{ return(relation.incorporate(path={'identifier': relation.identifier ~ '__watermarks'}, type='table')) }}
{%- endmacro %}


{# An empty table; replacing the old one makes the model read everything again. #}
{% macro cdc_create_watermarks(relation) -%}
    {%- call statement('create_watermarks') -%}
        create or replace table {{ cdc_watermarks(relation) }} (
            source varchar not null comment 'Kafka topic, or table, that was read',
            source_partition integer not null comment 'partition of the topic; of a table 0 its time, 1 its snapshot',
            next_position bigint not null comment 'first offset not yet read; of a table the last processing_time read, in microseconds, and the Iceberg snapshot',
            run bigint not null comment 'number of the run that wrote it; the highest counts',
            recorded_at timestamp(6) with time zone not null comment 'when it was written, UTC'
        )
        comment 'How far {{ relation.identifier }} has read its sources. Empty it to make the next run compare everything again.'
        with (partitioning = array['run'])
    {%- endcall -%}
{%- endmacro %}


{# The model's rows as {'run': n, 'positions': [{'source', 'partition', 'position'}]}; run 0 and no positions at first. #}
{% macro cdc_read_watermarks(relation) -%}
    {%- if load_relation(cdc_watermarks(relation)) is none -%}
        {%- do cdc_create_watermarks(relation) -%}
        {{ return({'run': 0, 'positions': []}) }}
    {%- endif -%}
    {%- set rows = run_query("select run, source, source_partition, next_position from " ~ cdc_watermarks(relation)).rows -%}
    {%- set last_run = rows | map('first') | map('int') | max if rows else 0 -%}
    {%- set positions = [] -%}
    {%- for row in rows if row[0] | int == last_run -%}
        {%- do positions.append({'source': row[1], 'partition': row[2] | int, 'position': row[3] | int}) -%}
    {%- endfor -%}
    {{ return({'run': last_run, 'positions': positions}) }}
{%- endmacro %}


{# Record where a run has come to. Rows are only added: the highest run counts. #}
{% macro cdc_write_watermarks(relation, run, positions) -%}
    {%- call statement('write_watermarks') -%}
        insert into {{ cdc_watermarks(relation) }} (source, source_partition, next_position, run, recorded_at)
        values
        {%- for at in positions %}
            ('{{ at.source | replace("'", "''") }}', {{ at.partition }}, {{ at.position }}, {{ run }}, current_timestamp){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endcall -%}
    {%- call statement('forget_watermarks') -%}
        delete from {{ cdc_watermarks(relation) }} where run < {{ run }}
    {%- endcall -%}
{%- endmacro %}
