"""The two files that say what runs: ``engines.toml`` (chosen by people) and ``engines.lock`` (written by ``lock``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from wms_mesh.artifacts.coordinates import Coordinate, Locked
from wms_mesh.errors import MeshError

CHOSEN = Path(__file__).with_name("engines.toml")
LOCK = Path(__file__).with_name("engines.lock")

_HEAD = """\
# Every file that the engines run from: set, coordinate, SHA-256, bytes.
# Written by `python -m wms_mesh.artifacts lock [SET ...]` from engines.toml; do not edit.
"""


@dataclass(frozen=True)
class ArtifactSet:
    """One table of engines.toml; the file's head explains the fields."""

    name: str
    roots: tuple[Coordinate, ...]
    exclude: tuple[str, ...] = ()
    transitive: bool = True
    unpack: bool = False
    inner: str | None = None
    members: tuple[str, ...] = ("*",)
    strip: int = 0


@cache
def chosen(path: Path = CHOSEN) -> Mapping[str, ArtifactSet]:
    """The sets of engines.toml by name.

    Raises MeshError when the file does not say what it must.
    """
    sets = {}
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            sets[name] = ArtifactSet(
                name=name,
                roots=tuple(map(Coordinate.parse, table.pop("roots"))),
                exclude=tuple(table.pop("exclude", ())),
                members=tuple(table.pop("members", ("*",))),
                **table,
            )
        except (KeyError, TypeError) as error:
            raise MeshError(
                f"The set '{name}' in {path.name} is wrong ({error}): see the head of that file."
            ) from error
    return sets


def one(name: str) -> ArtifactSet:
    """Raises MeshError for a name that is not a set."""
    try:
        return chosen()[name]
    except KeyError:
        raise MeshError(f"There is no set '{name}' in {CHOSEN.name}: it has {', '.join(chosen())}.") from None


@cache
def _read(path: Path, _modified: int) -> Mapping[str, tuple[Locked, ...]]:
    sets: dict[str, list[Locked]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, coordinate, sha256, size = line.split()
            sets.setdefault(name, []).append(Locked(Coordinate.parse(coordinate), sha256, int(size)))
    return {name: tuple(files) for name, files in sets.items()}


def lock(path: Path = LOCK) -> Mapping[str, tuple[Locked, ...]]:
    """The pinned files of every set, in the order of the classpath."""
    return _read(path, path.stat().st_mtime_ns) if path.exists() else {}


def locked(name: str) -> tuple[Locked, ...]:
    """The pinned files of one set.

    Raises MeshError when the lock does not have it.
    """
    one(name)
    try:
        return lock()[name]
    except KeyError:
        raise MeshError(
            f"The set '{name}' is not in {LOCK.name}: run `python -m wms_mesh.artifacts lock {name}`."
        ) from None


def write_lock(renewed: Mapping[str, Sequence[Locked]], path: Path = LOCK) -> None:
    """Replace the lines of the renewed sets, and drop the sets that engines.toml no longer has."""
    kept = {name: files for name, files in lock(path).items() if name in chosen()}
    lines = [
        f"{name} {file.coordinate} {file.sha256} {file.size}\n"
        for name, files in sorted({**kept, **renewed}.items())
        for file in files
    ]
    temporary = path.with_suffix(".tmp")
    temporary.write_text(_HEAD + "".join(lines), encoding="utf-8")
    temporary.replace(path)
