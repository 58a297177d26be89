"""The Debezium connector: applied, watched, restarted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import requests
from kafka import TopicPartition
from kafka.admin import OffsetSpec

from ingest.collections import COLLECTIONS
from ingest.connector.config import heartbeat_seconds, render
from ingest.connector.rest import Connect as Rest
from ingest.connector.rest import Status
from ingest.topics import HEARTBEAT_TOPIC
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.engines.connect import mongodb_reference
from wms_mesh.engines.kafka import admin, read_one
from wms_mesh.stack import Stack

# A stream that failed can still show RUNNING; without a record for this many heartbeats it is not believed.
STALLED_AFTER_HEARTBEATS = 15
_HEARTBEAT = TopicPartition(HEARTBEAT_TOPIC, 0)


@dataclass(frozen=True)
class Newest:
    """The newest record of a topic-partition. timestamp: when Connect produced it, Unix seconds."""

    partition: TopicPartition
    offset: int
    timestamp: float


class Connector(Duty):
    """Lag comes from the records themselves: Connect's REST interface has none, and JMX would be one more open port."""

    name = "connector"
    needs = ("mongodb", "connect", "topics")

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self._ensured_at: float | None = None
        self._newest: dict[TopicPartition, Newest] = {}
        self._looked_at: Newest | None = None
        self._last_lag: int | None = None

    def ensure(self) -> None:
        """Apply the configuration when it differs; restart what failed, or all when the stream fell silent."""
        rest = self._rest()
        try:
            if not rest.apply(render(self.stack.naming, mongodb_reference(self.stack))):
                status = rest.status()
                _require_place(status)
                if not status.running:
                    rest.restart(only_failed=True)
                elif self._silence() > _stalled_after():
                    rest.restart(only_failed=False)
        except requests.RequestException as error:
            raise NotReady(f"Connect does not take the connector: {error}") from error
        self._ensured_at = time.time()

    def check(self) -> None:
        """Its task runs, and the stream has said something since it was ensured, and lately."""
        try:
            status = self._rest().status()
        except requests.RequestException as error:
            raise NotReady(f"Connect does not answer ({type(error).__name__})") from error
        _require_place(status)
        if not status.running:
            reason = f": {status.trace}" if status.trace else ""
            raise NotReady(f"connector {status.connector}, task {status.task}{reason}")
        self._newest = self._find_newest()
        if self._last_sign() < (self._ensured_at or 0):
            raise NotReady("the task says RUNNING, its stream has not said anything yet")
        if self._silence() > _stalled_after():
            raise NotReady(f"the task says RUNNING, but its stream has been silent for {self._silence():,.0f} s")

    def detail(self) -> dict[str, object]:
        """heartbeat_age_s; last_event (ISO 8601); lag_ms: from the change in MongoDB to its record, of that event."""
        facts: dict[str, object] = {"task": "RUNNING"}  # or check would have said otherwise
        if _HEARTBEAT in self._newest:
            facts["heartbeat_age_s"] = round(time.time() - self._newest[_HEARTBEAT].timestamp, 1)
        changes = [one for partition, one in self._newest.items() if partition != _HEARTBEAT]
        if changes:
            last = max(changes, key=lambda one: one.timestamp)
            facts["last_event"] = datetime.fromtimestamp(last.timestamp, UTC).isoformat(timespec="milliseconds")
            facts["lag_ms"] = self._lag(last)
        return facts

    def _rest(self) -> Rest:
        return Rest(self.stack.url("connect"))

    def _last_sign(self) -> float:
        """When the connector last produced anything, Unix seconds; 0 when it never did."""
        return max((one.timestamp for one in self._newest.values()), default=0.0)

    def _silence(self) -> float:
        """Seconds without a sign of life, from ``ensure`` on: a stack that was down has not fallen silent."""
        now = time.time()
        return now - max(self._last_sign(), self._ensured_at or now)

    def _find_newest(self) -> dict[TopicPartition, Newest]:
        with admin(self.stack) as client:
            changes = [
                TopicPartition(topic["name"], partition["partition_index"])
                for topic in client.describe_topics([one.topic for one in COLLECTIONS])
                for partition in topic["partitions"]
            ]
            found = client.list_partition_offsets(dict.fromkeys([_HEARTBEAT, *changes], OffsetSpec.MAX_TIMESTAMP))
        return {
            partition: Newest(partition, answer.offset, answer.timestamp / 1000)
            for partition, answer in found.items()
            if answer.offset >= 0 and answer.timestamp >= 0
        }

    def _lag(self, record: Newest) -> int | None:
        """Milliseconds from the change (source.ts_ms) to its record; None for a tombstone."""
        if record != self._looked_at:
            value = read_one(self.stack, record.partition, record.offset)
            source_ms = None if value is None else int(json.loads(value)["source"]["ts_ms"])
            self._last_lag = None if source_ms is None else round(record.timestamp * 1000) - source_ms
            self._looked_at = record
        return self._last_lag


def _require_place(status: Status) -> None:
    """Restarting does not help a connector without a place, and one that was stopped is not ours to start."""
    if status.has_lost_its_place:
        raise NotReady(
            "MongoDB's oplog no longer holds the change from which the connector has to go on, so it cannot:"
            " `./mesh recapture` takes all documents again and finds those that are gone"
        )
    if status.connector == "STOPPED":
        raise NotReady("the connector is stopped: `./mesh recapture` does that, and when it was cut off, run it again")


def _stalled_after() -> float:
    return STALLED_AFTER_HEARTBEATS * heartbeat_seconds()
