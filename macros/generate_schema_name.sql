{#
    Schemas are bronze, silver, gold and semantic on every target. dbt's own rule would prefix them with the target's
    schema (silver_gold), and the consumers' queries name them as they are.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ var('schema_prefix') }}{{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
