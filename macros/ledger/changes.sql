{# The snapshot of each source up to which the table counts: {'orders_raw': id}. #}
{% macro ledger_counted(relation) -%}
    {%- set counted = {} -%}
    {%- for row in run_query(
        "select distinct source, snapshot from " ~ relation ~ " cross join unnest(positions) as counted (source, snapshot)"
        ~ " where processing_time = (select max(processing_time) from " ~ relation ~ ")"
    ).rows -%}
        {%- do counted.update({row[0]: row[1] | int}) -%}
    {%- endfor -%}
    {{ return(counted) }}
{%- endmacro %}


{# The present snapshot of each source that has one. #}
{% macro ledger_snapshots() -%}
    {%- set parts = [] -%}
    {%- for name in ledger_sources() -%}
        {%- do parts.append(
            "select '" ~ name ~ "', snapshot_id from " ~ ledger_metadata(name, 'refs') ~ " where name = 'main'"
        ) -%}
    {%- endfor -%}
    {%- set snapshots = {} -%}
    {%- for row in run_query(parts | join(' union all ')).rows -%}
        {%- do snapshots.update({row[0]: row[1] | int}) -%}
    {%- endfor -%}
    {{ return(snapshots) }}
{%- endmacro %}


{# The model's text over what was committed since; none when that cannot be told from Iceberg's log. #}
{% macro ledger_changed(full_sql, last, now) -%}
    {%- set changed = namespace(sql=full_sql) -%}
    {%- for name in ledger_sources() if changed.sql -%}
        {%- set table = source('bronze', name) | string -%}
        {%- set ranges = [] if last.get(name) == now.get(name) else ledger_ranges(name, last.get(name), now[name]) -%}
        {%- if ranges is none -%}
            {%- set changed.sql = none -%}
        {%- else -%}
            {%- set changed.sql = changed.sql | replace('from ' ~ table, 'from (' ~ ledger_slice(name, ranges) ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(changed.sql and ledger_stamped(changed.sql, now)) }}
{%- endmacro %}


{# The model's text over all that bronze has, beside the rows of days that it no longer has. #}
{% macro ledger_recounted(full_sql, now) -%}
    {%- set recounted = namespace(sql=full_sql) -%}
    {%- set first_days = [] -%}
    {%- for name, kept in ledger_sources().items() if kept != 'erased' -%}
        {%- do first_days.append('select min(partition.ingested_at_day) as day from ' ~ ledger_metadata(name, 'partitions')) -%}
    {%- endfor -%}
    {%- set first_day = run_query('select min(day) from (' ~ first_days | join(' union all ') ~ ')').rows[0][0] or '9999-12-31' -%}
    {%- for name in now -%}
        {%- set table = source('bronze', name) | string -%}
        {%- set recounted.sql = recounted.sql | replace(
            'from ' ~ table,
            "from (select * from " ~ table ~ " for version as of " ~ now[name]
            ~ " where ingested_at >= timestamp '" ~ first_day ~ " 00:00:00 UTC')"
        ) -%}
    {%- endfor -%}
    {%- set recounted.sql = recounted.sql | replace(ledger_known() | trim, "ingested_day < date '" ~ first_day ~ "'") -%}
    {{ return(ledger_stamped(recounted.sql, now)) }}
{%- endmacro %}


{# The text with the snapshots up to which it counts. #}
{% macro ledger_stamped(text, now) -%}
    {{ return(text | replace(
        ledger_positions() | trim,
        "map(array['" ~ now.keys() | join("', '") ~ "'], array[" ~ now.values() | join(', ') ~ "])"
    )) }}
{%- endmacro %}


{#
    The commits of a source between two snapshots as ranges [start, end] of snapshots that only added records; none when the
    first is no longer there, or when rows were deleted out of files: their records would have to be counted again, and Trino's
    table_changes refuses ("not yet supported") as long as a snapshot holds such deletes; the next compaction ends that.
#}
{% macro ledger_ranges(name, last, now) -%}
    {%- set snapshots = ledger_metadata(name, 'snapshots') -%}
    {%- set parents = {} -%}
    {%- for row in run_query(
        "select snapshot_id, parent_id, operation, cast(coalesce(element_at(summary, 'added-delete-files'), '0') as bigint),"
        ~ " cast(coalesce(element_at(summary, 'total-delete-files'), '0') as bigint) from " ~ snapshots
        ~ " where committed_at >= (select committed_at from " ~ snapshots ~ " where snapshot_id = " ~ (last or 0) ~ ")"
    ).rows -%}
        {%- do parents.update({row[0] | int: {
            'parent': row[1] | int if row[1] is not none, 'is_append': row[2] == 'append', 'has_deletes': row[3] | int > 0 or (row[2] == 'append' and row[4] | int > 0)
        }}) -%}
    {%- endfor -%}
    {%- set at = namespace(snapshot=now, is_known=true, end=none) -%}
    {%- set ranges = [] -%}
    {%- for _ in range(parents | length) if at.is_known and at.snapshot != last -%}
        {%- set commit = parents.get(at.snapshot) -%}
        {%- if commit is none or commit.has_deletes or commit.parent is none -%}
            {%- set at.is_known = false -%}
        {%- else -%}
            {%- if commit.is_append and ranges and ranges[-1].start == at.snapshot -%}
                {%- do ranges[-1].update({'start': commit.parent}) -%}
            {%- elif commit.is_append -%}
                {%- do ranges.append({'start': commit.parent, 'end': at.snapshot}) -%}
            {%- endif -%}
            {%- set at.snapshot = commit.parent -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(ranges if at.is_known and at.snapshot == last else none) }}
{%- endmacro %}


{# The records that a source got in some ranges of its commits. #}
{% macro ledger_slice(name, ranges) -%}
    {%- set table = source('bronze', name) -%}
    {%- for range in ranges %}
    select kafka_topic, kafka_partition, kafka_offset, ingested_at
    from table({{ table.database }}.system.table_changes(
        schema_name => '{{ table.schema }}', table_name => '{{ table.identifier }}',
        start_snapshot_id => {{ range.start }}, end_snapshot_id => {{ range.end }}
    ))
    {{ 'union all' if not loop.last }}
    {%- else %}
    select kafka_topic, kafka_partition, kafka_offset, ingested_at from {{ table }} where false
    {%- endfor -%}
{%- endmacro %}


{# An Iceberg metadata table of a source: refs, snapshots, partitions. #}
{% macro ledger_metadata(name, kind) -%}
    {{ source('bronze', name).incorporate(path={'identifier': name ~ '$' ~ kind}) }}
{%- endmacro %}
