{# What came and went explains the stock: a difference means that a movement was not written down, or that stock was changed without one. #}
{% test balanced_stock(model) %}
select date, sku, starting_quantity, ending_quantity, net_quantity
from {{ model }}
where ending_quantity - starting_quantity <> net_quantity
{% endtest %}
