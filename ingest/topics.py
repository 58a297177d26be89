"""The one place for topics: names, partitions, retention, sizes. Nothing else creates a topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.collections import COLLECTIONS, EVENT_TOPICS

# A document has at most 16 MB, an update carries two of them as JSON inside JSON: up to 1.4 times the bytes.
LARGEST_RECORD = 48 * 1024 * 1024

CDC_PARTITIONS = 3  # one per slot of a small Flink cluster; order per document holds, its id is the key
_DAY_MS = 24 * 60 * 60 * 1000
# Bronze is the history; the topics only have to outlast the longest standstill of the bronze job.
_KEEP_A_WEEK = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
_COMPACTED = {"cleanup.policy": "compact"}
_LARGE = {"max.message.bytes": str(LARGEST_RECORD)}

TOPIC_PREFIX = "cdc"
HEARTBEAT_TOPIC = f"__debezium-heartbeat.{TOPIC_PREFIX}"
NOTIFICATIONS_TOPIC = "mesh.connector.notifications"  # Debezium's own: how far a snapshot is
CONNECT_CONFIGS, CONNECT_OFFSETS, CONNECT_STATUS = "connect-configs", "connect-offsets", "connect-status"

TOLERATED = 100  # services write events by hand: a bad release shows within minutes, single slips raise no alarm
# Debezium writes well-formed envelopes: more than slips of somebody's tool mean that its settings or version changed.
_TOLERATED_CHANGES = 10


@dataclass(frozen=True)
class Topic:
    """One topic as it has to exist.

    config: the broker's own names and texts.
    tolerated: open records of the last 24 hours in the quarantine; with more `./mesh quarantine list` raises the alarm.
    """

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    tolerated: int = TOLERATED


TOPICS = (
    *(Topic(one.topic, CDC_PARTITIONS, {**_KEEP_A_WEEK, **_LARGE}, _TOLERATED_CHANGES) for one in COLLECTIONS),
    *(Topic(name, partitions, {**_KEEP_A_WEEK, **_LARGE}) for name, partitions in EVENT_TOPICS.items()),
    Topic(HEARTBEAT_TOPIC, 1, {"cleanup.policy": "delete", "retention.ms": str(_DAY_MS)}),
    Topic(NOTIFICATIONS_TOPIC, 1, _KEEP_A_WEEK),
    Topic(CONNECT_CONFIGS, 1, _COMPACTED),  # Connect refuses more than one partition here
    Topic(CONNECT_OFFSETS, 1, _COMPACTED),  # one connector, one key
    Topic(CONNECT_STATUS, 1, _COMPACTED),
)


def tolerated(topic: str) -> int:
    """The topic's own number, or the general one: the job also reads event topics that others created."""
    return next((one.tolerated for one in TOPICS if one.name == topic), TOLERATED)
