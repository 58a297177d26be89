"""Ten thousand damaged records: each is in bronze or in the quarantine, once, and nothing stops for them."""

from __future__ import annotations

import os
from collections import Counter

from kafka import KafkaProducer

from tests.chaos.events import Weather
from tests.chaos.fuzz import records
from wms_mesh import ledger, sql, transform
from wms_mesh.engines.bronze_job import BronzeJob

SEED = int(os.environ.get("MESH_FUZZ_SEED", "1"))
COUNT = 10_000


def test_damaged_record_stops_the_job_or_disappears(weather: Weather) -> None:
    stack = weather.stack
    ledger.await_quiet(stack)
    before = BronzeJob(stack).detail()
    rows = sum(entry.rows for entry in ledger.account(stack))
    producer = KafkaProducer(bootstrap_servers=stack.address("kafka"), acks="all")
    sent: Counter[str] = Counter()
    for record in records(SEED, COUNT):
        producer.send(record.topic, key=record.key, value=record.value, headers=list(record.headers))
        sent[record.topic] += 1
    producer.flush()
    producer.close()

    accounts = ledger.await_quiet(stack, limit=300.0, progress=lambda text: print(f"  {text}", flush=True))
    assert sum(entry.rows for entry in accounts) == rows + sent.total()
    assert not [entry for entry in accounts if entry.missing or entry.doubled]
    reasons = sql.query(stack, "select reason, count(*) from bronze.quarantine group by 1 order by 2 desc")
    print(f"  {COUNT:,} records (seed {SEED}), quarantined: {dict(map(tuple, reasons))}", flush=True)
    assert len(reasons) > 5, "the damage is not varied enough to prove anything"
    after = BronzeJob(stack).detail()
    assert (after["job"], after["restarts"]) == (before["job"], before["restarts"])
    # What passed as a change is a document like any other: read, not understood, never fatal.
    result = transform.dbt(stack, "run", quiet=True)
    assert result.returncode == 0, result.stdout[-6000:]
