{#
    Materialization `daily`: a table of one or more rows a day, where a run computes only the days that changed.

    config: follows         models whose changes count, e.g. ['orders_current']: current_state, first_seen or daily ones
            grain           columns of the key, the day first, e.g. ['date', 'priority']
            follows_clock   true when rows also change because time passes (a shipment becomes due): as_of() in the model
            partitioning    Iceberg partition transforms, none by default
            bookkeeping     columns that say how a row was computed: they alone are no reason to write it
    macro <model>_touched(changes): a query for the days that changed rows belong to. changes.<followed model>, see
            macros/gold/follow.sql; changes.clock has since and until, the moments of the last run and of this one.

    The write is one MERGE: only rows whose values differ, and rows that are gone (their last order moved or was deleted).
    `--full-refresh` computes every day, and writes in the same way. One writer for each table.
#}
{% materialization daily, adapter='trino', supported_languages=['sql'] -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_again = existing is not none and should_full_refresh() and cdc_adapt_schema(target_relation, config.require('grain')) -%}

    {{ run_hooks(pre_hooks) }}

    {%- if not is_again and (existing is none or should_full_refresh()) -%}
        {%- do cdc_create_watermarks(target_relation) -%}
        {%- call statement('create') -%}
            {{ daily_create_table(target_relation) }}
        {%- endcall -%}
    {%- elif not is_again -%}
        {%- do cdc_follow_schema(target_relation) -%}
    {%- endif -%}
    {%- if daily_is_followed() -%}
        {%- do run_query(daily_create_removed(target_relation)) -%}
    {%- endif -%}

    {%- set watermarks = cdc_read_watermarks(target_relation) -%}
    {%- set last = {} -%}
    {%- for at in watermarks.positions if not is_again -%}
        {%- do last.update({(at.source, at.partition): at.position}) -%}
    {%- endfor -%}
    {%- set changes = {} -%}
    {%- if config.get('follows_clock') -%}
        {#- Read before anything else: what becomes due meanwhile belongs to the next run. -#}
        {%- do changes.update({'clock': daily_clock(last)}) -%}
    {%- endif -%}
    {%- for name in config.require('follows') -%}
        {%- do changes.update({name: daily_changes(name, last)}) -%}
    {%- endfor -%}
    {%- set written = namespace(rows=0, days='no') -%}

    {%- if changes.values() | rejectattr('is_same') | list -%}
        {%- set is_everything = changes.values() | rejectattr('is_known') | list | length > 0 -%}
        {%- set days = [] -%}
        {%- if not is_everything -%}
            {%- do days.extend(cdc_days(
                "select * from (" ~ context[model.name ~ '_touched'](changes) ~ ") as touched (day)"
                ~ " where day between date '0001-01-01' and date '9999-12-31'", 'day'
            )) -%}
        {%- endif -%}
        {%- if is_everything or days -%}
            {%- do cdc_drop_leftovers(target_relation) -%}
            {%- set written.rows = daily_apply(target_relation, daily_pinned(sql, changes), days) -%}
            {%- set written.days = 'all' if is_everything else days | length -%}
        {%- endif -%}
        {#- A clock alone is worth a commit only when it changed something. -#}
        {%- if is_everything or days or changes.values() | selectattr('relation') | rejectattr('is_same') | list -%}
            {%- set positions = [] -%}
            {%- for change in changes.values() -%}
                {%- do positions.extend(change.positions) -%}
            {%- endfor -%}
            {%- do cdc_write_watermarks(target_relation, watermarks.run + 1, positions) -%}
        {%- endif -%}
    {%- endif -%}

    {%- call noop_statement('main', 'DAILY (' ~ written.days ~ ' days, ' ~ written.rows ~ ' rows)', 'DAILY', written.rows) -%}
        -- {{ written.days }} days computed, {{ written.rows }} rows written
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}


{# The model's text with every followed table read at the snapshot of this run. #}
{% macro daily_pinned(full_sql, changes) -%}
    {%- set pinned = namespace(sql=full_sql) -%}
    {%- for change in changes.values() if change.relation -%}
        {%- set pinned.sql = pinned.sql | replace(change.table, change.relation) -%}
    {%- endfor -%}
    {{ return(pinned.sql) }}
{%- endmacro %}


{# Compute the days (all when the list is empty), merge what differs; returns how many rows were written. #}
{% macro daily_apply(target_relation, full_sql, days) -%}
    {%- set grain = config.require('grain') -%}
    {%- set stage = cdc_stage(target_relation, 'changes') -%}
    {%- do cdc_stage_difference(target_relation, stage, touched_narrowed(full_sql, days) if days else full_sql, grain, days) -%}
    {%- set rows = {} -%}
    {%- for row in run_query("select " ~ grain[0] ~ ", count(*), count_if(is_gone) from " ~ stage ~ " group by 1").rows -%}
        {%- do rows.update({row[0] | string: {'all': row[1] | int, 'gone': row[2] | int}}) -%}
    {%- endfor -%}
    {%- if daily_is_followed() and rows.values() | map(attribute='gone') | sum > 0 -%}
        {#- Before the MERGE: a crash between the two must not leave a removal that no follower ever sees. -#}
        {%- call statement('removed') -%}
            insert into {{ daily_removed(target_relation) }} ({{ grain | join(', ') }}, processing_time)
            select {{ grain | join(', ') }}, current_timestamp from {{ stage }} where is_gone
        {%- endcall -%}
    {%- endif -%}
    {#- Without partitions one statement does. -#}
    {%- set most = cdc_open_partitions(target_relation) if config.get('partitioning') and rows | length > 90 else [rows | length, 1] | max -%}
    {%- for part in rows.keys() | sort | batch(most) -%}
        {%- do cdc_merge(target_relation, stage, grain, grain[0], part, has_removals=true) -%}
    {%- endfor -%}
    {%- do adapter.drop_relation(stage) -%}
    {{ return(rows.values() | map(attribute='all') | sum) }}
{%- endmacro %}


{# An empty table by the contract: types, NOT NULL and comments from the yml. #}
{% macro daily_create_table(relation) -%}
    create or replace table {{ relation }}
    {{ get_table_columns_and_constraints() }}
    {{ get_assert_columns_equivalent(sql) }}
    {{ comment(model.description) }}
    {%- if config.get('partitioning') %}
    with (partitioning = array['{{ config.get('partitioning') | join("', '") }}'])
    {%- endif %}
{%- endmacro %}
