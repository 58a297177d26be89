{#
    Exact percentile of a sorted array, by linear interpolation between the two nearest ranks (PERCENTILE_CONT of the SQL
    standard). approx_percentile gives another value on each run and on each plan, and a rebuild must give the same rows.
    NULL for an empty array. Example: [1, 2, 4, 8] at 0.5 stands at rank 2.5, between 2 and 4: 3.
#}
{% macro percentile_cont(sorted, fraction) -%}
    {%- set rank = "(1 + (cardinality(" ~ sorted ~ ") - 1) * " ~ fraction ~ "e0)" -%}
    element_at({{ sorted }}, cast(floor({{ rank }}) as bigint))
    + (element_at({{ sorted }}, cast(ceiling({{ rank }}) as bigint)) - element_at({{ sorted }}, cast(floor({{ rank }}) as bigint)))
    * ({{ rank }} - floor({{ rank }}))
{%- endmacro %}
