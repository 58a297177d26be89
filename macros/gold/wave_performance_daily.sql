{# Days of wave_performance_daily that a change touches: those of the changed waves, before and after. #}
{% macro wave_performance_daily_touched(changes) -%}
    select {{ created_day() }} as created_day from ({{ changes.waves_current.after }})
    union
    select {{ created_day() }} as created_day from ({{ changes.waves_current.before }})
{%- endmacro %}
