{#
    Materialization `ledger`: the account of bronze's records, day by day, from what each table committed since the last run.

    A run: ask for the snapshot of every source; read what was committed behind the one that was counted last, by Iceberg's own
    log of changes (so a late or repeated commit cannot hide behind a higher offset); put it together with the rows that the
    table has, and merge what differs. The rows carry the snapshots up to which they count: counts and positions are one
    commit, so that a crash counts nothing twice. Compaction and expiry of old days commit no new records.

    When the last snapshot has expired, or rows were deleted out of the middle of a day (an erasure), the days that bronze still
    has are counted afresh, and the older ones stay as they are.
#}
{% materialization ledger, adapter='trino', supported_languages=['sql'] -%}
    {%- set target_relation = this.incorporate(type='table') -%}

    {{ run_hooks(pre_hooks) }}

    {%- if load_cached_relation(this) is none -%}
        {%- call statement('create') -%}
            create table {{ target_relation }}
            {{ get_table_columns_and_constraints() }}
            {{ comment(model.description) }}
        {%- endcall -%}
        {#- After the table is there: the text reads it. -#}
        {%- do get_assert_columns_equivalent(sql) -%}
    {%- else -%}
        {%- do cdc_follow_schema(target_relation) -%}
    {%- endif -%}

    {%- set last = ledger_counted(target_relation) -%}
    {%- set now = ledger_snapshots() -%}
    {%- set written = namespace(rows=0, how='nothing new') -%}
    {%- if now != last -%}
        {%- do cdc_drop_leftovers(target_relation) -%}
        {%- set changed_sql = ledger_changed(sql, last, now) -%}
        {%- set written.how = 'changes' if changed_sql else 'all of bronze' -%}
        {%- set written.rows = daily_apply(target_relation, changed_sql or ledger_recounted(sql, now), []) -%}
    {%- endif -%}

    {%- call noop_statement('main', 'LEDGER (' ~ written.how ~ ', ' ~ written.rows ~ ' rows)', 'LEDGER', written.rows) -%}
        -- {{ written.how }} counted, {{ written.rows }} rows written
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
