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

    who: what others read while they wait. wait: called once with the present holder when there is one.
    """
    # The door keeps the order: a refresher that is always busy lets go of the lock and asks for it again within
    # milliseconds, and would overtake whoever waits. So one waits inside the door, and the next one before it.
    with (folder / "writer.door").open("a+", encoding="utf-8") as door, _open(folder / "writer.lock") as lock:
        _wait_for(door, lock, wait)
        _wait_for(lock, lock, wait)
        fcntl.flock(door, fcntl.LOCK_UN)
        _sign(lock, who)
        yield lock.fileno()


@contextlib.contextmanager
def only_one(path: Path, who: str) -> Iterator[None]:
    """Hold a lock for as long as this process does something; raise MeshError, naming the holder, when another does."""
    with _open(path) as lock:
        if not _try(lock):
            raise MeshError(
                f"{_holder(lock)} already runs here: look at it with `./mesh logs refresher`, or run dbt once beside it"
                " with `./mesh refresh --once`."
            )
        _sign(lock, who)
        yield


def _open(path: Path) -> IO[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("a+", encoding="utf-8")


def _try(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(gate: IO[str], lock: IO[str], wait: Callable[[str], None]) -> None:
    if not _try(gate):
        wait(_holder(lock))
        fcntl.flock(gate, fcntl.LOCK_EX)


def _sign(lock: IO[str], who: str) -> None:
    lock.truncate(0)
    lock.write(f"{who} (process {os.getpid()})")
    lock.flush()


def _holder(lock: IO[str]) -> str:
    lock.seek(0)
    return lock.read() or "Another process"
