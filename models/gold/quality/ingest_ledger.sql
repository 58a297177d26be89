-- Counts of records that retention has taken from bronze stand nowhere else: a full refresh must not lose them.
{{ config(
    materialized='ledger',
    full_refresh=false,
    grain=['ingested_day', 'kafka_topic', 'kafka_partition'],
    bookkeeping=['positions'],
    group='platform',
) }}

with arrivals as (

    {% for name, kept in ledger_sources().items() -%}
    select
        kafka_topic,
        kafka_partition,
        kafka_offset,
        {{ utc_day('ingested_at') }} as ingested_day,
        '{{ kept }}' as kept
    from {{ source('bronze', name) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

known as (

    select *
    from {{ this }}
    where {{ ledger_known() }}

),

counted as (

    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        count_if(kept = 'bronze') as bronze_rows,
        count_if(kept = 'quarantine') as quarantined_rows,
        count_if(kept = 'erased') as erased_rows
    from arrivals
    group by kafka_topic, kafka_partition, ingested_day
    union all
    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        bronze_rows,
        quarantined_rows,
        erased_rows
    from known

),

distinct_offsets as (

    select distinct
        kafka_topic,
        kafka_partition,
        ingested_day,
        kafka_offset
    from arrivals

),

numbered as (

    select
        *,
        kafka_offset - row_number() over (
            partition by kafka_topic, kafka_partition, ingested_day
            order by kafka_offset
        ) as distance
    from distinct_offsets

),

-- Offsets without a break between them, as ranges: a partition's day is one, and one more behind each gap.
arrived as (

    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        min(kafka_offset) as first_offset,
        max(kafka_offset) as last_offset
    from numbered
    group by kafka_topic, kafka_partition, ingested_day, distance
    union all
    select
        known.kafka_topic,
        known.kafka_partition,
        known.ingested_day,
        ranges.first_offset,
        ranges.last_offset
    from known
    cross join unnest(known.offset_ranges) as ranges (first_offset, last_offset)

),

-- Ranges of a day that touch or overlap become one.
started as (

    select
        *,
        coalesce(first_offset > 1 + max(last_offset) over (
            partition by kafka_topic, kafka_partition, ingested_day order by first_offset, last_offset
            rows between unbounded preceding and 1 preceding
        ), true) as is_start
    from arrived

),

counted_starts as (

    select
        *,
        count_if(is_start) over (
            partition by kafka_topic, kafka_partition, ingested_day
            order by first_offset, last_offset
            rows unbounded preceding
        ) as place
    from started

),

merged as (

    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        min(first_offset) as first_offset,
        max(last_offset) as last_offset
    from counted_starts
    group by kafka_topic, kafka_partition, ingested_day, place

),

-- How far the partition's ranges before this one reach, whatever their day: a replay can come after midnight.
placed as (

    select
        *,
        max(last_offset) over (
            partition by kafka_topic, kafka_partition order by first_offset, last_offset, ingested_day
            rows between unbounded preceding and 1 preceding
        ) as reached
    from merged

),

spanned as (

    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        min(first_offset) as first_offset,
        max(last_offset) as last_offset,
        sum(last_offset - first_offset + 1) as offsets,
        sum(greatest(coalesce(first_offset - reached - 1, 0), 0)) as gaps,
        sum(greatest(coalesce(least(last_offset, reached) - first_offset + 1, 0), 0)) as repeated,
        array_sort(array_agg(
            cast(row(first_offset, last_offset) as row(first_offset bigint, last_offset bigint))
        )) as offset_ranges
    from placed
    group by kafka_topic, kafka_partition, ingested_day

),

totals as (

    select
        kafka_topic,
        kafka_partition,
        ingested_day,
        sum(bronze_rows) as bronze_rows,
        sum(quarantined_rows) as quarantined_rows,
        sum(erased_rows) as erased_rows
    from counted
    group by kafka_topic, kafka_partition, ingested_day

),

final as (

    select
        spanned.ingested_day,
        spanned.kafka_topic,
        spanned.kafka_partition,
        spanned.first_offset,
        spanned.last_offset,
        totals.bronze_rows,
        totals.quarantined_rows,
        totals.erased_rows,
        spanned.gaps,
        totals.bronze_rows + totals.quarantined_rows + totals.erased_rows
        - spanned.offsets + spanned.repeated as duplicates,
        if(spanned.gaps > 0, coalesce(
            known.gaps_since, cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone)
        )) as gaps_since,
        spanned.offset_ranges,
        {{ ledger_positions() }} as positions,
        cast(current_timestamp at time zone 'UTC' as timestamp(6) with time zone) as processing_time
    from spanned
    inner join totals
        on
            spanned.kafka_topic = totals.kafka_topic
            and spanned.kafka_partition = totals.kafka_partition
            and spanned.ingested_day = totals.ingested_day
    left join known
        on
            spanned.kafka_topic = known.kafka_topic
            and spanned.kafka_partition = known.kafka_partition
            and spanned.ingested_day = known.ingested_day

)

select * from final
