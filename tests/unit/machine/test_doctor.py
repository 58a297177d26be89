"""The doctor: what keeps a stack from starting is named beforehand, in one sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from wms_mesh import artifacts, doctor, java
from wms_mesh.doctor import Finding, State
from wms_mesh.errors import MeshError
from wms_mesh.stack import PORTS, Stack


@dataclass
class Disk:
    free: float


@dataclass
class Memory:
    available: float


def free_block() -> int:
    """A first port with all of a stack's ports free."""
    for base in range(20000, 27000, len(PORTS)):
        if not any(doctor._taken(base + offset) for offset in range(len(PORTS))):
            return base
    raise AssertionError("no free block")


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    environment = {
        "MESH_HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "MESH_PORT_BASE": str(free_block()),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Stack.from_env(environment)


@pytest.fixture
def holder(stack: Stack) -> Iterator[socket.socket]:
    """This very process listens on Trino's port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", stack.port("trino")))
        listener.listen()
        yield listener


def found(stack: Stack, name: str) -> Finding:
    return next(finding for finding in doctor.diagnose(stack) if finding.name == name)


def test_stranger_on_a_port_is_not_named(stack: Stack, holder: socket.socket) -> None:
    finding = found(stack, "port trino")
    assert finding.state is State.FAIL
    assert str(stack.port("trino")) in finding.sentence
    assert f"process {os.getpid()} (" in finding.sentence
    with pytest.raises(MeshError, match="MESH_PORT_BASE"):
        doctor.require(stack)


def test_stack_that_runs_already_is_taken_for_a_stranger(stack: Stack, holder: socket.socket) -> None:
    (stack.run() / "trino.pid").write_text(f"{os.getpid()} {psutil.Process().create_time()}", encoding="utf-8")
    assert found(stack, "ports").state is State.OK


def test_pid_that_was_given_to_another_process_is_taken_for_ours(stack: Stack, holder: socket.socket) -> None:
    (stack.run() / "trino.pid").write_text(f"{os.getpid()} 1000.0", encoding="utf-8")
    assert found(stack, "port trino").state is State.FAIL


def test_disk_too_small_for_what_is_still_to_be_fetched(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "missing_bytes", lambda: 1_300_000_000)
    monkeypatch.setattr(java, "installed", lambda _: Path("/usr/bin/java"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(free=2.4e9))
    finding = found(stack, "cache disk")
    assert finding.state is State.FAIL
    assert "3.6 GB are needed" in finding.sentence  # 1.3 fetched, 0.7 unpacked, 1.6 for Flink's environment
    assert "XDG_CACHE_HOME" in finding.sentence
    assert found(stack, "stack disk").state is State.OK


@pytest.mark.parametrize(("available", "state"), [(4.9e9, State.FAIL), (6.0e9, State.WARN), (16e9, State.OK)])
def test_stack_starts_without_the_memory_it_needs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, available: float, state: State
) -> None:
    monkeypatch.setattr(doctor, "_available_memory", lambda: available)
    assert found(stack, "memory").state is state


def test_limit_of_the_control_group_is_overlooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the machine's memory is not ours to use."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(available=64e9))
    (tmp_path / "memory.max").write_text("4000000000\n", encoding="ascii")
    (tmp_path / "memory.current").write_text("3000000000\n", encoding="ascii")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 500000000\n", encoding="ascii")
    assert doctor._available_memory(tmp_path) == 1_500_000_000
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert doctor._available_memory(tmp_path) == 64e9


def test_folder_that_cannot_be_written_ends_in_a_traceback(stack: Stack) -> None:
    stack.home.write_text("a file stands where the folder should be", encoding="utf-8")
    finding = found(stack, "stack folder")
    assert finding.state is State.FAIL
    assert "MESH_HOME" in finding.sentence


def test_unreachable_mongodb_shows_its_password(stack: Stack) -> None:
    unreachable = Stack(**{**stack.__dict__, "mongodb_uri": f"mongodb://me:hunter2@127.0.0.1:{stack.port('mongodb')}/"})
    finding = found(unreachable, "mongodb")
    assert finding.state is State.FAIL
    assert "MESH_MONGODB_URI" in finding.sentence
    assert "hunter2" not in finding.sentence


def test_root_without_an_account_for_postgres_starts(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(doctor, "ACCOUNTS", ("no-such-account",))
    finding = found(stack, "account")
    assert finding.state is State.FAIL
    assert "no-such-account" in finding.sentence


def test_warning_keeps_the_stack_from_starting(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_available_memory", lambda: 6e9)
    doctor.require(stack)


def test_served_docs_keep_the_stack_from_starting(stack: Stack) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", stack.port("docs")))
        listener.listen()
        assert found(stack, "ports").state is State.OK
