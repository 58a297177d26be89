"""One writer: processes that meet at the lock, and those that die with it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wms_mesh import transform, turns
from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, Stack

HOLDER = """
import sys, pathlib, subprocess
from wms_mesh import turns
with turns.turn(pathlib.Path(sys.argv[1]), "dbt build", print) as lock:
    child = subprocess.Popen(["sleep", "60"], pass_fds=(lock,)) if sys.argv[2] == "with a child" else None
    print(child.pid if child else 0, flush=True)
    sys.stdin.read()
"""


def hold(folder: Path, how: str = "alone") -> tuple[subprocess.Popen[str], int]:
    """Another process that has the turn; its child's process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), how],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_second_writer_does_not_wait_or_does_not_say_for_whom(tmp_path: Path) -> None:
    process, _ = hold(tmp_path)
    said: list[str] = []

    def wait(holder: str) -> None:
        said.append(holder)
        threading.Timer(0.1, process.communicate, [""]).start()

    with turns.turn(tmp_path, "the refresher: orders", wait):
        assert process.wait(10) == 0
        assert said == [f"dbt build (process {process.pid})"]
        with pytest.raises(BlockingIOError), (tmp_path / "writer.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_lock_stays_after_its_holder_was_killed(tmp_path: Path) -> None:
    process, _ = hold(tmp_path)
    process.kill()
    process.wait()
    with turns.turn(tmp_path, "the refresher", pytest.fail):
        pass


def test_lock_is_free_while_a_killed_command_s_dbt_still_writes(tmp_path: Path) -> None:
    process, child = hold(tmp_path, "with a child")
    process.kill()
    process.wait()
    said: list[str] = []

    def wait(holder: str) -> None:
        said.append(holder)
        os.kill(child, signal.SIGKILL)

    with turns.turn(tmp_path, "the refresher", wait):
        assert said


def test_busy_refresher_overtakes_whoever_waits(tmp_path: Path) -> None:
    ran: list[str] = []
    said: list[str] = []
    is_waiting = {"once": threading.Event(), "refresh": threading.Event()}

    def take(who: str) -> None:
        def wait(holder: str) -> None:
            said.append(holder.partition(" (")[0])
            is_waiting[who].set()

        with turns.turn(tmp_path, who, wait):
            ran.append(who)

    threads = [threading.Thread(target=take, args=[who]) for who in is_waiting]
    with turns.turn(tmp_path, "first", lambda _: None):
        for thread, waits in zip(threads, is_waiting.values(), strict=True):
            thread.start()
            assert waits.wait(10)
    for thread in threads:
        thread.join(10)
    assert said[:2] == ["first", "once"]  # inside the door, the second may find the first still at work
    assert ran == ["once", "refresh"]


def test_second_refresher_is_let_in(tmp_path: Path) -> None:
    lock = tmp_path / "refresher.lock"
    refused = pytest.raises(MeshError, match=rf"A refresher \(process {os.getpid()}\) already runs")
    with turns.only_one(lock, "A refresher", "wait"), refused, turns.only_one(lock, "A refresher", "wait"):
        pass
    with turns.only_one(lock, "A refresher", "wait"):
        pass


def test_production_is_looked_for_on_the_stack_s_port_or_locked_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_TRINO_PORT", "8443")
    stack = Stack.from_env({"MESH_HOME": str(tmp_path)})
    assert transform.environment(stack, "prod")["MESH_TRINO_PORT"] == "8443"
    assert transform.environment(stack)["MESH_TRINO_PORT"] == str(stack.port("trino"))
    assert transform.locks(stack, "prod") != transform.locks(stack)
    assert transform.locks(stack, "ci") == transform.locks(stack)
