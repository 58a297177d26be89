{#
    What a daily model sees of a table that it follows.

    Rows carry processing_time, which grows from merge to merge of their one writer; that and the Iceberg snapshot that was
    read are the watermark. Every read of a run is pinned to one snapshot of each table, so a merge that commits meanwhile
    belongs to the next run. When the last snapshot has expired, or the table was rebuilt since, every day counts as changed.

    daily_changes(name, last): {
        table, relation     the table, and the same as this run reads it
        is_same             nothing was committed since the last run (after and before are empty)
        is_known            what the last run read can still be read
        days                the days in the table's partition column that changed rows lie in
        after, before       queries: the changed rows, and the rows of the same keys when this table was computed last
        positions           the watermark of this run
    }; last: the watermarks of the last run by (source, partition).
#}
{% macro daily_changes(name, last) -%}
    {%- set table = ref(name) | string -%}
    {%- set last_time = last.get((table, 0), 0) -%}
    {%- set last_snapshot = last.get((table, 1)) -%}
    {%- set snapshot = run_query(
        "select snapshot_id from " ~ daily_metadata(name, 'refs') ~ " where name = 'main'"
    ).rows[0][0] | int -%}
    {%- if snapshot == last_snapshot -%}
        {%- set relation = table ~ ' for version as of ' ~ snapshot -%}
        {%- set nothing = 'select * from ' ~ relation ~ ' where false' -%}
        {{ return({
            'table': table, 'relation': relation, 'is_same': true, 'is_known': true, 'days': [],
            'after': nothing, 'before': nothing, 'positions': daily_positions(table, last_time, snapshot),
        }) }}
    {%- endif -%}

    {#- The time before the snapshot: read the other way round, rows of a merge in between would be missed. -#}
    {%- set time = run_query(
        "select coalesce(to_unixtime(max(data.processing_time.max)), 0) from " ~ daily_metadata(name, 'partitions')
    ).rows[0][0] -%}
    {%- set history = run_query(
        "select history.snapshot_id, history.snapshot_id = refs.snapshot_id from " ~ daily_metadata(name, 'history') ~ " as history"
        ~ " cross join " ~ daily_metadata(name, 'refs') ~ " as refs where refs.name = 'main' and history.is_current_ancestor"
    ).rows -%}
    {%- set ancestors = history | map('first') | map('int') | list -%}
    {%- set snapshot = history | selectattr(1) | map('first') | map('int') | first -%}
    {%- set relation = table ~ ' for version as of ' ~ snapshot -%}
    {%- set changes = {
        'table': table, 'relation': relation, 'is_same': false, 'is_known': last_snapshot in ancestors,
        'positions': daily_positions(table, (time * 1000000) | round | int, snapshot),
    } -%}
    {%- if changes.is_known -%}
        {%- do changes.update(daily_changed_rows(name, relation, last_time, last_snapshot)) -%}
    {%- endif -%}
    {{ return(changes) }}
{%- endmacro %}


{# The changed rows of a followed table that differ in some columns: a document can change without changing what is read of it. #}
{% macro differing(change, columns) -%}
    {%- set columns = columns | join(', ') -%}
    select {{ columns }}
    from ((
        select {{ columns }} from ({{ change.after }})
        except
        select {{ columns }} from ({{ change.before }})
    ) union all (
        select {{ columns }} from ({{ change.before }})
        except
        select {{ columns }} from ({{ change.after }})
    ))
{%- endmacro %}


{# days, after and before of a followed table. Literal days let Trino leave out the files of all others. #}
{% macro daily_changed_rows(name, relation, last_time, last_snapshot) -%}
    {%- set followed = graph.nodes['model.' ~ project_name ~ '.' ~ name].config -%}
    {%- set is_daily = followed.materialized == 'daily' -%}
    {%- set key = followed.grain if is_daily else followed.get('key', ['document_id']) -%}
    {%- set day = followed.grain[0] if is_daily else followed.get('partition', 'document_day') -%}
    {%- set since = "processing_time > timestamp '" ~ daily_moment(last_time) ~ " UTC'" -%}
    {%- set keys -%}
        select {{ ([day] + key) | unique | join(', ') }} from {{ relation }} where {{ since }}
        {%- if is_daily %}
        union all
        select {{ key | join(', ') }} from {{ daily_removed(ref(name)) }} where {{ since }}
        {%- endif %}
    {%- endset -%}
    {%- set days = cdc_days(keys, day) -%}
    {%- set in_days = cdc_day_predicate(day, days) if days else 'false' -%}
    {{ return({
        'days': days,
        'after': 'select * from ' ~ relation ~ ' where ' ~ since ~ ' and ' ~ in_days,
        'before': 'select * from ' ~ ref(name) ~ ' for version as of ' ~ last_snapshot ~ ' where ' ~ in_days
            ~ ' and (' ~ key | join(', ') ~ ') in (select ' ~ key | join(', ') ~ ' from (' ~ keys ~ '))',
    }) }}
{%- endmacro %}


{# The moment of the last run and that of this one, as literals. A clock that was set back counts as a change of everything. #}
{% macro daily_clock(last) -%}
    {%- set until = (run_query("select to_unixtime(" ~ as_of() ~ ")").rows[0][0] * 1000000) | round | int -%}
    {%- set since = last.get(('clock', 0)) -%}
    {{ return({
        'relation': none, 'is_same': since == until, 'is_known': since is not none and since <= until,
        'since': "timestamp '" ~ daily_moment(since or 0) ~ " UTC'", 'until': "timestamp '" ~ daily_moment(until) ~ " UTC'",
        'positions': [{'source': 'clock', 'partition': 0, 'position': until}],
    }) }}
{%- endmacro %}


{# The "now" of a model, a timestamp with time zone. Var as_of freezes it for tests: '2026-03-01 12:00:00', in UTC. #}
{% macro as_of() -%}
    {{ "timestamp '" ~ var('as_of') ~ " UTC'" if var('as_of') else 'current_timestamp' }}
{%- endmacro %}


{# Rows that a daily table no longer has: its followers cannot see them in it. It stays from run to run. #}
{% macro daily_removed(relation) -%}
    {{ return(relation.incorporate(path={'identifier': relation.identifier ~ '__removed'}, type='table')) }}
{%- endmacro %}


{% macro daily_create_removed(relation) -%}
    create table if not exists {{ daily_removed(relation) }} (
        {%- for name in config.require('grain') %}
        {{ name }} {{ model.columns[name].data_type }} not null comment 'key of a row of {{ relation.identifier }} that was removed',
        {%- endfor %}
        processing_time timestamp(6) with time zone not null comment 'when, UTC'
    )
{%- endmacro %}


{# Whether another daily model follows this one. #}
{% macro daily_is_followed() -%}
    {%- set followers = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and model.name in (node.config.get('follows') or []) -%}
        {%- do followers.append(node.name) -%}
    {%- endfor -%}
    {{ return(followers | length > 0) }}
{%- endmacro %}


{% macro daily_positions(table, time, snapshot) -%}
    {{ return([
        {'source': table, 'partition': 0, 'position': time},
        {'source': table, 'partition': 1, 'position': snapshot},
    ]) }}
{%- endmacro %}


{# An Iceberg metadata table of a model: refs, history, partitions. #}
{% macro daily_metadata(name, kind) -%}
    {{ ref(name).incorporate(path={'identifier': name ~ '$' ~ kind}) }}
{%- endmacro %}


{# Microseconds since 1970 as the text of a timestamp literal. Trino's intervals end at the millisecond and would make 0 of them. #}
{% macro daily_moment(microseconds) -%}
    {{ (modules.datetime.datetime(1970, 1, 1) + modules.datetime.timedelta(microseconds=microseconds)).isoformat(' ', 'microseconds') }}
{%- endmacro %}
