-- Every offset between a partition's first and its last stands in bronze, in the quarantine or among the erased records, once.
-- The tables of one checkpoint commit within seconds of each other, after a restart within minutes: gaps count after five.
select
    ingested_day,
    kafka_topic,
    kafka_partition,
    gaps,
    gaps_since,
    duplicates,
    offset_ranges
from {{ ref('ingest_ledger') }}
where duplicates > 0 or gaps_since < current_timestamp - interval '5' minute
