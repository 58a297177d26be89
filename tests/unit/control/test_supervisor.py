"""The supervisor against real child processes (small Python ones in place of engines)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from wms_mesh import supervisor as module
from wms_mesh.engines.base import Command, Duty, Engine, NotReady
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming, Stack
from wms_mesh.supervisor import State, Supervisor, only_supervisor


class Sleeper(Engine):
    """An engine that writes its name to a file when it is told to stop, and is ready at once."""

    name = "sleeper"
    program = (
        "import signal, sys, time\n"
        "def stop(*_):\n"
        "    open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print('up', flush=True)\n"
        "while True: time.sleep(0.05)\n"
    )

    def prepare(self) -> None:
        pass

    def command(self) -> Command:
        stops = str(self.stack.home / "stops")
        return Command([sys.executable, "-c", self.program, stops, self.name], cwd=self.stack.home)

    def check(self) -> None:
        log = self.stack.log(self.name)
        if "up" not in log.read_text():
            raise NotReady("not up")


class Dependent(Sleeper):
    name = "dependent"
    needs = ("sleeper",)


class Flag(Duty):
    """True while a file exists; `ensure` makes it."""

    name = "flag"
    needs = ("dependent",)

    def ensure(self) -> None:
        (self.stack.home / "flag").touch()

    def check(self) -> None:
        if not (self.stack.home / "flag").exists():
            raise NotReady("the flag is gone")


class Broken(Sleeper):
    name = "broken"

    def prepare(self) -> None:
        raise MeshError("the disk is full: make room.")


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path / "home", 28900, tmp_path / "cache", Naming.SNAKE_CASE, 5, None)


@pytest.fixture
def start(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Supervisor]]:
    monkeypatch.setattr(module, "POLL", 0.02)
    monkeypatch.setattr(module, "FIRST_BACKOFF", 0.05)
    monkeypatch.setattr(module, "DUTY_CHECK_EVERY", 0.05)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the test's own handlers stay
    running: list[tuple[Supervisor, threading.Thread]] = []

    def start_one(*subjects: Engine | Duty) -> Supervisor:
        supervisor = Supervisor(stack, subjects)
        thread = threading.Thread(target=supervisor.serve)
        thread.start()
        running.append((supervisor, thread))
        return supervisor

    yield start_one
    for supervisor, thread in running:
        supervisor.stopping.set()
        thread.join(20)


def wait_for(condition: Callable[[], bool], what: str, limit: float = 15.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def all_ready(supervisor: Supervisor) -> bool:
    return all(unit.record.state == State.READY for unit in supervisor.units.values())


def test_engine_killed_is_started_again_and_the_restart_is_counted(
    stack: Stack, start: Callable[..., Supervisor]
) -> None:
    supervisor = start(Sleeper(stack))
    wait_for(lambda: all_ready(supervisor), "ready")
    record = supervisor.units["sleeper"].record
    first = record.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: record.pid not in (first, None) and record.state == State.READY, "ready with a new process")
    assert record.restarts == 1


def test_engines_stop_after_those_that_need_them(stack: Stack, start: Callable[..., Supervisor]) -> None:
    supervisor = start(Sleeper(stack), Dependent(stack))
    wait_for(lambda: all_ready(supervisor), "ready")
    supervisor.stopping.set()
    wait_for(lambda: all(unit.done.is_set() for unit in supervisor.units.values()), "stopped")
    assert (stack.home / "stops").read_text().split() == ["dependent", "sleeper"]


def test_engine_that_outlived_its_supervisor_is_adopted_and_not_started_twice(
    stack: Stack, start: Callable[..., Supervisor]
) -> None:
    engine = Sleeper(stack)
    command = engine.command()
    with stack.log("sleeper").open("ab") as out:
        orphan = subprocess.Popen(command.argv, cwd=command.cwd, stdout=out)
    created = psutil.Process(orphan.pid).create_time()
    (stack.run() / "sleeper.pid").write_text(f"{orphan.pid} {created}")
    supervisor = start(engine)
    wait_for(lambda: all_ready(supervisor), "ready")
    assert supervisor.units["sleeper"].record.pid == orphan.pid
    supervisor.stopping.set()
    assert orphan.wait(10) == 0


def test_pid_file_of_another_process_with_the_same_pid_is_ignored(stack: Stack) -> None:
    pidfile = stack.run() / "sleeper.pid"
    pidfile.write_text(f"{os.getpid()} 12345.0")
    assert module.adopt(pidfile) is None


def test_duty_that_is_no_longer_true_is_made_true_again(stack: Stack, start: Callable[..., Supervisor]) -> None:
    supervisor = start(Sleeper(stack), Dependent(stack), Flag(stack))
    wait_for(lambda: all_ready(supervisor), "ready")
    (stack.home / "flag").unlink()
    wait_for(lambda: (stack.home / "flag").exists(), "the flag again")
    wait_for(lambda: all_ready(supervisor), "ready again")


def test_engine_that_cannot_be_prepared_says_why_and_keeps_its_dependents_waiting(
    stack: Stack, start: Callable[..., Supervisor]
) -> None:
    class NeedsBroken(Dependent):
        needs = ("broken",)

    supervisor = start(Broken(stack), NeedsBroken(stack))
    broken = supervisor.units["broken"].record
    wait_for(lambda: broken.failures >= 2, "tried again")
    assert "make room" in broken.reason
    assert supervisor.units["dependent"].record.state == State.WAITING


def test_second_supervisor_of_a_stack_is_refused(stack: Stack) -> None:
    with only_supervisor(stack), pytest.raises(MeshError, match="already runs"), only_supervisor(stack):
        pass
