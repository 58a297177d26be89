{#
    Days of labor_productivity_daily that a change touches: those of the changed worker days; the two days on which a shift
    can count, when its type or zone changed; all days of a worker whose name changed. A worker's document changes with each
    task (some 70 times a day), so what the table takes from it is compared before and after.
#}
{% macro labor_productivity_daily_touched(changes) -%}
    select date from ({{ changes.worker_days.after }})
    union
    select date from ({{ changes.worker_days.before }})
    {%- if not changes.worker_shifts.is_same %}
    union
    select {{ utc_day("(started_at + interval '24' hour * days_later)") }} as worked_day
    from ({{ differing(changes.worker_shifts, ['document_id', 'started_at', 'worker_id', 'shift_type', 'zone']) }})
    cross join unnest(array[0, 1]) as day (days_later)
    {%- endif %}
    {%- if not changes.worker_documents.is_same %}
    union
    select date
    from {{ changes.worker_days.relation }}
    where worker_id in (
        select worker_id
        from ({{ differing(changes.worker_documents, ['document_id', 'worker_id', 'name', 'is_deleted']) }})
    )
    {%- endif %}
{%- endmacro %}
