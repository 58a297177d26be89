{#
    Descriptions become Trino comments. dbt-trino sends one statement, that is one Iceberg commit, for each column on each
    run: 45 commits for orders_current even when nothing changed. Here a new table gets them with its DDL, and an
    existing one only those that differ. Asking what differs takes two statements a model (0.12 s): a refresher that has
    asked since it read the project says so with docs_are_persisted.
#}

{% macro trino__get_table_columns_and_constraints() -%}
    {%- set definitions = adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
    {%- set columns = model['columns'].values() | list -%}
    (
        {%- for definition in definitions %}
        {{ definition }} comment '{{ columns[loop.index0].description | replace("'", "''") }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}


{# The comments of an existing table or view: those that differ from the yml. #}
{% macro trino__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if var('docs_are_persisted') -%}
        {{ return('') }}
    {%- endif -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- set comment = run_query(
            "select comment from system.metadata.table_comments where catalog_name = '" ~ relation.database
            ~ "' and schema_name = '" ~ relation.schema ~ "' and table_name = '" ~ relation.identifier ~ "'"
        ).rows[0][0] -%}
        {%- if comment != model.description -%}
            {%- do run_query(alter_relation_comment(relation, model.description)) -%}
        {%- endif -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set existing = {} -%}
        {%- for row in run_query("show columns from " ~ relation).rows -%}
            {%- do existing.update({row[0]: row[3]}) -%}
        {%- endfor -%}
        {%- for name, column in model.columns.items() if column.description and existing.get(name | lower) != column.description -%}
            {%- do run_query(alter_column_comment(relation, {name: column})) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
