{#
    The part of a bronze table between two positions. `ranges`: [{'source', 'partition', 'low', 'high'}]; high none means up
    to now. One branch for each topic: a file holds records of all its partitions, and a branch for each would read it again
    and again (three times the rows; the events' 48 partitions took 3 s to plan).
#}
{% macro cdc_slice(bronze, ranges) -%}
    {%- set by_source = {} -%}
    {%- for range in ranges -%}
        {%- do by_source.setdefault(range.source, []).append(
            "kafka_partition = " ~ range.partition ~ " and kafka_offset >= " ~ range.low
            ~ (" and kafka_offset < " ~ range.high if range.high is not none else "")
        ) -%}
    {%- endfor -%}
    {%- for source, parts in by_source.items() %}
    select * from {{ bronze }} where kafka_topic = '{{ source }}' and ({{ parts | join(' or ') }})
    {{ 'union all' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{#
    What is new in bronze behind the watermarks: [{'source', 'partition', 'low', 'high', 'records', 'days'}], one for each
    partition with news; days as `day_of_record` (SQL over a record) finds them, none without it. The upper bounds are
    read here, once, and used as literals from here on, for reading and for the watermarks: a record that commits
    meanwhile lies above them and is read next time.
#}
{% macro cdc_news(bronze, positions, day_of_record) -%}
    {%- set known = {} -%}
    {%- for at in positions -%}
        {%- do known.setdefault(at.source, {}).update({at.partition: at.position}) -%}
    {%- endfor -%}
    {%- set branches = [] -%}
    {%- for source, partitions in known.items() -%}
        {%- set last = partitions.keys() | max -%}
        {%- set ranges = [] -%}
        {%- for partition in range(last + 1) -%}
            {%- do ranges.append("kafka_partition = " ~ partition ~ " and kafka_offset >= " ~ partitions.get(partition, 0)) -%}
        {%- endfor -%}
        {%- do branches.append("kafka_topic = '" ~ source ~ "' and (" ~ ranges | join(' or ') ~ ")") -%}
        {#- Apart, because its offsets begin at 0: in the branch above it would make Trino read the whole history. -#}
        {%- do branches.append("kafka_topic = '" ~ source ~ "' and kafka_partition > " ~ last) -%}
    {%- endfor -%}
    {%- do branches.append(
        "kafka_topic not in ('" ~ known.keys() | join("', '") ~ "')" if known else "kafka_offset >= 0"
    ) -%}
    {%- set sql -%}
        with news as (
            {%- for branch in branches %}
            select kafka_topic, kafka_partition, kafka_offset, {{ day_of_record or 'cast(null as date)' }} as document_day
            from {{ bronze }}
            where {{ branch }}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        )
        select
            kafka_topic, kafka_partition, min(kafka_offset), max(kafka_offset) + 1, count(*),
            array_join(array_agg(distinct document_day), ',')
        from news
        group by kafka_topic, kafka_partition
        order by kafka_topic, kafka_partition
    {%- endset -%}
    {%- set news = [] -%}
    {%- for row in run_query(sql).rows -%}
        {%- do news.append({
            'source': row[0], 'partition': row[1] | int, 'low': row[2] | int, 'high': row[3] | int, 'records': row[4] | int,
            'days': row[5].split(',') if row[5] else [],
        }) -%}
    {%- endfor -%}
    {{ return(news) }}
{%- endmacro %}


{# The news cut into `count` windows, each a list of ranges as cdc_slice takes them. #}
{% macro cdc_windows(news, count) -%}
    {%- set windows = [] -%}
    {%- for number in range(count) -%}
        {%- set ranges = [] -%}
        {%- for part in news -%}
            {%- set width = part.high - part.low -%}
            {%- do ranges.append({
                'source': part.source, 'partition': part.partition,
                'low': part.low + width * number // count, 'high': part.low + width * (number + 1) // count,
            }) -%}
        {%- endfor -%}
        {%- do windows.append(ranges) -%}
    {%- endfor -%}
    {{ return(windows) }}
{%- endmacro %}


{#
    A literal predicate on document_day: only with literals Trino leaves out the files of all other days (a join on the
    partition column still read 400,000 of 400,000 rows, literals 48,640). A list of more than 400 days becomes a range.
#}
{% macro cdc_day_predicate(column, days) -%}
    {%- if days | length <= 400 -%}
        {{ column }} in (
        {%- for day in days | sort -%} date '{{ day }}'{{ ', ' if not loop.last }} {%- endfor -%}
        )
    {%- else -%}
        {{ column }} between date '{{ days | min }}' and date '{{ days | max }}'
    {%- endif -%}
{%- endmacro %}
