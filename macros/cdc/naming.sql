{#
    A field's name as the source spells it. Paths are written once, in snake_case; var `naming_style` chooses between
    `wave_id` and `waveId`. `_id` is MongoDB's own and stays.
#}
{% macro cdc_field_name(name) -%}
    {%- if var('naming_style') == 'snake_case' or name.startswith('_') -%}
        {{ name }}
    {%- elif var('naming_style') == 'camelCase' -%}
        {%- set parts = name.split('_') -%}
        {{ parts[0] }}{% for part in parts[1:] %}{{ part | capitalize }}{% endfor %}
    {%- else -%}
        {{ exceptions.raise_compiler_error("naming_style is '" ~ var('naming_style') ~ "': set it to snake_case or camelCase.") }}
    {%- endif -%}
{%- endmacro %}


{# The JSON value at a path below an object, e.g. ('doc', ['label', 'tracking_number']). #}
{% macro cdc_json_at(json, names) -%}
    json_extract({{ json }}, '$
    {%- for name in names -%}
        ["{{ cdc_field_name(name) }}"]
    {%- endfor -%}
    ')
{%- endmacro %}
