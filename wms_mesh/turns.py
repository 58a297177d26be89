"""One writer at a time: whoever runs dbt against a warehouse takes a turn, and the others wait for it.

The locks are files in the stack's folder, held by the kernel: a process that dies lets go of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from wms_mesh.errors import MeshError


@contextlib.contextmanager
def turn(folder: Path, who: str, wait: Callable[[str], None]) -> Iterator[int]:
    """Hold the warehouse's writing lock, after whoever has it now; yields its descriptor, for a child to keep.

    who: what others read while they wait. wait: called with the present holder, at the door and inside it.
    """
    # The door keeps the order: a refresher that is always busy lets go of the lock and asks for it again within
    # milliseconds, and would overtake whoever waits. So one waits inside the door, and the next one before it.
    with _open(folder / "writer.door") as door, _open(folder / "writer.lock") as lock:
        _take(door, who, wait)
        _take(lock, who, wait)
        _release(door)
        try:
            yield lock.fileno()
        finally:
            lock.truncate(0)  # the lock itself goes with its last descriptor: a child may still have one


@contextlib.contextmanager
def only_one(path: Path, who: str, advice: str) -> Iterator[None]:
    """Hold a lock for as long as this process does something.

    Raises MeshError when another does, with its holder and the advice.
    """
    with _open(path) as lock:
        if not _try(lock, who):
            raise MeshError(f"{_holder(lock)} already runs here: {advice}.")
        yield


def _open(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")


def _try(lock: IO[str], who: str) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    _sign(lock, who)
    return True


def _take(lock: IO[str], who: str, wait: Callable[[str], None]) -> None:
    if not _try(lock, who):
        wait(_holder(lock))
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(lock, who)


def _release(lock: IO[str]) -> None:
    lock.truncate(0)
    fcntl.flock(lock, fcntl.LOCK_UN)


def _sign(lock: IO[str], who: str) -> None:
    lock.truncate(0)
    lock.write(f"{who} (process {os.getpid()})")
    lock.flush()


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read() or "another process"
