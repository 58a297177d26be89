{# Days of order_fulfillment_daily that a change touches: those of the changed orders, before and after, and those of the orders of changed shipments. #}
{% macro order_fulfillment_daily_touched(changes) -%}
    with changed_orders as (
        select {{ order_day() }} as order_day from ({{ changes.orders_current.after }})
        union all
        select {{ order_day() }} as order_day from ({{ changes.orders_current.before }})
    ),
    changed_shipments as (
        select order_id from ({{ changes.shipments_current.after }})
        union
        select order_id from ({{ changes.shipments_current.before }})
    )
    select order_day from changed_orders
    union
    select {{ order_day() }} as order_day
    from {{ changes.orders_current.relation }}
    where order_id in (select order_id from changed_shipments)
{%- endmacro %}


{# The day that an order counts for: when it was created; the day in its ObjectId when the document does not say. #}
{% macro order_day() -%}
    coalesce({{ utc_day('created_at') }}, document_day)
{%- endmacro %}
