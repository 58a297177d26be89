{#
    Materializations that follow a bronze table by the offsets of its records, `current_state` for a model that is written
    with cdc_current_state() and `first_seen` for one whose rows never change once they are seen (macros/cdc/first_seen.sql).

    A run: read the watermarks; ask bronze once what lies behind them; then, window by window: a table of the rows that
    change (the model's query over the window, compared with the known rows of the touched days), one MERGE, the new
    watermarks. A crash anywhere repeats a window; repeating writes nothing, because a copy of an applied record never
    beats it. Nothing new: one read of the watermarks and one of bronze's metadata, no write.

    config: key             columns of the key, ['document_id'] by default
            partition       the day column that the table is partitioned by, 'document_day' by default; never changes for a key
            window_records  bronze records of one window, where they are larger than usual; var cdc_window_records otherwise
            on_schema_change: fail (default) or append_new_columns
    A table that is gone starts empty, from the first record of bronze. `--full-refresh` builds such a table beside the one
    that exists and swaps in what differs (macros/cdc/swap.sql); killed before that, it leaves the table as it was.
    One writer for each table.
#}
{% materialization current_state, adapter='trino', supported_languages=['sql'] -%}
    {{ return(cdc_follow_bronze('CURRENT STATE', cdc_newer_rows)) }}
{%- endmaterialization %}


{# The same run for tables whose rows never change: entries and events. #}
{% materialization first_seen, adapter='trino', supported_languages=['sql'] -%}
    {{ return(cdc_follow_bronze('FIRST SEEN', cdc_unseen_rows)) }}
{%- endmaterialization %}


{# The body of both. `compare`: the macro that writes the query for the rows of a window that change the table. #}
{% macro cdc_follow_bronze(title, compare) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_beside = existing is not none and should_full_refresh() -%}
    {%- set written_relation = cdc_stage(target_relation, 'rebuild') if is_beside else target_relation -%}
    {%- set bronze = source(*model.sources[0]) -%}
    {%- set limit = [var('cdc_window_records') | int, config.get('window_records', 1000000000)] | min -%}
    {#- In most tables the day follows from the key of the record, so it is known before the document is decoded. -#}
    {%- set day_of_record = cdc_document_day('document_id') if cdc_partition() == 'document_day' -%}

    {{ run_hooks(pre_hooks) }}

    {%- if is_beside -%}
        {%- do cdc_drop_leftovers(target_relation) -%}
    {%- endif -%}
    {%- if existing is none or is_beside -%}
        {%- do cdc_create_watermarks(written_relation) -%}
        {%- call statement('create', auto_begin=False) -%}
            {{ cdc_create_table(written_relation) }}
        {%- endcall -%}
    {%- else -%}
        {%- do cdc_follow_schema(target_relation) -%}
    {%- endif -%}

    {%- set watermarks = cdc_read_watermarks(written_relation) -%}
    {%- set reached = {} -%}
    {%- for at in watermarks.positions -%}
        {%- do reached.update({(at.source, at.partition): at.position}) -%}
    {%- endfor -%}
    {%- set news = cdc_news(bronze, watermarks.positions, day_of_record) -%}
    {%- set total = news | map(attribute='records') | sum -%}
    {%- set windows = cdc_windows(news, (total + limit - 1) // limit) -%}
    {%- set written = namespace(rows=0) -%}

    {%- if windows and not is_beside -%}
        {%- do cdc_drop_leftovers(target_relation) -%}
    {%- endif -%}
    {%- for ranges in windows -%}
        {%- set slice = cdc_slice(bronze, ranges) -%}
        {%- set changes_sql = sql | replace('from ' ~ bronze, 'from (' ~ slice ~ ')') -%}
        {%- set days = [] -%}
        {%- if day_of_record and windows | length == 1 -%}
            {%- for part in news -%}{%- do days.extend(part.days) -%}{%- endfor -%}
        {%- elif day_of_record -%}
            {%- do days.extend(cdc_days("select " ~ day_of_record ~ " as day from (" ~ slice ~ ")", 'day')) -%}
        {%- else -%}
            {%- set window = cdc_stage(written_relation, 'window') -%}
            {%- call statement('window') -%}
                create or replace table {{ window }} as {{ changes_sql }}
            {%- endcall -%}
            {%- set changes_sql = 'select * from ' ~ window -%}
            {%- do days.extend(cdc_days(changes_sql, cdc_partition())) -%}
        {%- endif -%}
        {%- if days -%}
            {%- set written.rows = written.rows + cdc_apply(written_relation, compare(written_relation, changes_sql, days | unique | list), days | unique | list) -%}
        {%- endif -%}
        {%- if not day_of_record -%}
            {%- do adapter.drop_relation(cdc_stage(written_relation, 'window')) -%}
        {%- endif -%}
        {%- for range in ranges -%}
            {%- do reached.update({(range.source, range.partition): range.high}) -%}
        {%- endfor -%}
        {%- set positions = [] -%}
        {%- for at, position in reached.items() -%}
            {%- do positions.append({'source': at[0], 'partition': at[1], 'position': position}) -%}
        {%- endfor -%}
        {%- do cdc_write_watermarks(written_relation, watermarks.run + loop.index, positions) -%}
    {%- endfor -%}
    {%- if is_beside -%}
        {%- set written.rows = cdc_finish_rebuild(target_relation, written_relation) -%}
    {%- endif -%}

    {%- call noop_statement('main', title ~ ' (' ~ total ~ ' records, ' ~ written.rows ~ ' rows)', title, written.rows) -%}
        -- {{ total }} records in {{ windows | length }} windows, {{ written.rows }} rows written
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmacro %}


{# The columns that name a row of the model at hand. #}
{% macro cdc_key() -%}
    {{ return(config.get('key', ['document_id'])) }}
{%- endmacro %}


{# Its partition: a day that never changes for a row. #}
{% macro cdc_partition() -%}
    {{ return(config.get('partition', 'document_day')) }}
{%- endmacro %}


{#
    A table beside the model's own, for the time of a run. Its name is the run's: Trino finishes a statement whose client was
    killed, and would replace the table of the run that follows between its making and its merge.
#}
{% macro cdc_stage(relation, name) -%}
    {{ return(relation.incorporate(path={'identifier': relation.identifier ~ '__' ~ name ~ '_' ~ invocation_id[:8]}, type='table')) }}
{%- endmacro %}


{# Remove what killed runs have left beside a model's table; before a run that is going to leave something itself. #}
{% macro cdc_drop_leftovers(relation) -%}
    {%- set mark = relation.identifier ~ '__' -%}
    {%- for row in run_query("show tables from " ~ relation.without_identifier() ~ " like '" ~ mark ~ "%'").rows -%}
        {%- if modules.re.fullmatch('(changes|window|rebuild)_[0-9a-f]{8}(__.+)?', row[0][mark | length:]) -%}
            {%- do adapter.drop_relation(relation.incorporate(path={'identifier': row[0]}, type='table')) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}


{# The distinct days of a query as texts. #}
{% macro cdc_days(query, column) -%}
    {%- set days = [] -%}
    {%- for row in run_query("select distinct " ~ column ~ " from (" ~ query ~ ")").rows -%}
        {%- do days.append(row[0] | string) -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}


{# The join of a window's rows, `change`, with the table's rows of the same key, `known`. #}
{% macro cdc_known_rows(relation, days) -%}
    left join {{ relation }} as known
        on
            {%- for name in cdc_key() %}
            change.{{ name }} = known.{{ name }} and
            {%- endfor %}
            {{ cdc_day_predicate('known.' ~ cdc_partition(), days) }}
{%- endmacro %}


{# Rows of a window that are newer than the known ones, in all their columns or in some. #}
{% macro cdc_newer_rows(relation, changes_sql, days) -%}
    {%- set fixed = cdc_key() + [cdc_partition(), 'processing_time'] -%}
    {%- set has_history = 'status_history' in model.columns -%}
    {%- set has_opening = 'opening_source' in model.columns -%}
    with change as (
        {{ changes_sql }}
    ),
    compared as (
        select
            {%- for name in model.columns %}
            change.{{ name }}, known.{{ name }} as known_{{ name }},
            {%- endfor %}
            -- case, not or: Trino may evaluate both sides of an or, and comparing rows that hold NULL fails.
            case when known.document_id is null then true else {{ cdc_beats('change', 'known') }} end as is_newer,
            case
                when change.image_source is null then false
                when known.image_source is null then true
                else {{ cdc_beats('change.image_source', 'known.image_source') }}
            end as has_newer_image
            {%- if has_opening %},
            case
                when known.document_id is null then true
                else {{ cdc_precedes('change.opening_source', 'known.opening_source') }}
            end as is_earlier
            {%- endif %}
            {%- if has_history %},
            array_sort(array_union(
                coalesce(known.status_history, array[]), coalesce(change.status_history, array[])
            )) as all_history
            {%- endif %}
        from change
        {{ cdc_known_rows(relation, days) }}
    )
    select
        {%- for name in model.columns %}
        {%- if name in fixed %}
        {{ name }}
        {%- elif name == 'status_history' %}
        nullif(all_history, array[]) as status_history
        {%- else %}
        if({{ 'is_newer' if name in cdc_head_columns() else 'is_earlier' if name in cdc_opening_columns() else 'has_newer_image' }}, {{ name }}, known_{{ name }}) as {{ name }}
        {%- endif %}{{ ',' if not loop.last }}
        {%- endfor %}
    from compared
    where
        is_newer or has_newer_image
        {%- if has_opening %} or is_earlier{% endif %}
        {%- if has_history %} or cardinality(all_history) > cardinality(coalesce(known_status_history, array[])){% endif %}
{%- endmacro %}


{# Rows of a window that the table does not have yet, or has from a later record: the first one counts, whatever came first. #}
{% macro cdc_unseen_rows(relation, changes_sql, days) -%}
    with change as (
        {{ changes_sql }}
    )
    select change.*
    from change
    {{ cdc_known_rows(relation, days) }}
    where
        case
            when known.{{ cdc_key()[0] }} is null then true
            else row(change.kafka_topic, change.kafka_partition, change.kafka_offset)
                < row(known.kafka_topic, known.kafka_partition, known.kafka_offset)
        end
{%- endmacro %}


{#
    What a MERGE writes into a column. The time is its own: with one time for all parts of a run, who reads between two of
    them would take the later part for read.
#}
{% macro cdc_merged(name) -%}
    {{ return("cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone)" if name == 'processing_time' else 'change.' ~ name) }}
{%- endmacro %}


{#
    One commit: the rows of a stage table on some days replace those of the same key in a table, or are added; with
    has_removals its column is_gone says which go. The literal days are what keeps a MERGE from reading the whole table.
#}
{% macro cdc_merge(relation, stage, key, day, days, has_removals=false) -%}
    {%- set names = model.columns.keys() | list -%}
    {%- call statement('merge') -%}
        merge into {{ relation }} as known
        using (select * from {{ stage }} where {{ cdc_day_predicate(day, days) }}) as change
            on
                {%- for name in key %}
                known.{{ name }} = change.{{ name }} and
                {%- endfor %}
                {{ cdc_day_predicate('known.' ~ day, days) }}
        {%- if has_removals %}
        when matched and change.is_gone then delete
        {%- endif %}
        when matched then update set
            {%- for name in names if name not in key + [day] %}
            {{ name }} = {{ cdc_merged(name) }}{{ ',' if not loop.last }}
            {%- endfor %}
        when not matched then insert ({{ names | join(', ') }})
            values ({% for name in names %}{{ cdc_merged(name) }}{{ ', ' if not loop.last }}{% endfor %})
    {%- endcall -%}
{%- endmacro %}


{# Merge the rows that a query finds; returns how many it wrote. `days`: all that it touches. #}
{% macro cdc_apply(target_relation, rows_sql, days) -%}
    {%- set stage = cdc_stage(target_relation, 'changes') -%}

    {%- call statement('stage') -%}
        create or replace table {{ stage }} as
        {{ rows_sql }}
    {%- endcall -%}

    {%- set rows = run_query("select count(*) from " ~ stage).rows[0][0] | int -%}
    {#- Trino opens at most 100 partitions for each writer, and a statement over 90 days stays below it. -#}
    {%- for part in days | sort | batch(90) if rows > 0 -%}
        {%- do cdc_merge(target_relation, stage, cdc_key(), cdc_partition(), part) -%}
    {%- endfor -%}
    {%- do adapter.drop_relation(stage) -%}
    {{ return(rows) }}
{%- endmacro %}


{# An empty table by the contract: types, NOT NULL and comments from the yml, partitioned by day. #}
{% macro cdc_create_table(relation) -%}
    create or replace table {{ relation }}
    {{ get_table_columns_and_constraints() }}
    {{ get_assert_columns_equivalent(sql) }}
    {{ comment(model.description) }}
    with (
        partitioning = array['{{ cdc_partition() }}']
    )
{%- endmacro %}
