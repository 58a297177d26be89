"""The same records in any order, any batches, any number of copies give the same rows.

A seeded log of change records (ties, replays, swapped partitions, deletes, re-creations, re-snapshots, unreadable
values) goes into the bronze tables of a sandbox in random batches. After each batch dbt runs, and silver and gold are
compared with an oracle that is written from the contract and shares nothing with the macros; at the end with a rebuild.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ingest.bronze import tables as bronze
from wms_mesh import sql, transform
from wms_mesh.stack import REPO, Stack

SEED = 20261123
PREFIX = "convergence_"
ORDERS = 40
PARTITIONS = 3
BATCHES = 3
START = datetime(2026, 3, 1, 21, tzinfo=UTC)  # three hours before a UTC midnight
STATUSES = ("received", "validated", "picking", "packed", "shipped", "cancelled", "dead_letter")
SELECTION = ("orders_current", "shipments_current", "order_fulfillment_daily")

Rows = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Record:
    """One Kafka record of collection ``topic``; ``image`` is the document it shows, as JSON text."""

    topic: str
    partition: int
    offset: int
    key: str
    op: str
    at: int  # epoch milliseconds of source.ts_ms
    order: int
    image: str | None

    @property
    def position(self) -> tuple[Any, ...]:
        """What is newer, as the contract says it: the second, streamed before snapshot, time, order, offset."""
        return (self.at // 1000, self.op != "r", self.at, self.order, self.offset)

    @property
    def change(self) -> tuple[Any, ...]:
        """What makes another record a copy of this one."""
        return (self.key, self.op, self.at, self.order, self.image)


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds."""
    return int(at.timestamp() * 1000)


class Log:
    """Writes the records of many documents, partition by partition."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.partitions: dict[tuple[str, int], list[Record]] = defaultdict(list)

    def send(self, record: Record) -> None:
        """Append to its partition, at the next offset."""
        partition = self.partitions[record.topic, record.partition]
        partition.append(replace(record, offset=len(partition)))

    def fill(self) -> None:
        """Write everything: documents of both collections, then replays."""
        histories = [self._history("orders", number) for number in range(ORDERS)]
        histories += [self._history("shipments", number) for number in range(ORDERS // 2)]
        while histories:
            history = self.random.choice(histories)
            record = next(history, None)
            if record is None:
                histories.remove(history)
                continue
            self.send(record)
            if self.random.random() < 0.1:
                self._replay(record)

    def _replay(self, record: Record) -> None:
        """A connector that restarts sends the last records of a partition again, in their order."""
        partition = self.partitions[record.topic, record.partition]
        for copy in partition[-self.random.randrange(1, 6) :]:
            self.send(copy)

    def _history(self, topic: str, number: int) -> Iterator[Record]:
        choose = self.random
        created = START + timedelta(minutes=choose.randrange(4 * 24 * 60))
        key = json.dumps({"$oid": f"{int(created.timestamp()):08x}{number:016x}"})
        # A tie inside one transaction is only told apart by the offset, so such a document stays in its partition.
        is_tied = choose.random() < 0.3
        partition = choose.randrange(PARTITIONS)
        at, order = created, 1
        document: dict[str, Any] | None = None
        for step in range(choose.randrange(2, 9)):
            if not is_tied and choose.random() < 0.2:
                partition = choose.randrange(PARTITIONS)
            if not is_tied or choose.random() < 0.5:
                at, order = (
                    (at + timedelta(seconds=choose.randrange(3, 20_000)), 1)
                    if choose.random() < 0.8
                    else (at, order + 1)
                )
            moment = milliseconds(at.replace(microsecond=0))
            roll = choose.random()
            if roll < 0.12 and document is not None:
                before = json.dumps(document) if choose.random() < 0.5 else None
                yield Record(topic, partition, 0, key, "d", moment, order, before)
                yield Record(topic, partition, 0, key, "t", 0, 0, None)
                document = None
                at += timedelta(seconds=5)
                continue
            if roll < 0.24 and document is not None:
                # A snapshot stamps milliseconds of its own clock; half of them fall into the second of the last change.
                late = choose.choice((412, 60_000))
                yield Record(topic, partition, 0, key, "r", moment + late, -1, json.dumps(document))
                at += timedelta(minutes=2)
                continue
            op = "c" if document is None else "u"
            document = self._document(topic, number, created, step)
            yield Record(topic, partition, 0, key, op, moment, order, json.dumps(document))

    def _document(self, topic: str, number: int, created: datetime, step: int) -> dict[str, Any]:
        choose = self.random
        moved = created + timedelta(days=choose.choice((0, 0, 0, 0, 0, 1)))
        date_: Any = {"$date": milliseconds(moved)} if choose.random() > 0.05 else "2024-02-30T25:61:00Z"
        if topic == "shipments":
            shipped = created + timedelta(minutes=choose.randrange(-60, 6000))
            document: dict[str, Any] = {
                "shipment_id": f"SHP-{number:08x}",
                "order_id": f"ORD-{choose.randrange(ORDERS):08x}",
                "status": choose.choice(("pending", "shipped")),
                "created_at": date_,
            }
            return document | ({"shipped_at": {"$date": milliseconds(shipped)}} if choose.random() < 0.8 else {})
        document = {
            "order_id": f"ORD-{number:08x}",
            "status": choose.choice(STATUSES),
            "priority": choose.choice(("same_day", "next_day", "standard", None)),
            "created_at": date_,
            "gift_wrap": choose.random() < 0.5,
            "items": [
                {
                    "sku": f"SKU-{line}",
                    "quantity": choose.choice((line + 1, {"$numberLong": str(step + 1)}, "twelve", 2.75, None)),
                    "weight": choose.choice((0.5, float("nan"))),
                    "unit_price": choose.choice((9.99, {"$numberDecimal": "19.5000"}, 0.1)),
                }
                for line in range(choose.randrange(4))
            ],
        }
        return document | ({"legacy_flags": {"step": step}} if choose.random() < 0.1 else {})


# The oracle: plain Python over all records at once.


@dataclass(frozen=True)
class Current:
    """What silver must say of one document."""

    head: Record
    image: dict[str, Any]
    first: tuple[int, int]
    is_tied: bool


def current(records: Iterable[Record]) -> dict[str, Current]:
    """The current state of each document out of all its records, in whatever order."""
    by_key: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.op != "t":
            by_key[record.key].append(record)
    result = {}
    for key, history in by_key.items():
        head = max(history, key=lambda record: record.position)
        shown = [record for record in history if record.image is not None]
        image = json.loads(max(shown, key=lambda record: record.position).image or "{}") if shown else {}
        first = min((copy.partition, copy.offset) for copy in history if copy.change == head.change)
        distinct = {record.change for record in history}
        is_tied = len(distinct) > len({(record.op != "r", record.at, record.order) for record in history})
        result[key] = Current(head, image, first, is_tied)
    return result


def day_of(document: dict[str, Any], key: str) -> date:
    """The UTC day an order counts for."""
    created = moment(document.get("created_at"))
    seconds = int(json.loads(key)["$oid"][:8], 16)
    return (created or datetime.fromtimestamp(seconds, UTC)).date()


def moment(value: Any) -> datetime | None:
    """A date as the connector writes it; anything else is none."""
    return datetime.fromtimestamp(value["$date"] / 1000, UTC) if isinstance(value, dict) else None


def whole(value: Any) -> int | None:
    """A whole number in any spelling."""
    value = value.get("$numberLong") if isinstance(value, dict) else value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if number == int(number) else None


def price(value: Any) -> Decimal:
    """Money, four places."""
    return Decimal(value["$numberDecimal"] if isinstance(value, dict) else str(value)).quantize(Decimal("0.0001"))


def failures(document: dict[str, Any]) -> list[str]:
    """Paths of the values that silver must report, sorted."""
    found = []
    for line in document.get("items") or []:
        found += ["items[].quantity"] if line["quantity"] is not None and whole(line["quantity"]) is None else []
        found += ["items[].weight"] if line["weight"] != line["weight"] else []
    return sorted(found + (["created_at"] if isinstance(document.get("created_at"), str) else []))


def expected_orders(states: dict[str, Current]) -> Rows:
    """Silver's orders by document id."""
    return {
        (key,): (
            state.head.op == "d",
            state.head.op,
            state.head.at,
            state.head.order,
            None if state.is_tied else state.first,
            state.image.get("order_id"),
            state.image.get("status"),
            state.image.get("priority"),
            moment(state.image.get("created_at")),
            state.image.get("gift_wrap"),
            [whole(line["quantity"]) for line in state.image["items"]] if "items" in state.image else None,
            json.dumps({"legacy_flags": state.image["legacy_flags"]}, separators=(",", ":"))
            if "legacy_flags" in state.image
            else None,
            failures(state.image),
        )
        for key, state in states.items()
    }


def expected_days(orders: dict[str, Current], shipments: dict[str, Current]) -> Rows:
    """Gold's days by date and priority."""
    shipped: dict[str, list[datetime]] = defaultdict(list)
    for shipment in shipments.values():
        at = moment(shipment.image.get("shipped_at"))
        if shipment.head.op != "d" and at:
            shipped[shipment.image["order_id"]].append(at)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for key, order in orders.items():
        if order.head.op != "d":
            groups[day_of(order.image, key), order.image.get("priority") or "unknown"].append(order.image)
    return {group: _measure(documents, shipped) for group, documents in groups.items()}


def _measure(documents: list[dict[str, Any]], shipped: dict[str, list[datetime]]) -> tuple[Any, ...]:
    statuses = Counter(document.get("status") for document in documents)
    hours = []
    for document in documents:
        created = moment(document.get("created_at"))
        times = [at for at in shipped[document.get("order_id", "")] if created and at >= created]
        if created and times:
            hours.append((min(times) - created) / timedelta(hours=1))
    lines = [
        (whole(line["quantity"]), price(line["unit_price"]))
        for document in documents
        for line in document.get("items") or []
    ]
    priced = [quantity * each for quantity, each in lines if quantity is not None]
    completed = statuses["shipped"] + statuses["delivered"]
    return (
        len(documents),
        completed,
        statuses["cancelled"],
        len(documents) - completed - statuses["cancelled"] - statuses["dead_letter"],
        completed / len(documents),
        pytest.approx(sum(hours) / len(hours), abs=1e-6) if hours else None,
        pytest.approx(quantile(sorted(hours), 0.5), abs=1e-6) if hours else None,
        pytest.approx(quantile(sorted(hours), 0.95), abs=1e-6) if hours else None,
        sum(quantity or 0 for quantity, _ in lines),
        sum(priced) if priced else None,
    )


def quantile(ordered: list[float], fraction: float) -> float:
    """Linear interpolation between the nearest ranks."""
    rank = (len(ordered) - 1) * fraction
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)


# The warehouse under test.


class Sandbox:
    """Bronze, silver and gold schemas of their own in the running stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def create(self) -> None:
        """Empty bronze tables."""
        for schema, bucket in (("bronze", "wms-bronze"), ("silver", "wms-silver"), ("gold", "wms-gold")):
            self.query(
                f"create schema if not exists iceberg.{PREFIX}{schema} with (location = 's3://{bucket}/{PREFIX}{schema}')"
            )
        for table in bronze.tables():
            self.query(bronze.ddl(table).replace("iceberg.bronze.", f"iceberg.{PREFIX}bronze."))

    def drop(self) -> None:
        """Remove every schema."""
        for schema in ("bronze", "silver", "gold"):
            self.query(f"drop schema if exists iceberg.{PREFIX}{schema} cascade")

    def query(self, statement: str) -> list[list[Any]]:
        """All rows of a statement."""
        return sql.query(self.stack, statement)

    def insert(self, records: list[Record]) -> None:
        """Commit records to bronze, a table at a time, as the Flink job does."""
        for topic in {record.topic for record in records}:
            values = ", ".join(_values(record) for record in records if record.topic == topic)
            self.query(
                f"insert into {PREFIX}bronze.{topic}_raw (kafka_topic, kafka_partition, kafka_offset,"
                f" kafka_timestamp, ingested_at, op, document_id, source_ts, source_ord, snapshot, envelope)"
                f" values {values}"
            )

    def dbt(self, *arguments: str) -> None:
        """Run the models of this test; small windows, so that one run takes several."""
        variables = {"schema_prefix": PREFIX, "cdc_window_records": 250}
        done = subprocess.run(
            [
                *(sys.executable, "-m", "dbt.cli.main", "run", *arguments),
                *("--select", *SELECTION, "--vars", json.dumps(variables)),
            ],
            cwd=REPO,
            env=transform.environment(self.stack),
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]

    def orders(self) -> Rows:
        """Silver's orders as the oracle spells them."""
        rows = self.query(
            f"""
            select
                document_id, is_deleted, op, cast(to_unixtime(source_ts) * 1000 as bigint), source_ord,
                kafka_partition, kafka_offset, order_id, status, priority, created_at, gift_wrap,
                transform(items, item -> item.quantity), extra_fields,
                array_sort(transform(coalesce(parse_failures, array[]), failure -> failure.path))
            from {PREFIX}silver.orders_current
            """
        )
        return {(row[0],): (*row[1:5], (row[5], row[6]), *row[7:]) for row in rows}

    def days(self) -> Rows:
        """Gold's days as the oracle spells them."""
        rows = self.query(
            f"""
            select
                date, priority, total_orders, completed_orders, cancelled_orders, in_progress_orders, completion_rate,
                avg_fulfillment_time_hours, p50_fulfillment_time_hours, p95_fulfillment_time_hours, total_items,
                total_revenue
            from {PREFIX}gold.order_fulfillment_daily
            """
        )
        return {tuple(row[:2]): tuple(row[2:]) for row in rows}

    def everything(self, table: str, excluded: set[str]) -> list[str]:
        """All rows of a table as sorted text, without some columns."""
        names = [row[0] for row in self.query(f"show columns from {PREFIX}{table}") if row[0] not in excluded]
        return sorted(map(str, self.query(f"select {', '.join(names)} from {PREFIX}{table}")))


def _values(record: Record) -> str:
    def text(value: str | None) -> str:
        return "null" if value is None else "'" + value.replace("'", "''") + "'"

    at = f"from_unixtime({record.at // 1000}) + interval '0.001' second * {record.at % 1000}"
    is_tombstone = record.op == "t"
    envelope = json.dumps(
        {
            "before": record.image if record.op == "d" else None,
            "after": None if record.op == "d" else record.image,
            "op": record.op,
        }
    )
    return (
        f"('cdc.wms.{record.topic}', {record.partition}, {record.offset}, current_timestamp, current_timestamp,"
        f" '{record.op}', {text(record.key)}, {'null' if is_tombstone else at},"
        f" {'null' if is_tombstone else record.order}, 'false', {'null' if is_tombstone else text(envelope)})"
    )


@pytest.fixture
def sandbox(running_stack: Stack) -> Iterator[Sandbox]:
    """A sandbox that is gone afterwards."""
    box = Sandbox(running_stack)
    box.drop()
    box.create()
    yield box
    box.drop()


def differences(expected: Rows, found: Rows) -> dict[tuple[Any, ...], tuple[Any, Any]]:
    """Keys whose rows differ, with both; None in the expected coordinates leaves them open."""
    result = {}
    for key in expected.keys() | found.keys():
        wanted, got = expected.get(key), found.get(key)
        if wanted and got and len(wanted) == 13 and wanted[4] is None:
            got = (*got[:4], None, *got[5:])
        if wanted != got:
            result[key] = (wanted, got)
    return result


def test_any_batches_of_a_disordered_log_converge(sandbox: Sandbox) -> None:
    print(f"seed {SEED}")
    log = Log(SEED)
    log.fill()
    cuts = {
        at: [*sorted(log.random.randrange(len(records) + 1) for _ in range(BATCHES - 1)), len(records)]
        for at, records in log.partitions.items()
    }
    arrived: list[Record] = []
    for batch in range(BATCHES):
        new = [
            record
            for at, records in log.partitions.items()
            for record in records[cuts[at][batch - 1] if batch else 0 : cuts[at][batch]]
        ]
        sandbox.insert(new)
        arrived += new
        sandbox.dbt()
        orders = current(record for record in arrived if record.topic == "orders")
        shipments = current(record for record in arrived if record.topic == "shipments")
        assert not differences(expected_orders(orders), sandbox.orders()), f"silver after batch {batch}, seed {SEED}"
        assert not differences(expected_days(orders, shipments), sandbox.days()), (
            f"gold after batch {batch}, seed {SEED}"
        )

    # A crash after the merge loses the watermark: everything is read again, and nothing may change.
    snapshot = sandbox.query(f'select max(committed_at) from {PREFIX}silver."orders_current$snapshots"')
    sandbox.query(f"delete from {PREFIX}silver.orders_current__watermarks")
    sandbox.dbt()
    assert sandbox.query(f'select max(committed_at) from {PREFIX}silver."orders_current$snapshots"') == snapshot

    # Of a document with ties in one transaction, the coordinates may be those of another copy.
    silver_only_content = {"processing_time", "kafka_partition", "kafka_offset", "image_source"}
    tables = (
        ("silver.orders_current", silver_only_content),
        ("silver.shipments_current", silver_only_content),
        ("gold.order_fulfillment_daily", {"processing_time"}),
    )
    incremental = {table: sandbox.everything(table, excluded) for table, excluded in tables}
    sandbox.dbt("--full-refresh")
    for table, excluded in tables:
        assert sandbox.everything(table, excluded) == incremental[table], (
            f"{table} differs from its rebuild, seed {SEED}"
        )
