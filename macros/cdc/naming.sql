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


{#
    The place of a path inside of a JSON value, e.g. ('doc', ['label', 'tracking_number']), for the macros of decode.sql. Not
    yet SQL: a type with five spellings reads five places, each in one step, and Trino plans a third less than with a
    json_extract inside of each.
#}
{% macro cdc_json_at(json, names) -%}
    {%- set place = namespace(json=json, path='') -%}
    {%- if json is mapping -%}
        {%- set place.json = json.json -%}
        {%- set place.path = json.path -%}
    {%- endif -%}
    {%- for name in names -%}
        {%- set place.path = place.path ~ '["' ~ cdc_field_name(name) ~ '"]' -%}
    {%- endfor -%}
    {{ return({'json': place.json, 'path': place.path}) }}
{%- endmacro %}


{# The JSON that stands at a place. #}
{% macro cdc_part(value) -%}
    {%- set place = cdc_json_at(value, []) -%}
    {{ return("json_extract(" ~ place.json ~ ", '$" ~ place.path ~ "')" if place.path else place.json) }}
{%- endmacro %}


{# The text of the scalar that stands at a place, or under BSON's own keys there, e.g. cdc_scalar(value, '$date', '$numberLong'). #}
{% macro cdc_scalar(value) -%}
    {%- set place = cdc_json_at(value, []) -%}
    {%- set keys = varargs | map('tojson') | join('][') -%}
    {{ return("json_extract_scalar(" ~ place.json ~ ", '$" ~ place.path ~ ("[" ~ keys ~ "]" if keys else "") ~ "')") }}
{%- endmacro %}
