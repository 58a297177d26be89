{# What sets an existing table apart from its contract: names of columns that it does not have, that have another type, that are too many. #}
{% macro cdc_schema_difference(relation) -%}
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
    {{ return({
        'missing': missing, 'changed': changed, 'removed': existing.keys() | reject('in', model.columns.keys() | list) | list,
    }) }}
{%- endmacro %}


{# Bring an existing table to the contract: add columns when on_schema_change allows it, else say what to do. #}
{% macro cdc_follow_schema(relation) -%}
    {%- set differs = cdc_schema_difference(relation) -%}
    {%- if differs.changed or differs.removed or (differs.missing and config.get('on_schema_change', 'fail') != 'append_new_columns') -%}
        {%- do exceptions.raise_compiler_error(
            relation ~ " differs from its contract (new: " ~ differs.missing | join(', ') ~ "; other type: " ~ differs.changed | join(', ')
            ~ "; gone: " ~ differs.removed | join(', ') ~ "). Rebuild it with: ./mesh rebuild " ~ model.name
        ) -%}
    {%- endif -%}
    {%- do cdc_add_columns(relation, differs.missing) -%}
    {%- if differs.missing -%}
        {# A new column's values are in bronze only. #}
        {%- do log("New columns in " ~ relation ~ " fill as documents change; `./mesh rebuild " ~ model.name ~ "` fills them all.", info=true) -%}
    {%- endif -%}
{%- endmacro %}


{#
    Bring an existing table to the contract before a rebuild is swapped in: new columns are NULL until then. Returns false,
    and changes nothing, where Trino cannot: another type of a column, another key or partition.
#}
{% macro cdc_adapt_schema(relation, grain) -%}
    {%- set differs = cdc_schema_difference(relation) -%}
    {%- if differs.changed or differs.missing | select('in', grain) | list -%}
        {%- do log(
            relation ~ " has another type, key or partition now (" ~ (differs.changed + differs.missing) | join(', ')
            ~ "): it is replaced, and empty until it is filled.", info=true
        ) -%}
        {{ return(false) }}
    {%- endif -%}
    {%- do cdc_add_columns(relation, differs.missing) -%}
    {%- for name in differs.removed -%}
        {%- do run_query("alter table " ~ relation ~ " drop column " ~ name) -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}


{# Add columns of the contract, empty. #}
{% macro cdc_add_columns(relation, names) -%}
    {%- for name in names -%}
        {%- do run_query("alter table " ~ relation ~ " add column " ~ name ~ " " ~ model.columns[name].data_type) -%}
    {%- endfor -%}
{%- endmacro %}
