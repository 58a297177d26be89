"""Start and stop: one refresher for a warehouse, with its settings from the environment."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from wms_mesh import transform, turns
from wms_mesh.errors import MeshError
from wms_mesh.refresher import project, server
from wms_mesh.refresher.loop import Loop, log
from wms_mesh.refresher.schedule import Schedule
from wms_mesh.stack import LOOPBACK, REPO, Stack

DEFAULT_TEST_MINUTES = 15


def run(stack: Stack, target: str) -> None:
    """Refresh until SIGTERM or SIGINT.

    Raises MeshError when another refresher works here, the port is taken, or the project cannot be parsed.
    """
    # By force: importing dbt has set up logging already.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stdout, force=True)
    log.setLevel(logging.INFO)
    logging.getLogger("trino.auth").disabled = True  # it tells of an optional package at every start
    tests_every = test_minutes() * 60
    locks = transform.locks(stack, target)
    project.configure(environment(stack, target))
    dbt = project.Project(REPO, ["--target", target], lambda **more: transform.variables(stack, **more))
    signals = Signals()
    with turns.only_one(locks / "refresher.lock", "A refresher"), signals.handled():
        loop = Loop(dbt, Schedule(tests_every), signals.stopping, lambda who: signals.turn(locks, who))
        host = os.environ.get("MESH_REFRESHER_HOST") or LOOPBACK
        with server.serving(loop, host, stack.port("refresher")) as port:
            log.info("http://%s:%d answers /healthz, /livez and /metrics", host, port)
            loop.serve()
    log.info("stopped")


def environment(stack: Stack, target: str) -> dict[str, str]:
    """dbt's settings, with an artifact folder beside that of `--once`: the two may parse at the same time."""
    return {
        **transform.environment(stack, target),
        "DBT_TARGET_PATH": str(transform.artifacts(stack).with_name("refresher")),
    }


def test_minutes(env: Mapping[str, str] = os.environ) -> float:
    """MESH_REFRESHER_TEST_MINUTES: from one run of a product's data tests to the next."""
    text = env.get("MESH_REFRESHER_TEST_MINUTES") or str(DEFAULT_TEST_MINUTES)
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not minutes > 0:
        raise MeshError(f"MESH_REFRESHER_TEST_MINUTES is '{text}': set it to a number of minutes above 0.")
    return minutes


class Signals:
    """SIGTERM and SIGINT: at once when the process waits or runs a job, at the next turn of the loop otherwise."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._is_interruptible = False

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Install the handlers while the body runs."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def turn(self, locks: Path, who: str) -> Iterator[None]:
        """A turn of the warehouse in which a signal interrupts, while it is awaited and while it is used."""
        self._is_interruptible = True
        try:
            with turns.turn(locks, who, lambda holder: log.info("waiting for %s", holder)):
                yield
        finally:
            self._is_interruptible = False

    def _stop(self, number: int, _: FrameType | None) -> None:
        if self.stopping.is_set():
            return
        self.stopping.set()
        if self._is_interruptible:
            threading.Thread(target=project.cancel_until_exit, daemon=True).start()
            raise KeyboardInterrupt  # dbt starts no further model
