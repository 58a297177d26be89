{# Pieces of a list of lines: the sum of a field, where a line without one counts 0; NULL without a list. #}
{% macro pieces(lines, field='quantity') -%}
    reduce({{ lines }}, bigint '0', (total, line) -> total + coalesce(line.{{ field }}, 0), total -> total)
{%- endmacro %}


{#
    Value of a list of order lines, quantity x unit_price of those that have both; NULL when none has. Money is added as
    decimal: a sum of doubles depends on the order of its terms. A price that is none (99999999999999999999) counts as missing:
    one of them would make the value of its whole day NULL.
#}
{% macro line_value(lines) -%}
    reduce(
        filter({{ lines }}, line -> line.quantity is not null and try_cast(line.unit_price as decimal(18, 4)) is not null),
        cast(null as decimal(38, 4)),
        (total, line) -> cast(
            coalesce(total, decimal '0') + cast(line.quantity as decimal(19, 0)) * try_cast(line.unit_price as decimal(18, 4))
            as decimal(38, 4)
        ),
        total -> total
    )
{%- endmacro %}
