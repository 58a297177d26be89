"""Start, look at and stop a stack: what ``up``, ``status`` and ``down`` do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import psutil

from wms_mesh import artifacts, environments, java
from wms_mesh.access import client
from wms_mesh.engines import UNITS, offered, select
from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, SECURE, Stack
from wms_mesh.supervisor import Record, State, adopt, is_supervised, state_file

UP_LIMIT = 600.0  # seconds; a cold start also initialises databases and fetches engines
GIVE_UP_AFTER = 4  # failed starts of one unit in a row, with no success, after which `up` reports it
DOWN_LIMIT = 240.0


@dataclass(frozen=True)
class Status:
    """What the supervisor last wrote, with memory measured now (MiB)."""

    supervised: bool
    ready_seconds: float | None
    units: list[Record]
    rss_mb: dict[str, float]

    @property
    def ready(self) -> bool:
        """Whether every unit is ready."""
        return self.supervised and bool(self.units) and all(unit.state == State.READY for unit in self.units)

    @property
    def total_rss_mb(self) -> float:
        """Memory of all engines together, MiB."""
        return sum(self.rss_mb.values())

    def as_json(self) -> dict[str, object]:
        """For ``status --json``."""
        return {
            "supervised": self.supervised,
            "ready": self.ready,
            "ready_seconds": self.ready_seconds,
            "total_rss_mb": round(self.total_rss_mb),
            "engines": [
                {
                    "name": unit.name,
                    "kind": unit.kind,
                    "state": unit.state,
                    "pid": unit.pid,
                    "port": unit.port,
                    "rss_mb": round(self.rss_mb[unit.name]) if unit.name in self.rss_mb else None,
                    "restarts": unit.restarts,
                    "reason": unit.reason,
                    "detail": unit.detail,
                }
                for unit in self.units
            ],
        }


def status(stack: Stack) -> Status:
    """Read the state file; a stack that was never started has no units."""
    supervised = is_supervised(stack)
    try:
        document = _state(stack)
    except FileNotFoundError:
        return Status(supervised, None, [], {})
    known = {field.name for field in fields(Record)}
    units = [Record(**{key: value for key, value in unit.items() if key in known}) for unit in document["units"]]
    if not supervised:
        for unit in units:
            orphan = adopt(stack.run() / f"{unit.name}.pid")
            unit.pid = orphan.pid if orphan else None
            unit.state = State.UNRESPONSIVE if orphan else State.STOPPED
            unit.reason = "runs without a supervisor: `./mesh up` takes it over" if orphan else ""
    rss = {unit.name: _rss_mb(unit.pid) for unit in units if unit.pid is not None}
    return Status(supervised, document["ready_seconds"], units, rss)


def provision() -> None:
    """Have everything here that the engines run from, with progress; a warm machine fetches nothing.

    Raises MeshError when something cannot be had.
    """
    artifacts.fetch()
    for major in java.MAJORS:
        java.java(major)
    environments.folder("flink")


def up(stack: Stack, names: Sequence[str], progress: Callable[[Status], None]) -> Status:
    """Start the stack, or wait for one that is starting, until every unit is ready.

    progress: called with each new Status while waiting.
    Raises MeshError when a unit does not come up; the stack is left as it is, to be looked at.
    """
    for name in names:
        if name not in UNITS:
            raise MeshError(f"There is no engine '{name}': choose from {', '.join(UNITS)}.")
    if not is_supervised(stack):
        provision()
        _remember(stack)
        _start_supervisor(stack, names)
    else:
        if stack.secure != _is_secure(stack):
            raise MeshError(
                f"This stack runs {'without' if stack.secure else 'with'} access control: `./mesh down`, then"
                f" `./mesh up` with MESH_SECURE={int(stack.secure)}."
            )
        if stack.monitoring and not _state(stack).get("monitoring"):
            raise MeshError("This stack runs without metrics: `./mesh down`, then `./mesh up --monitoring`.")
        missing = set(names or offered(stack)) - {unit.name for unit in status(stack).units}
        if missing:
            raise MeshError(
                f"This stack runs without {', '.join(sorted(missing))}: `./mesh down`, then `./mesh up` for all of it."
            )
    deadline = time.monotonic() + UP_LIMIT
    while True:
        now = status(stack)
        progress(now)
        if now.ready:
            return now
        for unit in now.units:
            if unit.state == State.RESTARTING and unit.failures >= GIVE_UP_AFTER:
                raise MeshError(f"{unit.name} does not start: {unit.reason}. Look at `./mesh logs {unit.name}`.")
        if not now.supervised:
            raise MeshError("The supervisor ended. Look at `./mesh logs supervisor`.")
        if time.monotonic() > deadline:
            waiting = ", ".join(
                f"{unit.name} ({unit.reason or unit.state})" for unit in now.units if unit.state != State.READY
            )
            raise MeshError(f"Not ready after {UP_LIMIT:.0f} s: {waiting}. Look at `./mesh logs ENGINE`.")
        time.sleep(0.3)


def down(stack: Stack, progress: Callable[[Status], None]) -> bool:
    """Stop everything in order, data kept; True when something ran. Orphans of a killed supervisor stop, too."""
    if not is_supervised(stack):
        orphans = [unit for unit in status(stack).units if unit.pid is not None]
        if not orphans:
            return False
        _start_supervisor(stack, [unit.name for unit in orphans])
    pid = _supervisor_pid(stack)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_LIMIT
    while is_supervised(stack):
        progress(status(stack))
        if time.monotonic() > deadline:
            raise MeshError(f"Still stopping after {DOWN_LIMIT:.0f} s. Look at `./mesh logs supervisor`.")
        time.sleep(0.3)
    return True


def purge(stack: Stack) -> None:
    """Remove the stopped stack's folder: data, configuration, logs and secrets; downloads stay in the cache."""
    if is_supervised(stack):
        raise MeshError("The stack still runs: `./mesh down --purge` stops it first.")
    if stack.home.exists():
        marker = stack.home / "run"
        if not marker.is_dir():
            raise MeshError(f"{stack.home} does not look like a stack's folder: remove it by hand if it is one.")
        shutil.rmtree(stack.home)


def _start_supervisor(stack: Stack, names: Sequence[str]) -> None:
    select(stack, names)  # a module that cannot be imported is an error here, not in a log
    state_file(stack).unlink(missing_ok=True)
    with stack.log("supervisor").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "wms_mesh.supervisor", *names],
            cwd=REPO,
            env={
                **os.environ,
                "PYTHONPATH": str(REPO),
                "PYTHONUNBUFFERED": "1",
                "MESH_HOME": str(stack.home),
                "MESH_MONITORING": str(int(stack.monitoring)),
                "MESH_SECURE": str(int(stack.secure)),
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not state_file(stack).exists():
        if process.poll() is not None:
            raise MeshError(
                f"The supervisor did not start (code {process.returncode}): `./mesh logs supervisor` says why."
            )
        time.sleep(0.05)


def _is_secure(stack: Stack) -> bool:
    return (stack.home / SECURE).exists()


def _remember(stack: Stack) -> None:
    """Have the commands that come later find a secure stack without being told."""
    stack.home.mkdir(parents=True, exist_ok=True)
    if stack.secure:
        (stack.home / SECURE).touch()
        client.certificate(stack)  # before several engines ask for it at once
    else:
        (stack.home / SECURE).unlink(missing_ok=True)


def _state(stack: Stack) -> dict[str, Any]:
    """What the supervisor wrote last. Raises FileNotFoundError before the first start."""
    document: dict[str, Any] = json.loads(state_file(stack).read_text(encoding="utf-8"))
    return document


def _supervisor_pid(stack: Stack) -> int:
    return int(_state(stack)["supervisor_pid"])


def _rss_mb(pid: int) -> float:
    """Resident memory of a process and its children, MiB; 0 when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) / 1024**2
    except psutil.NoSuchProcess:
        return 0.0
