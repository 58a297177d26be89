{#
    Marks the place where a daily model is narrowed to the days that are computed again. The model reads `true` there, so
    its text is the whole table (a rebuild, a unit test); the materialization `daily` puts a predicate in its place.
    kind: in_days  the column (a timestamp) lies in one of the days, or is NULL and something else decides the day
          on_days  the column (a date, best the partition) is one of the days
          since    the column (a timestamp) lies on or after the first of the days
    back: the so many days before each of the days count, too: 29 for a trailing month
#}
{% macro touched(column, kind='in_days', back=0) -%}
    true /* touched: {{ column }} {{ kind }} {{ back }} */
{%- endmacro %}


{# A model's text with a predicate for the days in each marked place. #}
{% macro touched_narrowed(full_sql, days) -%}
    {%- set narrowed = namespace(sql=full_sql) -%}
    {%- for column, kind, back in modules.re.findall('true /\* touched: (.+?) (in_days|on_days|since) (\d+) \*/', full_sql) | unique -%}
        {%- set narrowed.sql = narrowed.sql | replace(
            touched(column, kind, back), touched_predicate(column, kind, touched_ranges(days, back | int))
        ) -%}
    {%- endfor -%}
    {{ return(narrowed.sql) }}
{%- endmacro %}


{# Days, each with the days before it, as ranges that do not touch each other: [{'first', 'last'}]. #}
{% macro touched_ranges(days, back) -%}
    {%- set date = modules.datetime.date -%}
    {%- set ranges = [] -%}
    {%- for day in days | sort -%}
        {%- set last = date.fromisoformat(day).toordinal() -%}
        {%- set first = [last - back, 1] | max -%}
        {%- if ranges and ranges[-1].last >= first - 1 -%}
            {%- do ranges[-1].update({'last': last}) -%}
        {%- else -%}
            {%- do ranges.append({'first': first, 'last': last}) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set texts = [] -%}
    {%- for range in ranges -%}
        {%- do texts.append({'first': date.fromordinal(range.first).isoformat(), 'last': date.fromordinal(range.last).isoformat()}) -%}
    {%- endfor -%}
    {{ return(texts) }}
{%- endmacro %}


{# Days as literal ranges of a column: unlike a cast to date, ranges let Trino leave out files by their bounds. #}
{% macro touched_predicate(column, kind, ranges) -%}
    {%- if kind == 'since' -%}
        {{ column }} >= timestamp '{{ ranges[0].first }} 00:00:00 UTC'
    {%- elif kind == 'on_days' -%}
        (
            {%- for range in ranges %}
            {{ 'or ' if not loop.first }}{{ column }} between date '{{ range.first }}' and date '{{ range.last }}'
            {%- endfor %}
        )
    {%- else -%}
        (
            {{ column }} is null
            {%- for range in ranges %}
            or {{ column }} between timestamp '{{ range.first }} 00:00:00 UTC' and timestamp '{{ range.last }} 23:59:59.999999 UTC'
            {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}


{# The UTC day of a timestamp. #}
{% macro utc_day(timestamp) -%}
    cast({{ timestamp }} at time zone 'UTC' as date)
{%- endmacro %}


{# The day that a document counts for: when it was created; the day in its ObjectId when it does not say. #}
{% macro created_day() -%}
    coalesce({{ utc_day('created_at') }}, document_day)
{%- endmacro %}


{# The milliseconds of a timestamp since 1970. #}
{% macro epoch_milliseconds(timestamp) -%}
    date_diff('millisecond', timestamp '1970-01-01 00:00:00 UTC', {{ timestamp }})
{%- endmacro %}
