{#
    Marks the place where a daily model is narrowed to the days that are computed again. The model reads `true` there, so
    its text is the whole table (a rebuild, a unit test); the materialization `daily` puts a predicate in its place.
    kind: in_days  the column (a timestamp) lies in one of the days, or is NULL and something else decides the day
          since    the column lies on or after the first of the days
#}
{% macro touched(column, kind='in_days') -%}
    true /* touched: {{ column }} {{ kind }} */
{%- endmacro %}


{# Days as literal ranges of a timestamp column: unlike a cast to date, ranges let Trino leave out files by their bounds. #}
{% macro touched_predicate(column, kind, days) -%}
    {%- set ordered = days | sort -%}
    {%- if kind == 'since' -%}
        {{ column }} >= timestamp '{{ ordered[0] }} 00:00:00 UTC'
    {%- else -%}
        {%- set ranges = [] -%}
        {%- for day in ordered -%}
            {%- set next_day = (modules.datetime.date.fromisoformat(day) + modules.datetime.timedelta(days=1)).isoformat() -%}
            {%- if ranges and ranges[-1].end == day -%}
                {%- do ranges[-1].update({'end': next_day}) -%}
            {%- else -%}
                {%- do ranges.append({'start': day, 'end': next_day}) -%}
            {%- endif -%}
        {%- endfor -%}
        (
            {{ column }} is null
            {%- for range in ranges %}
            or ({{ column }} >= timestamp '{{ range.start }} 00:00:00 UTC' and {{ column }} < timestamp '{{ range.end }} 00:00:00 UTC')
            {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}


{# The UTC day of a timestamp. #}
{% macro utc_day(timestamp) -%}
    cast({{ timestamp }} at time zone 'UTC' as date)
{%- endmacro %}
