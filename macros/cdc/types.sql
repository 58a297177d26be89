{#
    The parts of a Trino type list, split at the commas that stand outside of parentheses:
    'sku varchar, price decimal(18, 4)' gives ['sku varchar', 'price decimal(18, 4)'].
#}
{% macro cdc_split_types(text) -%}
    {%- set parts = [] -%}
    {%- set state = namespace(depth=0, part='') -%}
    {%- for letter in text -%}
        {%- if letter == ',' and state.depth == 0 -%}
            {%- do parts.append(state.part | trim) -%}
            {%- set state.part = '' -%}
        {%- else -%}
            {%- set state.depth = state.depth + (1 if letter == '(' else -1 if letter == ')' else 0) -%}
            {%- set state.part = state.part ~ letter -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do parts.append(state.part | trim) -%}
    {{ return(parts) }}
{%- endmacro %}


{# The fields of 'row(sku varchar, quantity bigint)' as [['sku', 'varchar'], ['quantity', 'bigint']]. #}
{% macro cdc_row_fields(type) -%}
    {%- set fields = [] -%}
    {%- for part in cdc_split_types(type[4:-1]) -%}
        {%- set name = part.split(' ')[0] -%}
        {%- do fields.append([name, part[name | length:] | trim]) -%}
    {%- endfor -%}
    {{ return(fields) }}
{%- endmacro %}
