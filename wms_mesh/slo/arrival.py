"""Wait until silver has passed the common point, collection by collection, and judge each as it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.collections import Collection
from wms_mesh.errors import MeshError
from wms_mesh.slo import point
from wms_mesh.slo.judge import Judgement, judge, unjudged
from wms_mesh.slo.look import Look
from wms_mesh.slo.point import Ends, Positions
from wms_mesh.stack import Stack

LOOK_EVERY = 2.0  # seconds between looks at the watermarks

Say = Callable[[str], None]


@dataclass(frozen=True)
class Candidates:
    """What a first look left open. before: the documents (BSON by key) ahead of the point. limit: seconds to wait."""

    collection: Collection
    look: Look
    before: Mapping[str, bytes]
    limit: float


@dataclass(frozen=True)
class Settled:
    """One collection at the end of its wait.

    moment: the common point, or the end of the wait when silver did not come to it. floor: then, the moment up to which
    everything is known to have arrived.
    """

    moment: datetime
    judgement: Judgement
    floor: datetime | None = None


def settle(stack: Stack, candidates: Mapping[str, Candidates], at: datetime, say: Say) -> dict[str, Settled]:
    """Wait for each collection no longer than its limit."""
    started = time.monotonic()
    waiting, settled = dict(candidates), dict[str, Settled]()
    ends: dict[str, Ends] = {}
    while waiting:
        heartbeat = point.newest_heartbeat(stack) if not ends else None
        if heartbeat and heartbeat > at:
            ends = {name: point.ends(stack, one.collection) for name, one in waiting.items()}
        read = point.read_until(stack, [one.collection for one in waiting.values()])
        waited = time.monotonic() - started
        for name, one in list(waiting.items()):
            if ends and _has_passed(stack, one.collection, read[name], ends[name], at):
                settled[name] = Settled(at, judge(stack, one.collection, one.look, one.before))
            elif waited > one.limit:
                settled[name] = Settled(
                    datetime.now(UTC), unjudged(one.look), _floor(stack, one.collection, read[name], at)
                )
            else:
                continue
            del waiting[name]
        if waiting:
            what = ", ".join(waiting) if ends else "the connector's next heartbeat"
            say(f"waiting for {what} to come to {at:%H:%M:%S} UTC ({waited:.0f} s so far)")
            time.sleep(LOOK_EVERY)
    return settled


def _has_passed(stack: Stack, collection: Collection, read: Positions, ends: Ends, at: datetime) -> bool:
    return point.has_arrived(stack, collection, read, ends) and not point.oldest_unread(stack, collection, read, at)


def _floor(stack: Stack, collection: Collection, read: Positions, at: datetime) -> datetime:
    """What is known without the point: Kafka's oldest change that silver lacks, and how far the connector has come."""
    heartbeat = point.newest_heartbeat(stack)
    if heartbeat is None:
        raise MeshError("The connector has never said anything, so nothing can be measured: `./mesh status` shows it.")
    on_its_way = point.oldest_on_its_way(stack, collection, read, point.ends(stack, collection))
    return min(heartbeat, on_its_way or heartbeat)
