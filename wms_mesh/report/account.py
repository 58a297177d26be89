"""The ledger's totals: where every record of the stream went."""

from __future__ import annotations

from wms_mesh.report.parts import Block, Chapter, Table, count, many
from wms_mesh.report.source import Source

LEDGER = "gold.ingest_ledger"

_TOPICS = f"""
select
    kafka_topic, sum(bronze_rows), sum(quarantined_rows), sum(erased_rows), sum(gaps), sum(duplicates),
    min(ingested_day), max(ingested_day)
from {LEDGER} as l
group by kafka_topic
order by kafka_topic
"""


def _topics(source: Source) -> Block:
    rows = source.ask(_TOPICS)
    if not rows:
        return Block("Records by topic", "No record was read yet.")
    bronze, aside, erased, gaps, twice = (sum(row[place] for row in rows) for place in range(1, 6))
    first, last = min(row[6] for row in rows), max(row[7] for row in rows)
    wrong = [f"{many(gaps, 'record')} missing"] * bool(gaps) + [f"{many(twice, 'record')} twice"] * bool(twice)
    text = (
        f"{count(bronze + aside + erased)} records of {many(len(rows), 'topic')}, read {first} to {last}:"
        f" {count(bronze)} in bronze, {count(aside)} in the quarantine, {count(erased)} erased."
        f" {' and '.join(wrong).capitalize() if wrong else 'None is missing, none stands twice'}."
    )
    if gaps:
        text += " A gap of a few seconds is a commit on its way."
    table = Table(
        "Records by topic",
        ("Topic", "Bronze", "Aside", "Missing", "Twice"),
        [(row[0], count(row[1]), count(row[2]), count(row[4]), count(row[5])) for row in rows],
    )
    return Block("Records by topic", text, table=table, is_wide=True)


CHAPTER = Chapter(
    "ledger",
    "Every record accounted for",
    "Where each record of Kafka stands. `./mesh ledger` compares it with what Kafka holds now.",
    (LEDGER,),
    lambda source: [_topics(source)],
)
