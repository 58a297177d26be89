{#
    How far each model has read: iceberg.silver.cdc_watermarks, one row for each model, source and partition of the source.
    A run writes its rows with the next number and removes the older ones. Both are one commit each, the second drops whole
    files; a crash between them leaves both, and the highest number counts.
#}

{% macro cdc_watermarks() -%}
    {{ return(api.Relation.create(database=target.database, schema=generate_schema_name('silver', none) | trim, identifier='cdc_watermarks', type='table')) }}
{%- endmacro %}


{% macro cdc_create_watermarks() -%}
    {%- if execute and flags.WHICH in ('run', 'build') and load_relation(cdc_watermarks()) is none -%}
        {%- do run_query("create schema if not exists " ~ cdc_watermarks().without_identifier()) -%}
        {%- call statement('create_watermarks') -%}
            create table if not exists {{ cdc_watermarks() }} (
                model varchar not null comment 'model that has read',
                source varchar not null comment 'Kafka topic, or table, that it has read from',
                source_partition integer not null comment 'partition of the topic; 0 for a table',
                next_position bigint not null comment 'first position not yet read: a Kafka offset, or microseconds of processing_time',
                run bigint not null comment 'number of the run that wrote it; the highest counts',
                recorded_at timestamp(6) with time zone not null comment 'when it was written'
            )
            comment 'How far each model has read its source. Delete a model''s rows to make it read everything again.'
            with (partitioning = array['model', 'run'])
        {%- endcall -%}
    {%- endif -%}
{%- endmacro %}


{# The model's rows as {'run': n, 'positions': [{'source', 'partition', 'position'}]}; run 0 and no positions at first. #}
{% macro cdc_read_watermarks(model_name) -%}
    {%- set rows = run_query(
        "select run, source, source_partition, next_position from " ~ cdc_watermarks() ~ " where model = '" ~ model_name ~ "'"
    ).rows -%}
    {%- set last = namespace(run=0) -%}
    {%- for row in rows -%}
        {%- set last.run = [last.run, row[0] | int] | max -%}
    {%- endfor -%}
    {%- set positions = [] -%}
    {%- for row in rows if row[0] | int == last.run -%}
        {%- do positions.append({'source': row[1], 'partition': row[2] | int, 'position': row[3] | int}) -%}
    {%- endfor -%}
    {{ return({'run': last.run, 'positions': positions}) }}
{%- endmacro %}


{% macro cdc_write_watermarks(model_name, run, positions) -%}
    {%- call statement('write_watermarks') -%}
        insert into {{ cdc_watermarks() }} (model, source, source_partition, next_position, run, recorded_at)
        values
        {%- for at in positions %}
            ('{{ model_name }}', '{{ at.source }}', {{ at.partition }}, {{ at.position }}, {{ run }}, current_timestamp){{ ',' if not loop.last }}
        {%- endfor %}
    {%- endcall -%}
    {%- call statement('forget_watermarks') -%}
        delete from {{ cdc_watermarks() }} where model = '{{ model_name }}' and run < {{ run }}
    {%- endcall -%}
{%- endmacro %}


{% macro cdc_reset_watermarks(model_name) -%}
    {%- call statement('reset_watermarks') -%}
        delete from {{ cdc_watermarks() }} where model = '{{ model_name }}'
    {%- endcall -%}
{%- endmacro %}
