{#
    Materialization `current_state`: keeps the table of a model that is written with cdc_current_state().

    A run: read the watermarks; ask bronze once what lies behind them; then, window by window: a table of the rows that
    change (the model's query over the window, compared with the current rows of the touched days), one MERGE, the new
    watermarks. A crash anywhere repeats a window; repeating writes nothing, because a copy of an applied record never
    beats it. Nothing new: one read of the watermarks and one of bronze's metadata, no write.

    `--full-refresh`, or a table that is gone, starts from an empty table and the first record of bronze.
    on_schema_change: fail (default) or append_new_columns. One writer for each table.
#}
{% materialization current_state, adapter='trino', supported_languages=['sql'] -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set is_rebuild = existing is none or should_full_refresh() -%}
    {%- set bronze = source(*model.sources[0]) -%}
    {%- set limit = var('cdc_window_records') | int -%}

    {{ run_hooks(pre_hooks) }}

    {%- if is_rebuild -%}
        {%- do cdc_create_watermarks(target_relation) -%}
        {%- call statement('create', auto_begin=False) -%}
            {{ cdc_create_table(target_relation) }}
        {%- endcall -%}
    {%- else -%}
        {%- do cdc_follow_schema(target_relation) -%}
    {%- endif -%}

    {%- set watermarks = cdc_read_watermarks(target_relation) -%}
    {%- set reached = {} -%}
    {%- for at in watermarks.positions -%}
        {%- do reached.update({(at.source, at.partition): at.position}) -%}
    {%- endfor -%}
    {%- set news = cdc_news(bronze, watermarks.positions) -%}
    {%- set total = news | map(attribute='records') | sum -%}
    {%- set windows = cdc_windows(news, (total + limit - 1) // limit) -%}
    {%- set written = namespace(rows=0) -%}

    {%- for ranges in windows -%}
        {%- set slice = cdc_slice(bronze, ranges) -%}
        {%- set days = [] -%}
        {%- if windows | length == 1 -%}
            {%- for part in news -%}{%- do days.extend(part.days) -%}{%- endfor -%}
        {%- else -%}
            {%- for row in run_query("select distinct " ~ cdc_document_day('document_id') ~ " from (" ~ slice ~ ")").rows -%}
                {%- do days.append(row[0] | string) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- set written.rows = written.rows + cdc_apply(target_relation, sql | replace('from ' ~ bronze, 'from (' ~ slice ~ ')'), days | unique | list) -%}
        {%- for range in ranges -%}
            {%- do reached.update({(range.source, range.partition): range.high}) -%}
        {%- endfor -%}
        {%- set positions = [] -%}
        {%- for at, position in reached.items() -%}
            {%- do positions.append({'source': at[0], 'partition': at[1], 'position': position}) -%}
        {%- endfor -%}
        {%- do cdc_write_watermarks(target_relation, watermarks.run + loop.index, positions) -%}
    {%- endfor -%}

    {%- call noop_statement('main', 'CURRENT STATE (' ~ total ~ ' records, ' ~ written.rows ~ ' rows)', 'CURRENT STATE', written.rows) -%}
        -- {{ total }} records in {{ windows | length }} windows, {{ written.rows }} rows written
    {%- endcall -%}

    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(target_relation, model) -%}
    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}


{# Merge one window; returns how many rows it wrote. `changes_sql`: the model over the window. `days`: all that it touches. #}
{% macro cdc_apply(target_relation, changes_sql, days) -%}
    {%- set names = model.columns.keys() | list -%}
    {%- set head = cdc_head_columns() -%}
    {%- set stage = target_relation.incorporate(path={'identifier': target_relation.identifier ~ '__changes'}) -%}
    {%- set touched = namespace(rows=0) -%}

    {%- call statement('stage') -%}
        create or replace table {{ stage }} as
        with change as (
            {{ changes_sql }}
        ),
        compared as (
            select
                {%- for name in names %}
                change.{{ name }}, known.{{ name }} as known_{{ name }},
                {%- endfor %}
                -- case, not or: Trino may evaluate both sides of an or, and comparing rows that hold NULL fails.
                case when known.document_id is null then true else {{ cdc_beats('change', 'known') }} end as is_newer,
                case
                    when change.image_source is null then false
                    when known.image_source is null then true
                    else {{ cdc_beats('change.image_source', 'known.image_source') }}
                end as has_newer_image
            from change
            left join {{ target_relation }} as known
                on change.document_id = known.document_id and {{ cdc_day_predicate('known.document_day', days) }}
        )
        select
            {%- for name in names %}
            {%- if name in ('document_id', 'document_day', 'processing_time') %}
            {{ name }}
            {%- else %}
            if({{ 'is_newer' if name in head else 'has_newer_image' }}, {{ name }}, known_{{ name }}) as {{ name }}
            {%- endif %}{{ ',' if not loop.last }}
            {%- endfor %}
        from compared
        where is_newer or has_newer_image
    {%- endcall -%}

    {%- set touched.rows = run_query("select count(*) from " ~ stage).rows[0][0] | int -%}
    {#- Trino opens at most 100 partitions for each writer, and a statement over 90 days stays below it. -#}
    {%- for part in days | sort | batch(90) if touched.rows > 0 -%}
        {%- call statement('merge') -%}
            merge into {{ target_relation }} as current_row
            using (select * from {{ stage }} where {{ cdc_day_predicate('document_day', part) }}) as change
                on current_row.document_id = change.document_id and {{ cdc_day_predicate('current_row.document_day', part) }}
            when matched then update set
                {%- for name in names if name not in ('document_id', 'document_day') %}
                {{ name }} = change.{{ name }}{{ ',' if not loop.last }}
                {%- endfor %}
            when not matched then insert ({{ names | join(', ') }})
                values ({% for name in names %}change.{{ name }}{{ ', ' if not loop.last }}{% endfor %})
        {%- endcall -%}
    {%- endfor -%}
    {%- do adapter.drop_relation(stage) -%}
    {{ return(touched.rows) }}
{%- endmacro %}


{# An empty table by the contract: types, NOT NULL and comments from the yml, partitioned by the day in the document's id. #}
{% macro cdc_create_table(relation) -%}
    create or replace table {{ relation }}
    {{ get_table_columns_and_constraints() }}
    {{ get_assert_columns_equivalent(sql) }}
    {{ comment(model.description) }}
    with (
        partitioning = array['document_day']
    )
{%- endmacro %}


{# Bring an existing table to the contract: add columns when on_schema_change allows it, else say what to do. #}
{% macro cdc_follow_schema(relation) -%}
    {%- set existing = {} -%}
    {%- for column in adapter.get_columns_in_relation(relation) -%}
        {%- do existing.update({column.name: column.data_type}) -%}
    {%- endfor -%}
    {%- set missing = [] -%}
    {%- set changed = [] -%}
    {%- for name, column in model.columns.items() -%}
        {%- if name not in existing -%}
            {%- do missing.append(name) -%}
        {%- elif existing[name] | replace(' ', '') != column.data_type | replace(' ', '') -%}
            {%- do changed.append(name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set removed = existing.keys() | reject('in', model.columns.keys() | list) | list -%}
    {%- if changed or removed or (missing and config.get('on_schema_change', 'fail') != 'append_new_columns') -%}
        {%- do exceptions.raise_compiler_error(
            relation ~ " differs from its contract (new: " ~ missing | join(', ') ~ "; other type: " ~ changed | join(', ')
            ~ "; gone: " ~ removed | join(', ') ~ "). Rebuild it with: dbt run --full-refresh --select " ~ model.name
        ) -%}
    {%- endif -%}
    {%- for name in missing -%}
        {%- do run_query("alter table " ~ relation ~ " add column " ~ name ~ " " ~ model.columns[name].data_type) -%}
    {%- endfor -%}
    {%- if missing -%}
        {# A new column's values are in bronze only: forget the watermarks, and let every record be compared again. #}
        {%- do log("New columns in " ~ relation ~ " fill as documents change; a full refresh fills them all.", info=true) -%}
    {%- endif -%}
{%- endmacro %}
