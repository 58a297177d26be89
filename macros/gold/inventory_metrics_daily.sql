{#
    Days of inventory_metrics_daily that a change touches: those of changed stock levels and movements, and for changed picks
    the 29 days after theirs, whose trailing month they stand in. Days without rows cost nothing.
#}
{% macro inventory_metrics_daily_touched(changes) -%}
    select inventory_day from ({{ changes.inventory_days.after }})
    union
    select inventory_day from ({{ changes.inventory_days.before }})
    {%- for version in ['after', 'before'] %}
    union
    select metrics_day
    from ({{ changes.inventory_transactions[version] }})
    cross join unnest(sequence(transaction_day, date_add('day', if(type = 'pick', 29, 0), transaction_day))) as days (metrics_day)
    where created_at is not null
    {%- endfor %}
{%- endmacro %}
