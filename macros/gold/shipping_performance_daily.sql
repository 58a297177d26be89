{#
    Days of shipping_performance_daily that a change touches: those of changed shipments, before and after; those of
    shipments without an estimate whose order's promise changed; those of undelivered shipments that became due since the
    last run.
#}
{% macro shipping_performance_daily_touched(changes) -%}
    select {{ utc_day('shipped_at') }} as shipped_day from ({{ changes.shipments_current.after }})
    union
    select {{ utc_day('shipped_at') }} as shipped_day from ({{ changes.shipments_current.before }})
    {%- if not changes.clock.is_same %}
    union
    select {{ utc_day('shipped_at') }} as shipped_day
    from {{ changes.shipments_current.relation }}
    where
        shipped_at is not null and actual_delivery is null
        and estimated_delivery >= {{ changes.clock.since }} and estimated_delivery < {{ changes.clock.until }}
    {%- endif %}
    {%- if not changes.clock.is_same or not changes.orders_current.is_same %}
    union
    select {{ utc_day('shipped_at') }} as shipped_day
    from {{ changes.shipments_current.relation }}
    where
        shipped_at is not null and estimated_delivery is null
        and order_id in (
            select order_id
            from {{ changes.orders_current.relation }}
            where promised_delivery_at >= {{ changes.clock.since }} and promised_delivery_at < {{ changes.clock.until }}
            {%- if not changes.orders_current.is_same %}
            union
            select order_id
            from ({{ differing(changes.orders_current, ['document_id', 'order_id', 'promised_delivery_at', 'is_deleted']) }})
            {%- endif %}
        )
    {%- endif %}
{%- endmacro %}
