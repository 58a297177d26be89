"""The process that keeps one stack alive: starts units in order, restarts what dies, stops in reverse.

One thread per unit. Engines outlive a supervisor that was killed: the next one adopts them by process id
and start time, so nothing is started twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO

import psutil

from wms_mesh.engines.base import Duty, Engine, NotReady
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

log = logging.getLogger("supervisor")

FIRST_BACKOFF, LAST_BACKOFF = 1.0, 30.0  # seconds; doubled at each death
HEALTHY_AFTER = 60.0  # seconds alive after which the back-off starts from the bottom again
START_LIMIT = 180.0  # seconds to become ready; then the engine is restarted
POLL = 0.25  # seconds between looks at a process or a need
CHECK_EVERY = 15.0  # seconds between checks of an engine that was ready; each costs real work
DUTY_CHECK_EVERY = 3.0  # a dead job or task must be noticed sooner: this is most of its recovery time
LOG_LIMIT = 64 * 1024 * 1024  # bytes; a larger log moves to .1 when its engine starts


class State(StrEnum):
    """What ``status`` says of a unit."""

    WAITING = "waiting"  # for the units it needs
    STARTING = "starting"
    READY = "ready"
    UNRESPONSIVE = "unresponsive"  # alive, but its check fails
    RESTARTING = "restarting"  # died or failed; waiting out the back-off
    STOPPED = "stopped"


@dataclass
class Record:
    """One unit's line of the state file. ``since``: Unix seconds of the last change of ``state``."""

    name: str
    kind: str
    state: State = State.WAITING
    pid: int | None = None
    port: int | None = None
    restarts: int = 0  # since the supervisor started
    failures: int = 0  # in a row, since it was last ready
    reason: str = ""
    since: float = field(default_factory=time.time)
    detail: dict[str, object] = field(default_factory=dict)


class Unit(threading.Thread):
    """Common life of an engine and a duty: wait for needs, become ready, be watched, stop after dependents."""

    kind: str

    def __init__(self, supervisor: Supervisor, subject: Engine | Duty) -> None:
        super().__init__(name=subject.name, daemon=True)
        self.supervisor = supervisor
        self.record = Record(subject.name, self.kind)
        self.needs = subject.needs
        self.done = threading.Event()
        self.backoff = FIRST_BACKOFF

    def run(self) -> None:
        """Thread body; an unexpected error is reported as the unit's state and tried again."""
        while not self.supervisor.stopping.is_set():
            try:
                self.enter(State.WAITING)
                if self.wait_for_needs():
                    self.live()
            except (NotReady, MeshError) as error:
                self.fail(str(error))
            except Exception as error:  # a defect of one unit must not take the others down
                log.exception("%s", self.name)
                self.fail(f"{type(error).__name__}: {error}")
        self.wait_for_dependents()
        self.stop()
        self.enter(State.STOPPED)
        self.done.set()

    def live(self) -> None:
        """Start (or adopt), become ready, watch; return when stopping, raise when it failed."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop for good; called once, after every dependent has stopped."""

    def enter(self, state: State, reason: str = "") -> None:
        """Record a state; the log gets a line when it changed."""
        if (state, reason) != (self.record.state, self.record.reason):
            log.info("%s: %s %s", self.name, state, reason)
            if state != self.record.state:
                self.record.since = time.time()
            self.record.state, self.record.reason = state, reason
            if state == State.READY:
                self.record.failures = 0

    def fail(self, reason: str) -> None:
        """Wait out the back-off after a death or a failed start."""
        self.record.restarts += 1
        self.record.failures += 1
        self.enter(State.RESTARTING, f"{reason} (again in {self.backoff:.0f} s)")
        self.supervisor.stopping.wait(self.backoff)
        self.backoff = min(self.backoff * 2, LAST_BACKOFF)

    def wait_for_needs(self) -> bool:
        """True when every need is ready; False when the stack is stopping."""
        while not self.supervisor.stopping.wait(POLL / 2):
            missing = [need for need in self.needs if self.supervisor.state(need) != State.READY]
            if not missing:
                return True
            self.record.reason = f"for {', '.join(missing)}"
        return False

    def wait_for_dependents(self) -> None:
        """Block until every unit that needs this one has stopped."""
        for unit in self.supervisor.units.values():
            if self.name in unit.needs:
                unit.done.wait()


class EngineUnit(Unit):
    """A process: started, checked, watched, restarted."""

    kind = "engine"

    def __init__(self, supervisor: Supervisor, engine: Engine) -> None:
        super().__init__(supervisor, engine)
        self.engine = engine
        self.process: psutil.Process | None = None
        self.child: subprocess.Popen[bytes] | None = None
        if engine.ports:
            self.record.port = engine.stack.port(engine.ports[0])

    @property
    def pidfile(self) -> Path:
        """Process id and start time (Unix seconds) of the engine."""
        return self.engine.stack.run() / f"{self.name}.pid"

    def live(self) -> None:
        self.enter(State.STARTING)
        if not self.engine.external():
            self.process = adopt(self.pidfile)
            if self.process is None:
                self.engine.prepare()
                self.start_process()
            self.record.pid = self.process.pid if self.process else None
        self.become_ready()
        self.watch()

    def start_process(self) -> None:
        command = self.engine.command()
        path = self.engine.stack.log(self.name)
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as out:
            self.child = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env={**os.environ, **command.env},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=command.user,
                group=command.user and pwd.getpwnam(command.user).pw_gid,
                extra_groups=[] if command.user else None,
            )
        self.process = psutil.Process(self.child.pid)
        self.pidfile.write_text(f"{self.process.pid} {self.process.create_time()}", encoding="utf-8")

    def alive(self) -> bool:
        """Whether the process runs; reaps it when it was our child."""
        if self.engine.external():
            return True
        if self.child is not None:  # asked alone: a zombie seen first by psutil would lose its exit code
            return self.child.poll() is None
        return self.process is not None and self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE

    def become_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while not self.supervisor.stopping.wait(POLL):
            if not self.alive():
                raise NotReady(self.obituary())
            try:
                self.engine.check()
            except NotReady as reason:
                self.enter(State.STARTING, str(reason))
                if time.monotonic() > deadline:
                    self.end_process()
                    raise NotReady(f"not ready after {START_LIMIT:.0f} s: {reason}") from reason
            else:
                self.enter(State.READY)
                return

    def watch(self) -> None:
        ready_at = checked_at = time.monotonic()
        while not self.supervisor.stopping.wait(POLL):
            if not self.alive():
                raise NotReady(self.obituary())
            now = time.monotonic()
            if now - ready_at > HEALTHY_AFTER:
                self.backoff = FIRST_BACKOFF
            if now - checked_at > CHECK_EVERY:
                try:
                    self.engine.check()
                except NotReady as reason:
                    self.enter(State.UNRESPONSIVE, str(reason))
                else:
                    self.enter(State.READY)
                self.record.detail = self.engine.detail()
                checked_at = time.monotonic()

    def obituary(self) -> str:
        """How the process ended, for ``status``."""
        code = self.child.returncode if self.child is not None else None
        self.record.pid = self.process = self.child = None
        self.pidfile.unlink(missing_ok=True)
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"ended with code {code}" if code is not None else "ended"

    def end_process(self) -> None:
        if self.process is not None and self.alive():
            self.process.send_signal(self.engine.stop_signal)
            deadline = time.monotonic() + self.engine.stop_seconds
            while self.alive() and time.monotonic() < deadline:
                time.sleep(POLL / 5)
            if self.alive():
                log.warning("%s: still alive after %.0f s, killed", self.name, self.engine.stop_seconds)
                self.process.kill()
                while self.alive():
                    time.sleep(POLL / 5)
        self.obituary()

    def stop(self) -> None:
        if not self.engine.external():
            self.process = self.process or adopt(self.pidfile)
            self.end_process()


class DutyUnit(Unit):
    """A fact inside the engines: made true, checked, made true again."""

    kind = "duty"

    def __init__(self, supervisor: Supervisor, duty: Duty) -> None:
        super().__init__(supervisor, duty)
        self.duty = duty

    def live(self) -> None:
        self.enter(State.STARTING)
        self.duty.ensure()
        deadline = time.monotonic() + START_LIMIT
        failure: NotReady | None = None
        ready_at = time.monotonic()
        while not self.supervisor.stopping.is_set():
            try:
                self.duty.check()
            except NotReady as reason:
                failure = reason
                if self.record.state == State.READY or time.monotonic() > deadline:
                    break
                self.record.reason = str(reason)
                self.supervisor.stopping.wait(POLL)
            else:
                self.enter(State.READY)
                self.record.detail = self.duty.detail()
                if time.monotonic() - ready_at > HEALTHY_AFTER:
                    self.backoff = FIRST_BACKOFF
                self.supervisor.stopping.wait(DUTY_CHECK_EVERY)
        if failure is not None and not self.supervisor.stopping.is_set():
            raise failure


class Supervisor:
    """All units of one stack; ``serve`` blocks until SIGTERM or SIGINT and then stops them in order."""

    def __init__(self, stack: Stack, subjects: Sequence[Engine | Duty]) -> None:
        self.stack = stack
        self.stopping = threading.Event()
        self.started_at = time.time()
        self.ready_seconds: float | None = None
        self.units: dict[str, Unit] = {}
        for subject in subjects:
            kind = EngineUnit if isinstance(subject, Engine) else DutyUnit
            self.units[subject.name] = kind(self, subject)  # type: ignore[arg-type]

    def state(self, name: str) -> State:
        """State of one unit. A need outside the chosen subset counts as stopped: it never becomes ready."""
        unit = self.units.get(name)
        return unit.record.state if unit else State.STOPPED

    def serve(self) -> None:
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: self.stopping.set())
        for unit in self.units.values():
            unit.start()
        while not self.stopping.wait(POLL):
            self.write_state()
        while not all(unit.done.is_set() for unit in self.units.values()):
            self.write_state()
            time.sleep(POLL)
        self.write_state()

    def write_state(self) -> None:
        """Replace the state file in one step, so that a reader never sees half of it."""
        records = [unit.record for unit in self.units.values()]
        if self.ready_seconds is None and all(record.state == State.READY for record in records):
            self.ready_seconds = time.time() - self.started_at
        document = {
            "supervisor_pid": os.getpid(),
            "started_at": self.started_at,
            "ready_seconds": self.ready_seconds,
            "monitoring": self.stack.monitoring,
            "units": [asdict(record) for record in records],
        }
        path = state_file(self.stack)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(document, default=str), encoding="utf-8")
        fresh.replace(path)


def state_file(stack: Stack) -> Path:
    """Where the supervisor writes what it knows, four times a second."""
    return stack.run() / "state.json"


def adopt(pidfile: Path) -> psutil.Process | None:
    """The process that a pid file names, if it is still that process (same start time)."""
    try:
        pid, created = pidfile.read_text(encoding="utf-8").split()
        process = psutil.Process(int(pid))
        if abs(process.create_time() - float(created)) < 1.0 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pass  # no file, half a file, or a process that is gone: nothing to adopt
    return None


@contextlib.contextmanager
def only_supervisor(stack: Stack) -> Iterator[IO[str]]:
    """Hold the stack's lock for as long as this process supervises it; raise MeshError when another one does."""
    with (stack.run() / "supervisor.lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MeshError(f"A supervisor already runs for {stack.home}: use `./mesh status`.") from None
        yield lock


def is_supervised(stack: Stack) -> bool:
    """Whether a supervisor holds the stack's lock."""
    try:
        with only_supervisor(stack):
            return False
    except MeshError:
        return True


def main(names: Sequence[str]) -> None:
    """Supervise the named units (all when none is named) of the stack that the environment describes."""
    from wms_mesh.engines import select

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    logging.getLogger("kafka").setLevel(logging.ERROR)  # its clients log every refused connection of a start
    stack = Stack.from_env()
    with only_supervisor(stack):
        Supervisor(stack, select(stack, names)).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
