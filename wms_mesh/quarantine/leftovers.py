"""Replays that were cut off: what became of their records is read from Kafka, and marked."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from wms_mesh.quarantine import marks, sending
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.records import Place
from wms_mesh.stack import Stack

# A process that was killed sends no more, but its last bytes may still lie in the network or in the broker's queue:
# after Kafka's own time for a request they have arrived, or never will.
ARRIVAL = timedelta(seconds=30)
_POLL_SECONDS = 0.5


def settle(stack: Stack, say: Callable[[str], None]) -> set[Place]:
    """Give every intent of an earlier replay its outcome. Call it within a replay's turn.

    Returns the places for which that is not possible any more: Kafka has dropped what may have been sent. They must
    not be sent again unseen.
    """
    left = marks.unsettled(stack)
    if not left:
        return set()
    say(f"A replay was cut off: looking in Kafka for {len(left)} records that it may have sent.")
    found = sending.find(stack, left)
    over = max(attempt.intended_at for attempt in left) + ARRIVAL
    if len(found) < len(left) and datetime.now(UTC) < over:
        say(f"{len(left) - len(found)} are not there: until {over:%H:%M:%S} UTC they may still arrive.")
    while len(found) < len(left) and datetime.now(UTC) < over:
        time.sleep(_POLL_SECONDS)
        found |= sending.find(stack, [attempt for attempt in left if attempt not in found])
    lost = _lost(stack, [attempt for attempt in left if attempt not in found])
    marks.settle(stack, [(attempt, found.get(attempt)) for attempt in left if attempt not in lost])
    say(f"{len(found)} had been sent and are marked, {len(left) - len(found) - len(lost)} had not.")
    return {attempt.place for attempt in lost}


def _lost(stack: Stack, missing: list[Attempt]) -> set[Attempt]:
    """Those whose part of the topic fell to its retention, or went with the topic."""
    limits = sending.bounds(stack, [attempt.place for attempt in missing])
    first = {at: limit[0] for at, limit in limits.items()}
    return {
        attempt
        for attempt in missing
        if attempt.search_from < first.get((attempt.place.topic, attempt.place.partition), attempt.search_from + 1)
    }
