{#
    Days of order_fulfillment_daily that a change touches: those of the changed orders, before and after, and those of the
    orders of changed shipments.
#}
{% macro order_fulfillment_daily_touched(changes) -%}
    select {{ created_day() }} as order_day from ({{ changes.orders_current.after }})
    union
    select {{ created_day() }} as order_day from ({{ changes.orders_current.before }})
    {%- if not changes.shipments_current.is_same %}
    {#- order_id and created_at of every order: a shipment does not say when its order was created. -#}
    union
    select {{ created_day() }} as order_day
    from {{ changes.orders_current.relation }}
    where order_id in (
        select order_id from ({{ changes.shipments_current.after }})
        union
        select order_id from ({{ changes.shipments_current.before }})
    )
    {%- endif %}
{%- endmacro %}
