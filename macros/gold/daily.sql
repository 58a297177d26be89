{#
    Materialization `daily`: a gold table of one or more rows a day, where a run computes only the days that changed.

    config: follows         silver models whose changes count, e.g. ['orders_current']
            grain           columns of the key, the day first, e.g. ['date', 'priority']
            partitioning    Iceberg partition transforms, none by default
    macro <model>_touched(changes): a query for the days that changed rows belong to. changes.<silver model> has
            relation (the table as this run reads it), after (changed rows) and before (the same documents as they were
            when this table was computed last: an order that moves to another day touches both).

    Silver rows carry processing_time, which grows from merge to merge of their one writer; that and the Iceberg snapshot
    that was read are the watermark. Every read of a run is pinned to one snapshot of each silver table, so a merge that
    commits meanwhile belongs to the next run. When the last snapshot has expired, every day counts as changed.

    The write is one MERGE: only rows whose values differ, and rows that are gone (their last order moved or was deleted).
#}
{% materialization daily, adapter='trino', supported_languages=['sql'] -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_rebuild = existing is none or should_full_refresh() -%}

    {{ run_hooks(pre_hooks) }}

    {%- if is_rebuild -%}
        {%- do cdc_create_watermarks(target_relation) -%}
        {%- call statement('create') -%}
            {{ daily_create_table(target_relation) }}
        {%- endcall -%}
    {%- else -%}
        {%- do cdc_follow_schema(target_relation) -%}
    {%- endif -%}

    {%- set watermarks = cdc_read_watermarks(target_relation) -%}
    {%- set sources = daily_sources(config.require('follows'), watermarks.positions) -%}
    {%- set written = namespace(rows=0, days='no') -%}

    {%- if sources.values() | rejectattr('is_same') | list -%}
        {%- set is_everything = sources.values() | rejectattr('is_known') | list | length > 0 -%}
        {%- set pinned = namespace(sql=sql) -%}
        {%- for source in sources.values() -%}
            {%- set pinned.sql = pinned.sql | replace(source.table, source.relation) -%}
        {%- endfor -%}
        {%- set days = [] -%}
        {%- if not is_everything -%}
            {%- for row in run_query(context[model.name ~ '_touched'](sources)).rows if row[0] is not none -%}
                {%- do days.append(row[0] | string) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- if is_everything or days -%}
            {%- set written.rows = daily_apply(target_relation, pinned.sql, days) -%}
            {%- set written.days = 'all' if is_everything else days | length -%}
        {%- endif -%}
        {%- set positions = [] -%}
        {%- for source in sources.values() -%}
            {%- do positions.append({'source': source.table, 'partition': 0, 'position': source.processed}) -%}
            {%- do positions.append({'source': source.table, 'partition': 1, 'position': source.snapshot}) -%}
        {%- endfor -%}
        {%- do cdc_write_watermarks(target_relation, watermarks.run + 1, positions) -%}
    {%- endif -%}

    {%- call noop_statement('main', 'DAILY (' ~ written.days ~ ' days, ' ~ written.rows ~ ' rows)', 'DAILY', written.rows) -%}
        -- {{ written.days }} days computed, {{ written.rows }} rows written
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}


{#
    The followed tables by model name: table, snapshot and processed (microseconds) as of now, is_same (nothing was
    committed since the last run), is_known (the last run's snapshot can still be read), and the queries for <model>_touched.
#}
{% macro daily_sources(names, positions) -%}
    {%- set last = {} -%}
    {%- for at in positions -%}
        {%- do last.update({(at.source, at.partition): at.position}) -%}
    {%- endfor -%}
    {%- set sources = {} -%}
    {%- for name in names -%}
        {%- set table = ref(name) | string -%}
        {%- set metadata = ref(name).incorporate(path={'identifier': name ~ '$'}) | string -%}
        {#- The time before the snapshot: read the other way round, rows of a merge in between would be missed. -#}
        {%- set processed = run_query(
            "select coalesce(to_unixtime(max(data.processing_time.max)), 0) from " ~ metadata | replace('$"', '$partitions"')
        ).rows[0][0] -%}
        {%- set processed = (processed * 1000000) | round | int -%}
        {%- set snapshots = [] -%}
        {%- for row in run_query(
            "select snapshot_id from " ~ metadata | replace('$"', '$snapshots"') ~ " order by committed_at desc, snapshot_id"
        ).rows -%}
            {%- do snapshots.append(row[0] | int) -%}
        {%- endfor -%}
        {%- set snapshot = run_query(
            "select snapshot_id from " ~ metadata | replace('$"', '$refs"') ~ " where name = 'main'"
        ).rows[0][0] | int -%}
        {%- set last_snapshot = last.get((table, 1)) -%}
        {%- set relation = table ~ ' for version as of ' ~ snapshot -%}
        {%- set after -%}
            select * from {{ relation }}
            where processing_time > timestamp '{{ daily_moment(last.get((table, 0), 0)) }} UTC'
        {%- endset -%}
        {%- do sources.update({name: {
            'table': table, 'relation': relation, 'snapshot': snapshot, 'processed': processed,
            'is_same': last_snapshot == snapshot, 'is_known': last_snapshot in snapshots, 'after': after,
            'before': "select * from " ~ table ~ " for version as of " ~ last_snapshot
                ~ " where (document_day, document_id) in (select document_day, document_id from (" ~ after ~ "))",
        }}) -%}
    {%- endfor -%}
    {{ return(sources) }}
{%- endmacro %}


{# Microseconds since 1970 as the text of a timestamp literal. Trino's intervals end at the millisecond and would make 0 of them. #}
{% macro daily_moment(microseconds) -%}
    {{ (modules.datetime.datetime(1970, 1, 1) + modules.datetime.timedelta(microseconds=microseconds)).isoformat(' ', 'microseconds') }}
{%- endmacro %}


{# Compute the days (all when the list is empty), merge what differs; returns how many rows were written. #}
{% macro daily_apply(target_relation, full_sql, days) -%}
    {%- set names = model.columns.keys() | list -%}
    {%- set grain = config.require('grain') -%}
    {%- set stage = target_relation.incorporate(path={'identifier': target_relation.identifier ~ '__changes'}) -%}
    {%- set narrowed = namespace(sql=full_sql) -%}
    {%- set on_days = 'true' -%}
    {%- if days -%}
        {%- for marker in modules.re.findall('true /\* touched: (.+?) (in_days|since) \*/', full_sql) | unique -%}
            {%- set narrowed.sql = narrowed.sql | replace(
                touched(marker[0], marker[1]), touched_predicate(marker[0], marker[1], days)
            ) -%}
        {%- endfor -%}
        {%- set on_days = grain[0] ~ " in (date '" ~ days | sort | join("', date '") ~ "')" -%}
    {%- endif -%}
    {%- call statement('stage') -%}
        create or replace table {{ stage }} as
        with computed as (
            select * from ({{ narrowed.sql }}) where {{ on_days }}
        ),
        known as (
            select * from {{ target_relation }} where {{ on_days }}
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
            {%- for name in names if name not in grain and name != 'processing_time' %}
            or computed.{{ name }} is distinct from known.{{ name }}
            {%- endfor %}
    {%- endcall -%}
    {%- set rows = run_query("select count(*) from " ~ stage).rows[0][0] | int -%}
    {%- if rows > 0 -%}
        {%- call statement('merge') -%}
            merge into {{ target_relation }} as known
            using {{ stage }} as change
                on {% for name in grain %}known.{{ name }} = change.{{ name }} and {% endfor %}{{ on_days | replace(grain[0] ~ ' in', 'known.' ~ grain[0] ~ ' in') }}
            when matched and change.is_gone then delete
            when matched then update set
                {%- for name in names if name not in grain %}
                {{ name }} = change.{{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            when not matched then insert ({{ names | join(', ') }})
                values ({% for name in names %}change.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
        {%- endcall -%}
    {%- endif -%}
    {%- do adapter.drop_relation(stage) -%}
    {{ return(rows) }}
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
