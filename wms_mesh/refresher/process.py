"""Start and stop: one refresher for a warehouse, with its settings from the environment."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from math import inf
from types import FrameType

from wms_mesh import transform, turns
from wms_mesh.errors import MeshError
from wms_mesh.monitoring.storage import StorageGauge
from wms_mesh.quality import regular as quality
from wms_mesh.quarantine.gauge import QuarantineGauge
from wms_mesh.refresher import project, server
from wms_mesh.refresher.loop import Loop, log
from wms_mesh.refresher.schedule import Schedule
from wms_mesh.slo.regular import Regular
from wms_mesh.stack import LOOPBACK, REPO, Stack

DEFAULT_TEST_MINUTES = 15
DEFAULT_SLO_MINUTES = 15
DEFAULT_QUALITY_MINUTES = 60
BESIDE = "look at it with `./mesh logs refresher`, or run dbt once beside it with `./mesh refresh --once`"


def run(stack: Stack, target: str) -> None:
    """Refresh until SIGTERM or SIGINT.

    Raises MeshError when another refresher works here, the port is taken, or the project cannot be parsed.
    """
    # By force: importing dbt has set up logging already.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stdout, force=True)
    log.setLevel(logging.INFO)
    logging.getLogger("trino.auth").disabled = True  # it tells of an optional package at every start
    tests_every = minutes_between_tests() * 60
    slo_every = minutes_between_measurements() * 60
    quality_every = minutes_between_checkpoints() * 60
    locks = transform.locks(stack, target)
    project.configure(environment(stack, target))
    dbt = project.Project(REPO, ["--target", target], lambda **more: transform.variables(stack, **more))
    stop = Stop()
    with stop.handled(), turns.only_one(locks / "refresher.lock", "A refresher", BESIDE):
        loop = Loop(dbt, Schedule(tests_every), lambda who: turns.turn(locks, who, _say))
        host = os.environ.get("MESH_REFRESHER_HOST") or LOOPBACK
        # Of another warehouse this process knows neither the MongoDB nor the Kafka that it is measured against.
        is_embedded = transform.is_embedded(target)
        slo = Regular(stack, lambda: dbt.manifest, slo_every) if is_embedded and slo_every > 0 else None
        checks = quality.Regular(stack, quality_every) if is_embedded and quality_every > 0 else None
        quarantine = QuarantineGauge(stack)
        more = (quarantine, StorageGauge(stack)) if is_embedded else ()
        with server.serving(loop, host, stack.port("refresher"), slo, checks, more) as port, quality.stopped(checks):
            log.info("http://%s:%d answers /healthz, /livez and /metrics", host, port)
            for regular in (slo, checks):
                if regular is not None:
                    regular.start()
            if is_embedded:
                quarantine.start()
            while not stop.is_asked:
                loop.step()
    log.info("stopped")


def _say(holder: str) -> None:
    log.info("waiting until %s is done", holder)


def environment(stack: Stack, target: str) -> dict[str, str]:
    """dbt's settings, with an artifact folder beside that of `--once`: the two may parse at the same time."""
    return {
        **transform.environment(stack, target),
        "DBT_TARGET_PATH": str(transform.artifacts(stack).with_name("refresher")),
    }


def minutes_between_tests(env: Mapping[str, str] = os.environ) -> float:
    """MESH_REFRESHER_TEST_MINUTES: from one run of a product's data tests to the next."""
    minutes = _minutes(env, "MESH_REFRESHER_TEST_MINUTES", DEFAULT_TEST_MINUTES)
    if not minutes > 0:
        raise MeshError("MESH_REFRESHER_TEST_MINUTES is 0: set it to a number of minutes above 0.")
    return minutes


def minutes_between_measurements(env: Mapping[str, str] = os.environ) -> float:
    """MESH_SLO_MINUTES: from one measurement of the promises to the next; 0 for none."""
    return _minutes(env, "MESH_SLO_MINUTES", DEFAULT_SLO_MINUTES)


def minutes_between_checkpoints(env: Mapping[str, str] = os.environ) -> float:
    """MESH_QUALITY_MINUTES: from one run of the quality checkpoints to the next; 0 for none."""
    return _minutes(env, "MESH_QUALITY_MINUTES", DEFAULT_QUALITY_MINUTES)


def _minutes(env: Mapping[str, str], name: str, default: int) -> float:
    text = env.get(name) or str(default)
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not 0 <= minutes < inf:
        raise MeshError(f"{name} is '{text}': set it to a number of minutes.")
    return minutes


class Stop:
    """SIGTERM and SIGINT: an interrupt wherever the process is.

    dbt then starts no further model, and its statements are cancelled. The handler takes no lock (the thread that it
    interrupts may hold it): it sets a flag and rings a pipe.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._listener, self._bell = os.pipe()

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Until it is asked for; the interrupt ends here."""
        threading.Thread(target=self._cancel, daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        with contextlib.suppress(KeyboardInterrupt):
            yield

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.is_asked:
            self.is_asked = True
            os.write(self._bell, b"!")
            raise KeyboardInterrupt

    def _cancel(self) -> None:
        os.read(self._listener, 1)
        project.cancel_until_exit()
