"""How old the oldest change is that a product does not show, and how long the changes of a window took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ingest.collections import Collection
from wms_mesh.slo import delay, point
from wms_mesh.slo.arrival import Settled
from wms_mesh.slo.delay import Delays, History, Step
from wms_mesh.slo.promises import Promise
from wms_mesh.stack import Stack


def timed(stack: Stack, promise: Promise, settled: Mapping[str, Settled], window: timedelta) -> tuple[float, Delays]:
    """Freshness in seconds at the moment of each collection, the worst of them; and the delays of all together."""
    freshness, taken = 0.0, []
    for collection in promise.collections:
        at = settled[collection.name]
        history, steps = _visible(stack, promise, collection, at.moment - window)
        shown = read_at(history, collection.topic, steps, at.moment)
        oldest = point.oldest_unread(stack, collection, shown, at.moment)
        since = min((one for one in (oldest, at.floor) if one is not None), default=at.moment)
        freshness = max(freshness, (at.moment - since).total_seconds())
        in_window = [step for step in steps if at.moment - window <= step.visible_at <= at.moment]
        taken.append((collection, in_window, history.begun_at))
    return freshness, delay.delays(stack, taken)


def _visible(stack: Stack, promise: Promise, collection: Collection, since: datetime) -> tuple[History, list[Step]]:
    """The history of the collection's silver table, and its steps as the product showed them."""
    silver = delay.silver(collection)
    if promise.follower is None:
        history = delay.history(stack, silver, since)
        return history, history.steps(collection.topic)
    follower = delay.history(stack, f"gold.{promise.follower}", since)
    commits = delay.commits(stack, silver)
    schema, table = silver.split(".")
    source = f'"iceberg"."{schema}"."{table}"'  # as macros/gold/follow.sql calls it
    read = [commits[snapshot] for run in follower.runs if (snapshot := run.positions.get((source, 1))) in commits]
    history = delay.history(stack, silver, min([since, *read]))
    return history, delay.followed(history, collection.topic, commits, follower.runs, source)


def read_at(history: History, topic: str, steps: list[Step], moment: datetime) -> dict[int, int]:
    """The positions up to which a product shows a topic at a moment."""
    positions = {partition: at for (source, partition), at in history.runs[0].positions.items() if source == topic}
    for step in steps:
        if step.visible_at <= moment:
            positions[step.partition] = max(step.high, positions.get(step.partition, 0))
    return positions
