"""The cache of engine files: nothing unpinned gets in, nothing is fetched twice, nothing fetched is lost."""

from __future__ import annotations

import errno
import io
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import wms_mesh.artifacts.store as module
from tests.unit.artifacts.repository import Repository, store
from wms_mesh.artifacts.coordinates import Coordinate, Locked
from wms_mesh.errors import MeshError

CONTENT = bytes(range(256)) * 4000


@dataclass
class Disk:
    free: int


def test_file_changed_at_its_source_is_kept(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    repository.files[f"/{pinned.coordinate.path}"] = CONTENT[:-1] + b"!"
    cache = store(tmp_path, repository)
    with pytest.raises(MeshError, match=r"engine-1\.0\.jar has SHA-256 .* deleted .* try again"):
        cache.ensure([pinned])
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


def test_cut_off_fetch_starts_over(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    repository.cut_after = [300_000, 500_000]
    store(tmp_path, repository).ensure([pinned])
    assert [asked for _, asked in repository.requests] == [None, "bytes=300000-", "bytes=800000-"]
    assert store(tmp_path, repository).path(pinned.coordinate).read_bytes() == CONTENT


def test_part_of_an_earlier_run_is_thrown_away(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    pinned = repository.add("engine", CONTENT)
    repository.cut_after = [400_000, 0]
    with pytest.raises(MeshError, match="goes on where it was cut off"):
        store(tmp_path, repository).ensure([pinned])
    store(tmp_path, repository).ensure([pinned])
    assert repository.requests[-1][1] == "bytes=400000-"


def test_server_that_does_not_resume_leaves_a_file_with_a_doubled_beginning(
    tmp_path: Path, repository: Repository
) -> None:
    pinned = repository.add("engine", CONTENT)
    repository.ranges = False
    repository.cut_after = [300_000]
    cache = store(tmp_path, repository)
    cache.ensure([pinned])
    assert cache.path(pinned.coordinate).read_bytes() == CONTENT


def test_file_is_fetched_twice(tmp_path: Path, repository: Repository) -> None:
    pinned = [repository.add(f"jar-{number}", CONTENT + bytes([number])) for number in range(20)]
    store(tmp_path, repository).ensure([*pinned, pinned[0]])
    store(tmp_path, repository).ensure(pinned)
    assert len(repository.requests) == 20


def test_two_processes_fetch_the_same_file(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    repository.open.clear()

    class OpensWhenTheSecondWaits(io.StringIO):
        def write(self, text: str) -> int:
            if "Another process" in text:
                repository.open.set()
            return super().write(text)

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(store(tmp_path, repository, said=OpensWhenTheSecondWaits()).ensure, [pinned]) for _ in range(2)
        ]
        for one in both:
            one.result(timeout=20)
    assert len(repository.requests) == 1


def test_damaged_file_in_the_cache_is_run(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    said = io.StringIO()
    cache = store(tmp_path, repository, said=said)
    cache.ensure([pinned])
    path = cache.path(pinned.coordinate)
    path.write_bytes(b"x" * len(CONTENT))
    assert cache.missing([pinned]) == [pinned]
    cache.ensure([pinned])
    assert path.read_bytes() == CONTENT
    assert "engine-1.0.jar in the cache is damaged" in said.getvalue()


def test_file_of_the_local_repository_is_fetched(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    local = tmp_path / "m2" / pinned.coordinate.path
    local.parent.mkdir(parents=True)
    local.write_bytes(CONTENT)
    cache = store(tmp_path / "cache", repository, local=(tmp_path / "m2",))
    cache.ensure([pinned])
    assert not repository.requests
    assert cache.path(pinned.coordinate).read_bytes() == CONTENT


def test_other_file_of_the_same_size_in_the_local_repository_is_trusted(tmp_path: Path, repository: Repository) -> None:
    pinned = repository.add("engine", CONTENT)
    local = tmp_path / "m2" / pinned.coordinate.path
    local.parent.mkdir(parents=True)
    local.write_bytes(b"x" * len(CONTENT))
    cache = store(tmp_path / "cache", repository, local=(tmp_path / "m2",))
    cache.ensure([pinned])
    assert cache.path(pinned.coordinate).read_bytes() == CONTENT


def test_fetch_begins_on_a_disk_that_cannot_take_it(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = repository.add("engine", CONTENT)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(free=module.MARGIN))
    with pytest.raises(MeshError, match=r"MB free but .* MB are needed: free some space"):
        store(tmp_path, repository).ensure([pinned])
    assert not repository.requests


def test_disk_that_fills_up_meanwhile_ends_in_a_traceback(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = repository.add("engine", CONTENT)

    def full(*_: object) -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.Store, "_from", full)
    with pytest.raises(MeshError, match="is full"):
        store(tmp_path, repository).ensure([pinned])


def test_absent_file_or_network_ends_in_a_traceback(
    tmp_path: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ATTEMPTS", 1)
    absent = Locked(Coordinate("org.example", "absent", "1.0"), "0" * 64, 1)
    with pytest.raises(MeshError, match=r"No Maven repository has absent-1\.0\.jar"):
        store(tmp_path, repository).ensure([absent])
    nowhere = module.Store(tmp_path, repositories=["http://127.0.0.1:9"])
    with pytest.raises(MeshError, match=r"cannot be fetched from 127\.0\.0\.1 .*: check the network"):
        nowhere.ensure([absent])


def test_failure_of_one_file_is_told_after_the_last_byte_of_the_others(tmp_path: Path, repository: Repository) -> None:
    slow = repository.add("slow", CONTENT)
    wrong = Locked(repository.add("wrong", CONTENT).coordinate, "0" * 64, len(CONTENT))
    gone, answer = threading.Event(), repository.answer

    def dribble(handler: BaseHTTPRequestHandler) -> None:
        if "wrong" in handler.path:
            answer(handler)
            return
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(500):  # 5 s, unless the client hangs up
                handler.wfile.write(bytes(1024))
                gone.wait(0.01)
        except ConnectionError:
            gone.set()

    repository.answer = dribble  # type: ignore[method-assign]
    with pytest.raises(MeshError, match="wrong-1"):
        store(tmp_path, repository).ensure([slow, wrong])
    assert gone.wait(5)
