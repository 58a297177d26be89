"""The engines' files: named sets of Maven coordinates, pinned by SHA-256, fetched once into the user's cache.

>>> jars("kafka")        # the classpath, as a list
>>> classpath("kafka")   # the same, joined by ':'
>>> unpacked("trino")    # the folder with the content of an archive
>>> file("ecj")          # a set that is one jar

Each fetches what is missing, and raises MeshError when a file cannot be had as the lock pins it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from wms_mesh.artifacts import sets
from wms_mesh.artifacts.store import Store, local_repositories
from wms_mesh.artifacts.unpack import unpack
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


def user_store() -> Store:
    """The cache of this user (``XDG_CACHE_HOME``); ``MESH_MAVEN_REPOSITORY`` names a mirror to fetch from."""
    mirror = os.environ.get("MESH_MAVEN_REPOSITORY")
    return Store(
        folder=Stack.from_env().cache / "artifacts",
        local=local_repositories(),
        repositories=[mirror.rstrip("/")] if mirror else None,
    )


def jars(name: str) -> list[Path]:
    """The jars of a set, roots first."""
    files = sets.locked(name)
    cache = user_store()
    cache.ensure(files)
    return [cache.path(file.coordinate) for file in files]


def classpath(name: str) -> str:
    """The jars of a set as ``java -cp`` wants them."""
    return ":".join(map(str, jars(name)))


def file(name: str) -> Path:
    """The one file of a set that has one."""
    found = jars(name)
    if len(found) != 1:
        raise MeshError(f"The set '{name}' has {len(found)} files, not one: ask for its jars.")
    return found[0]


def unpacked(name: str) -> Path:
    """The folder with the content of a set's archives: unpacked once, anew when archive or choice change."""
    folder = _folder(name)
    if not folder.is_dir():
        fetch([name])
    return folder


def fetch(names: Sequence[str] = ()) -> None:
    """Have the named sets here, all when none is named: everything is fetched under one progress bar, then unpacked."""
    wanted = [sets.one(name) for name in names] if names else list(sets.chosen().values())
    cache = user_store()
    absent = [one for one in wanted if not (one.unpack and _folder(one.name).is_dir())]
    cache.ensure(file for one in absent for file in sets.locked(one.name))
    for one in absent:
        if one.unpack:
            with cache.exclusive():
                folder = _folder(one.name)
                if folder.is_dir():
                    continue
                cache.console.print(f"Unpacking {one.name}.", highlight=False)
                for pinned in sets.locked(one.name):
                    unpack(cache.path(pinned.coordinate), folder, inner=one.inner, members=one.members, strip=one.strip)


def missing_bytes() -> int:
    """What a first start still has to fetch."""
    names = [one.name for one in sets.chosen().values() if not (one.unpack and _folder(one.name).is_dir())]
    cache = user_store()
    return sum(pinned.size for pinned in cache.missing(pinned for name in names for pinned in sets.locked(name)))


def _folder(name: str) -> Path:
    one = sets.one(name)
    if not one.unpack:
        raise MeshError(
            f"The set '{name}' is not an archive: ask for its jars, or say `unpack = true` in engines.toml."
        )
    content = repr(([pinned.sha256 for pinned in sets.locked(name)], one.inner, one.members, one.strip))
    return user_store().folder / "unpacked" / f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
