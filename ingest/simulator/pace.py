"""How fast a simulated day passes in real time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from ingest.simulator.changes import Change


def paced(
    changes: Iterable[Change],
    start_ms: int,
    *,
    speed: float = 0.0,
    changes_per_second: float = 0.0,
    before_wait: Callable[[], None],
) -> Iterator[Change]:
    """The changes, held back until they are due.

    speed: virtual seconds per real second, 0 for no wait. changes_per_second: a ceiling, 0 for none.
    before_wait: called before each pause, so that what has been written becomes visible on time.
    """
    began = time.monotonic()
    for count, change in enumerate(changes):
        due = 0.0
        if speed:
            due = (change.at - start_ms) / 1000 / speed
        if changes_per_second:
            due = max(due, count / changes_per_second)
        wait = began + due - time.monotonic()
        # Pauses below 20 ms are saved up: sleeping for each change would cost more than the change.
        if wait > 0.02:
            before_wait()
            time.sleep(max(0.0, began + due - time.monotonic()))
        yield change
