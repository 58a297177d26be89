{#
    What a rebuild writes into a table that exists: the difference to its rows as they are now, in one commit. Readers see the
    old rows or the new ones, never an empty table; rows that did not change keep their processing_time, so that
    followers compute only what did; and the table keeps its NOT NULLs, comments and history, which a
    `create or replace table as` loses.

    A commit takes at most var cdc_swap_rows rows, for the memory of its join, and as many partitions as Trino lets a writer
    open (iceberg.max-partitions-per-writer). A larger difference goes in parts by day, oldest first, and the log says
    so: each part is one commit, and a row is always the old or the new one.
#}


{#
    A table of the rows of some days that differ, with is_gone for those to remove. A query of what they have to be; grain:
    the key, the day first; days none for all.
#}
{% macro cdc_stage_difference(relation, stage, query, grain, days=none, is_more=false) -%}
    {%- set names = model.columns.keys() | list -%}
    {%- set on_days = cdc_day_predicate(grain[0], days) if days else 'true' -%}
    {%- call statement('stage') -%}
        {{ 'insert into ' ~ stage if is_more else 'create or replace table ' ~ stage ~ ' as' }}
        with computed as (
            select * from ({{ query }}) where {{ on_days }}
        ),
        known as (
            select * from {{ relation }} where {{ on_days }}
        )
        select
            {%- for name in names %}
            {%- if name in grain %}
            coalesce(computed.{{ name }}, known.{{ name }}) as {{ name }},
            {%- else %}
            computed.{{ name }},
            {%- endif %}
            {%- endfor %}
            computed.{{ grain[0] }} is null as is_gone
        from computed
        full outer join known
            on {% for name in grain %}computed.{{ name }} = known.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
        where
            computed.{{ grain[0] }} is null or known.{{ grain[0] }} is null
            {%- for name in names if name not in grain + config.get('bookkeeping', []) + ['processing_time'] %}
            or computed.{{ name }} is distinct from known.{{ name }}
            {%- endfor %}
    {%- endcall -%}
{%- endmacro %}


{# Make a table equal to the one that was built beside it; returns how many rows differed. #}
{% macro cdc_swap(relation, built) -%}
    {%- set grain = ([cdc_partition()] + cdc_key()) | unique | list -%}
    {%- set stage = cdc_stage(relation, 'changes') -%}
    {%- set rows = cdc_rows_by_day(built, grain[0]) -%}
    {%- for day, count in cdc_rows_by_day(relation, grain[0]).items() -%}
        {%- do rows.update({day: rows.get(day, 0) + count}) -%}
    {%- endfor -%}
    {%- for days in cdc_day_groups(rows, 400, var('cdc_swap_rows') | int) -%}
        {%- do cdc_stage_difference(relation, stage, 'select * from ' ~ built, grain, days, is_more=not loop.first) -%}
    {%- endfor -%}
    {%- if not rows -%}
        {{ return(0) }}
    {%- endif -%}
    {%- set changed = cdc_rows_by_day(stage, grain[0]) -%}
    {%- if run_query("select count(*) from " ~ stage ~ " where is_gone").rows[0][0] | int > 0 -%}
        {#- Before the merge: a crash between the two must not leave a removal that no follower ever sees. -#}
        {%- do cdc_forget_at_followers(relation) -%}
    {%- endif -%}
    {%- set parts = cdc_day_groups(changed, cdc_open_partitions(relation), var('cdc_swap_rows') | int) -%}
    {%- if parts | length > 1 -%}
        {%- do log(relation.identifier ~ ": " ~ changed.values() | sum ~ " rows differ, they are swapped in by " ~ parts | length ~ " commits.", info=true) -%}
    {%- endif -%}
    {%- for part in parts -%}
        {%- do cdc_merge(relation, stage, grain, grain[0], part, has_removals=true) -%}
    {%- endfor -%}
    {%- do adapter.drop_relation(stage) -%}
    {{ return(changed.values() | sum) }}
{%- endmacro %}


{#
    End a rebuild: swap in what was built beside the table, then its watermarks. A crash between the two leaves watermarks
    that are too low: the next run reads records again, and a copy of an applied record changes nothing.
#}
{% macro cdc_finish_rebuild(relation, built) -%}
    {%- if not cdc_adapt_schema(relation, [cdc_partition()] + cdc_key()) -%}
        {%- call statement('create') -%}
            {{ cdc_create_table(relation) }}
        {%- endcall -%}
    {%- endif -%}
    {%- set run = cdc_read_watermarks(relation).run -%}
    {%- set positions = cdc_read_watermarks(built).positions -%}
    {%- set rows = cdc_swap(relation, built) -%}
    {%- if positions -%}
        {%- do cdc_write_watermarks(relation, run + 1, positions) -%}
    {%- else -%}
        {%- do cdc_create_watermarks(relation) -%}
    {%- endif -%}
    {%- do adapter.drop_relation(cdc_watermarks(built)) -%}
    {%- do adapter.drop_relation(built) -%}
    {{ return(rows) }}
{%- endmacro %}


{# How many rows a table has on each day, in order: {'2026-03-01': 5}. #}
{% macro cdc_rows_by_day(relation, day) -%}
    {%- set rows = {} -%}
    {%- for row in run_query("select " ~ day ~ ", count(*) from " ~ relation ~ " group by 1 order by 1").rows -%}
        {%- do rows.update({row[0] | string: row[1] | int}) -%}
    {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}


{# Days in groups of at most so many days and, unless one day alone has more, so many rows. #}
{% macro cdc_day_groups(rows, most_days, most_rows) -%}
    {%- set groups = [] -%}
    {%- set last = namespace(rows=0) -%}
    {%- for day, count in rows | dictsort -%}
        {%- if not groups or groups[-1] | length >= most_days or last.rows + count > most_rows -%}
            {%- do groups.append([]) -%}
            {%- set last.rows = 0 -%}
        {%- endif -%}
        {%- do groups[-1].append(day) -%}
        {%- set last.rows = last.rows + count -%}
    {%- endfor -%}
    {{ return(groups) }}
{%- endmacro %}


{# How many partitions one statement may write into: the catalog's own limit, less some for those of its other columns. #}
{% macro cdc_open_partitions(relation) -%}
    {%- set name = relation.database ~ '.max_partitions_per_writer' -%}
    {%- set limit = run_query("show session like '" ~ name ~ "'").rows[0][1] | int -%}
    {{ return([limit * 9 // 10, 1] | max) }}
{%- endmacro %}


{# Have the daily models that follow a table take its next state for a change of everything: a row that is gone shows nowhere in it. #}
{% macro cdc_forget_at_followers(relation) -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and model.name in (node.config.get('follows') or []) -%}
        {%- set watermarks = cdc_watermarks(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)) -%}
        {%- if run_query("show tables from " ~ watermarks.without_identifier() ~ " like '" ~ watermarks.identifier ~ "'").rows -%}
            {%- do run_query("delete from " ~ watermarks ~ " where source = '" ~ (relation | string | replace("'", "''")) ~ "'") -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
