"""Archives into folders: atomic, only the chosen members, and nothing outside the folder."""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from wms_mesh.artifacts.store import room
from wms_mesh.errors import MeshError


def unpack(
    archive: Path, target: Path, *, inner: str | None = None, members: Sequence[str] = ("*",), strip: int = 0
) -> None:
    """Unpack the chosen members of a tar (or of the tar inside a jar) into ``target``, which must not exist yet.

    The folder appears whole or not at all; what a killed run leaves beside it, the next one removes.
    Raises MeshError when the archive is damaged, or holds a member that leads outside of the folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".unpacking-{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".unpacking-{target.name}-", dir=target.parent))
    folder.chmod(0o755)  # Postgres runs as another account when root starts the stack
    try:
        with _tar_in(archive, inner) as tar_path:
            _extract(tar_path, folder, members, strip)
        folder.replace(target)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise MeshError(
            f"{archive.name} cannot be unpacked ({error}): delete {archive} and run the same command again."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _tar_in(archive: Path, inner: str | None) -> Iterator[IO[bytes]]:
    if inner is None:
        with archive.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(archive) as outer:
        names = [name for name in outer.namelist() if fnmatchcase(name, inner)]
        if len(names) != 1:
            raise MeshError(
                f"{archive.name} has {len(names)} members named {inner}, not one: correct `inner` in engines.toml."
            )
        # 15 MB at most today; a tar is read twice, so it must seek.
        yield io.BytesIO(outer.read(names[0]))


def _extract(archive: IO[bytes], folder: Path, members: Sequence[str], strip: int) -> None:
    # Two sequential passes, as gzip starts over for each step back. The first finds what is wanted, and the hard links:
    # Trino's archive stores a jar once and links it into the other plugins, so a wanted name may mean an unwanted one.
    wanted: dict[str, str] = {}  # name in the archive -> path below the folder
    sources: set[str] = set()  # what wanted hard links point to
    size = 0
    with tarfile.open(fileobj=archive, mode="r|*") as tar:
        for member in tar:
            name = _clean(member.name)
            if any(fnmatchcase(name, pattern) for pattern in members):
                below = "/".join(name.split("/")[strip:])
                if not below or member.isdir():
                    continue
                if not (member.isreg() or member.islnk() or member.issym()):
                    raise MeshError(
                        f"The archive holds '{name}', neither a file nor a link: it is not what it claims to be."
                    )
                wanted[name] = below
                size += member.size
                if member.islnk():
                    sources.add(_clean(member.linkname))
    if not wanted:
        raise MeshError(f"The archive has no member like {' or '.join(members)}: correct `members` in engines.toml.")
    room(folder, size)
    archive.seek(0)
    placed: dict[str, Path] = {}
    with (
        tempfile.TemporaryDirectory(prefix=".links-", dir=folder) as aside,
        tarfile.open(fileobj=archive, mode="r|*") as tar,
    ):
        for member in tar:
            name = _clean(member.name)
            if member.isreg() and (name in wanted or name in sources):
                placed[name] = folder / wanted[name] if name in wanted else Path(aside) / str(len(placed))
                _parent(placed[name], folder)
                with placed[name].open("xb") as file:
                    shutil.copyfileobj(tar.extractfile(member) or io.BytesIO(), file, 1 << 20)
                placed[name].chmod(0o755 if member.mode & 0o100 else 0o644)
            elif name in wanted and member.islnk():
                path = folder / wanted[name]
                _parent(path, folder)
                os.link(placed[_clean(member.linkname)], path)
                placed[name] = path
            elif name in wanted and member.issym():
                inside = posixpath.normpath(posixpath.join(posixpath.dirname(wanted[name]), member.linkname))
                if inside.startswith(("..", "/")):
                    raise MeshError(
                        f"The archive holds '{name}', a link that leads outside: it is not what it claims to be."
                    )
                path = folder / wanted[name]
                _parent(path, folder)
                path.symlink_to(member.linkname)


def _clean(name: str) -> str:
    path = posixpath.normpath(name)
    if path.startswith(("/", "..")):
        raise MeshError(
            f"The archive holds '{name}', which leads outside of its folder: it is not what it claims to be."
        )
    return path


def _parent(path: Path, folder: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A member below a link would be written wherever that link leads.
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise MeshError(f"The archive writes '{path.name}' through a link: it is not what it claims to be.")
