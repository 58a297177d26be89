{# Days of worker_days that a change touches: those of the changed completed tasks, before and after. #}
{% macro worker_days_touched(changes) -%}
    {%- for followed in ['pick_tasks_current', 'pack_tasks_current'] %}
    {%- for version in ['after', 'before'] %}
    select {{ utc_day('completed_at') }} as completed_day from ({{ changes[followed][version] }}) where {{ is_done_task() }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# A task that counts for its worker's day. #}
{% macro is_done_task() -%}
    not is_deleted and status = 'completed' and completed_at is not null
{%- endmacro %}
