{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ var('schema_prefix') }}{{ target.schema }}
{%- endmacro %}
