"""The user's cache of engine files: each fetched once, resumed when cut off, and verified before anything runs it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from wms_mesh.artifacts.coordinates import Coordinate, Locked
from wms_mesh.errors import MeshError

# Small jars are bound by round trips: 8 at a time fetched Kafka's 44 in 2 s instead of 11.
PARALLEL = 8
ATTEMPTS = 5  # in a row without one new byte
TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes
CHUNK = 1 << 18
# Left free after the last byte, for whoever else writes to this disk.
MARGIN = 200 << 20


@dataclass
class Store:
    """``folder/files`` mirrors a Maven repository; a file stands under its own name only once it is verified.

    local: Maven repositories on this machine to take a file from when its checksum is right.
    repositories: base addresses to fetch from; None asks the Maven client that knows its registry.
    """

    folder: Path
    local: Sequence[Path] = ()
    repositories: Sequence[str] | None = None
    console: Console = field(default_factory=lambda: Console(stderr=True))

    def path(self, coordinate: Coordinate) -> Path:
        """Where the file stands once it is here."""
        return self.folder / "files" / coordinate.path

    def missing(self, files: Iterable[Locked]) -> list[Locked]:
        """Those that still have to be fetched; a file that changed since it was verified is verified again."""
        return [file for file in dict.fromkeys(files) if not self._verified(file)]

    def ensure(self, files: Iterable[Locked]) -> None:
        """Have every file here, verified.

        Raises MeshError when a file cannot be had as the lock pins it: wrong checksum, no network, full disk.
        """
        wanted = list(files)
        if not self.missing(wanted):
            return
        with self.exclusive():
            absent = [file for file in self.missing(wanted) if not self._take_local(file)]
            if absent:
                self._fetch_all(absent)

    def pin(self, coordinates: Sequence[Coordinate]) -> list[Locked]:
        """Fetch what nobody pinned yet, and say what came; only for renewing the lock.

        The repository's own SHA-1 is compared, so that a transfer error does not become a pin.
        """
        with self.exclusive(), ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self._pin, coordinates))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One process (or thread) at a time writes to the cache; a second one waits and then finds the work done."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.console.print("Another process is filling the cache: waiting for it.", highlight=False)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _verified(self, file: Locked) -> bool:
        """Whether the file is here and right. Hashing 1.3 GB takes seconds, so a stamp keeps (checksum, size, time)."""
        path = self.path(file.coordinate)
        try:
            stat = path.stat()
        except FileNotFoundError:
            return False
        stamp = _stamp(path)
        now = f"{file.sha256} {stat.st_size} {stat.st_mtime_ns}"
        if stamp.is_file() and stamp.read_text(encoding="ascii") == now:
            return True
        if sha256(path) == file.sha256:
            _write(stamp, now)
            return True
        self.console.print(
            f"{path.name} in the cache is damaged (its SHA-256 is not the pinned one): fetching it again.",
            highlight=False,
        )
        stamp.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        return False

    def _accept(self, file: Locked, part: Path, digest: str) -> None:
        if digest != file.sha256:
            part.unlink()
            raise MeshError(
                f"{file.coordinate.filename} has SHA-256 {digest[:12]}… but {file.sha256[:12]}… is pinned, so it was"
                " changed on its way or at its source: it is deleted and nothing ran it; try again, and if it stays"
                " so, ask whoever runs your mirror."
            )
        path = self.path(file.coordinate)
        part.replace(path)
        stat = path.stat()
        _write(_stamp(path), f"{file.sha256} {stat.st_size} {stat.st_mtime_ns}")

    def _take_local(self, file: Locked) -> bool:
        """Take the file out of a Maven repository on this machine, when it is the pinned one."""
        for repository in self.local:
            source = repository / file.coordinate.path
            if source.is_file() and source.stat().st_size == file.size and sha256(source) == file.sha256:
                part = self._part(file.coordinate)
                part.unlink(missing_ok=True)
                self._room(file.size)
                shutil.copyfile(source, part)
                self._accept(file, part, sha256(part))
                return True
        return False

    def _fetch_all(self, files: Sequence[Locked]) -> None:
        parts = {file: self._part(file.coordinate) for file in files}
        have = sum(part.stat().st_size for part in parts.values() if part.exists())
        total = sum(file.size for file in files)
        self._room(total - have)
        what = files[0].coordinate.filename if len(files) == 1 else f"{len(files)} files"
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        resumed = f", {_mb(have)} of them already here" if have else ""
        self.console.print(f"Fetching {what}, {_mb(total)}{resumed}.", highlight=False)
        stop = threading.Event()
        with progress, ThreadPoolExecutor(PARALLEL) as pool:
            task = progress.add_task(what, total=total, completed=have)
            # Largest first: otherwise the one big archive starts last and is waited for alone.
            waiting = [
                pool.submit(self._fetch, file, parts[file], _Bar(progress, task), stop)
                for file in sorted(files, key=lambda file: -file.size)
            ]
            try:
                for future in as_completed(waiting):
                    future.result()
            except BaseException:
                stop.set()
                for future in waiting:
                    future.cancel()
                raise

    def _fetch(self, file: Locked, part: Path, bar: _Bar, stop: threading.Event) -> None:
        # A part that is longer than the file cannot be its beginning.
        if part.exists() and part.stat().st_size > file.size:
            bar.advance(-part.stat().st_size)
            part.unlink()
        if not part.exists() or part.stat().st_size < file.size:
            self._transfer(file.coordinate, part, bar, stop)
        self._accept(file, part, sha256(part))

    def _transfer(self, coordinate: Coordinate, part: Path, bar: _Bar, stop: threading.Event) -> None:
        """Fetch into ``part``, going on where an earlier attempt was cut off."""
        failures = 0
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                for repository in self._addresses():
                    if self._from(f"{repository}/{coordinate.path}", part, bar, stop):
                        return
                raise MeshError(
                    f"No Maven repository has {coordinate.filename}: if you use a mirror, let it carry Maven Central."
                )
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                after = part.stat().st_size if part.exists() else 0
                failures = 0 if after > before else failures + 1
                if failures >= ATTEMPTS:
                    host = urlsplit(self._addresses()[-1]).hostname
                    raise MeshError(
                        f"{coordinate.filename} cannot be fetched from {host} ({type(error).__name__}): check the"
                        " network or the proxy, then run the same command again; it goes on where it was cut off."
                    ) from error
                stop.wait(0.2 * 2**failures)  # back-off before the next attempt
            except OSError as error:
                raise _unwritable(self.folder, error) from error

    def _from(self, url: str, part: Path, bar: _Bar, stop: threading.Event) -> bool:
        """One request; False when this repository does not have the file. Raises RequestException when cut off."""
        have = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code in (403, 404):
                return False
            if response.status_code == 416:  # the rest does not exist: what is here is not this file's beginning
                part.unlink()
                bar.advance(-have)
                raise requests.ConnectionError("the server has no such range", request=response.request)
            response.raise_for_status()
            if have and response.status_code != 206:  # this server does not resume
                bar.advance(-have)
                have = 0
            expected = have + int(response.headers.get("Content-Length", 0))
            with part.open("ab" if have else "wb") as file:
                # read1 hands over what has arrived; a read of whole chunks loses up to one with each cut.
                while chunk := response.raw.read1(CHUNK):
                    if stop.is_set():
                        raise MeshError("The fetch was stopped.")
                    file.write(chunk)
                    bar.advance(len(chunk))
            if part.stat().st_size < expected:
                raise requests.ConnectionError("cut off", request=response.request)
        return True

    def _pin(self, coordinate: Coordinate) -> Locked:
        path = self.path(coordinate)
        if not path.exists():
            part = self._part(coordinate)
            self._transfer(coordinate, part, _Bar(), threading.Event())
            published = self._published_sha1(coordinate)
            if published is not None and published != _digest(part, "sha1"):
                part.unlink()
                raise MeshError(
                    f"{coordinate.filename} arrived damaged (its SHA-1 is not the published one): try again."
                )
            part.replace(path)
        return Locked(coordinate, sha256(path), path.stat().st_size)

    def _published_sha1(self, coordinate: Coordinate) -> str | None:
        for repository in self._addresses():
            response = requests.get(f"{repository}/{coordinate.path}.sha1", timeout=TIMEOUT)
            if response.ok:
                return response.text.split()[0].lower()
        return None

    def _addresses(self) -> Sequence[str]:
        if self.repositories is None:
            # The client knows its registry; no address stands in this repository.
            from jgo.maven import MavenContext

            self.repositories = [str(address).rstrip("/") for address in MavenContext().remote_repos.values()]
        return self.repositories

    def _part(self, coordinate: Coordinate) -> Path:
        path = self.path(coordinate)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return path.with_name(path.name + ".part")

    def _room(self, needed: int) -> None:
        room(self.folder, needed)


class _Bar:
    """One task of a progress bar, or none."""

    def __init__(self, progress: Progress | None = None, task: TaskID | None = None) -> None:
        self._progress, self._task = progress, task

    def advance(self, count: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)


def room(folder: Path, needed: int) -> None:
    """Raises MeshError when ``needed`` bytes and a margin do not fit on the folder's disk."""
    free = shutil.disk_usage(folder).free
    if free < needed + MARGIN:
        raise MeshError(
            f"The disk of {folder} has {_mb(free)} free but {_mb(needed + MARGIN)} are needed: free some space, or set"
            " XDG_CACHE_HOME to a folder on another disk."
        )


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _stamp(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.write_text(text, encoding="ascii")
    temporary.replace(path)


def _mb(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _unwritable(folder: Path, error: OSError) -> MeshError:
    if error.errno == errno.ENOSPC:
        return MeshError(
            f"The disk of {folder} is full: free some space, or set XDG_CACHE_HOME to a folder on another disk, then"
            " run it again; what is here stays."
        )
    return MeshError(
        f"The cache {folder} cannot be written ({error.strerror}): make it writable, or set XDG_CACHE_HOME to a folder"
        " that is."
    )


def local_repositories(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """The Maven repository of this user, when there is one."""
    folder = Path(environment.get("M2_REPO") or Path.home() / ".m2" / "repository")
    return [folder] if folder.is_dir() else []
