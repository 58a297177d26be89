"""What can happen in a storm, and a seeded choice of it."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import requests

from tests.chaos.disk import LimitedFolder
from tests.chaos.proxy import Proxy
from wms_mesh import lifecycle
from wms_mesh.stack import Stack

ENGINES = (
    "mongodb",
    "kafka",
    "connect",
    "s3",
    "postgres",
    "metastore",
    "trino",
    "flink-jobmanager",
    "flink-taskmanager",
    "refresher",
)
STOPPED_SECONDS = 60.0
BROKEN_SECONDS = 20.0  # of a link or a disk: four checkpoints
SLOW_SECONDS = 0.3  # for each 64 KiB
MERGE_LIMIT = 90.0  # seconds until the refresher is in the middle of a run: it has a job at least each 15


@dataclass(frozen=True)
class Event:
    """One blow: ``strike`` returns when it is over, and the stack may recover."""

    name: str
    strike: Callable[[], None]


@dataclass(frozen=True)
class Weather:
    """All that can be done to a stack. disk is None where nothing may be mounted."""

    stack: Stack
    links: Mapping[str, Proxy]
    disk: LimitedFolder | None

    def events(self, seed: int) -> Iterator[Event]:
        """Without end: in each five, three engines die (each of the ten before one dies again), one is stopped or the
        disk fills up, and a link breaks or everything restarts."""
        chance = random.Random(seed)
        victims = _deck(chance, ENGINES)
        links = _deck(chance, sorted(self.links))
        stops = _deck(chance, ENGINES)
        pauses = _deck(chance, ["stop", "disk"] if self.disk else ["stop"])
        breaks = _deck(chance, ["cut", "stall", "slow", "restart"])
        while True:
            five = [self._kill(next(victims)) for _ in range(3)]
            five.append(self._stop(next(stops)) if next(pauses) == "stop" else self._full_disk())
            kind = next(breaks)
            five.append(self._restart() if kind == "restart" else self._break(next(links), kind))
            chance.shuffle(five)
            yield from five

    def _kill(self, name: str) -> Event:
        def strike() -> None:
            if name == "refresher":
                self._await_refresh()
            os.kill(_pid(self.stack, name), signal.SIGKILL)

        return Event(f"kill -9 {name}", strike)

    def _stop(self, name: str) -> Event:
        def strike() -> None:
            pid = _pid(self.stack, name)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(STOPPED_SECONDS)  # the length of the blow, nothing is awaited
            with contextlib.suppress(ProcessLookupError):  # the supervisor took it for dead and started another
                os.kill(pid, signal.SIGCONT)

        return Event(f"stop {name} for {STOPPED_SECONDS:.0f} s", strike)

    def _full_disk(self) -> Event:
        def strike() -> None:
            assert self.disk is not None
            self.disk.fill()
            try:
                time.sleep(BROKEN_SECONDS)
            finally:
                self.disk.clear()

        return Event(f"object store's disk full for {BROKEN_SECONDS:.0f} s", strike)

    def _break(self, name: str, kind: str) -> Event:
        link = self.links[name]
        how: dict[str, Callable[[], None]] = {
            "cut": link.cut,
            "stall": link.stall,
            "slow": functools.partial(link.slow, SLOW_SECONDS),
        }

        def strike() -> None:
            how[kind]()
            try:
                time.sleep(BROKEN_SECONDS)
            finally:
                link.heal()

        return Event(f"{kind} the connections to {name} for {BROKEN_SECONDS:.0f} s", strike)

    def _restart(self) -> Event:
        def strike() -> None:
            lifecycle.down(self.stack, lambda _: None)
            lifecycle.up(self.stack, (), lambda _: None)

        return Event("restart everything", strike)

    def _await_refresh(self) -> None:
        """Until the refresher runs a job: idle it would have nothing to lose."""
        deadline = time.monotonic() + MERGE_LIMIT
        while not str(_health(self.stack).get("present_job", "")).startswith("refresh of"):
            assert time.monotonic() < deadline, f"the refresher did no run within {MERGE_LIMIT:.0f} s"
            time.sleep(0.05)


def _health(stack: Stack) -> dict[str, object]:
    with requests.Session() as session:
        session.trust_env = False
        found: dict[str, object] = session.get(stack.url("refresher") + "/healthz", timeout=5).json()
    return found


def _pid(stack: Stack, name: str) -> int:
    [pid] = [unit.pid for unit in lifecycle.status(stack).units if unit.name == name]
    assert pid is not None, f"{name} does not run"
    return pid


def _deck(chance: random.Random, cards: list[str] | tuple[str, ...]) -> Iterator[str]:
    """The cards in a random order, again and again."""
    while True:
        yield from chance.sample(cards, len(cards))
