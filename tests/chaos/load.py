"""A warehouse that works on through every storm."""

from __future__ import annotations

import threading
from datetime import timedelta

from ingest.simulator.cli import simulate
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

CHANGES_PER_SECOND = 60.0
WORLD = timedelta(minutes=10)  # about 700 changes, so that the load ends within seconds of being told to


class Load(threading.Thread):
    """One small world after another, until it is told to stop; a world that a sink did not take is written again.

    seed: of the first world. Writing a world again changes nothing but the order in which MongoDB sees it.
    """

    def __init__(self, stack: Stack, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self._stack = stack
        self._seed = seed
        self._stopping = threading.Event()
        self.worlds = 0
        self.repeated = 0

    def run(self) -> None:
        """Thread body."""
        while not self._stopping.is_set():
            try:
                simulate(
                    self._stack,
                    duration=WORLD,
                    seed=self._seed + self.worlds,
                    history_days=0,
                    changes_per_second=CHANGES_PER_SECOND,
                    deletes=0.05,
                    late_updates=0.05,
                )
                self.worlds += 1
            except MeshError as error:  # the sinks' patience is two minutes: a storm can be longer
                self.repeated += 1
                print(f"  the load is refused, and tries again: {error}", flush=True)

    def finish(self) -> None:
        """Write the present world to its end. Raises AssertionError when that does not happen."""
        self._stopping.set()
        self.join(timeout=300)
        assert not self.is_alive(), "the load does not end: MongoDB or Kafka takes no writes"
        assert self.worlds > 0, "nothing was written: the storm would prove nothing"
