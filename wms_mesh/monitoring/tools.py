"""Prometheus and promtool: those on the PATH, else Debian's package, unpacked into the cache without being installed.

``python -m wms_mesh.monitoring.tools`` puts them there: 19 MB, 4 s, and neither a service nor an account comes with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

PACKAGE = "prometheus"
MISSING = (
    "There is no Prometheus: install Debian's package `prometheus`, or have it unpacked into the cache by `python -m"
    " wms_mesh.monitoring.tools`."
)


def find(name: str) -> Path | None:
    """The program ``prometheus`` or ``promtool``, or None."""
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    unpacked = _folder() / "usr" / "bin" / name
    return unpacked if unpacked.exists() else None


def require(name: str) -> Path:
    """The program. Raises MeshError when it is not here."""
    found = find(name)
    if found is None:
        raise MeshError(MISSING)
    return found


def fetch() -> Path:
    """Have both here, and return promtool. apt checks the package against the archive's signature.

    Raises MeshError on a machine without apt, or when the archive does not have the package.
    """
    found = find("promtool")
    if found is not None:
        return found
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MeshError(
            "This machine has no apt-get to fetch Prometheus with: put prometheus and promtool on the PATH."
        )
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        if not _download(scratch):
            _run(["apt-get", "update", "--quiet"], scratch)  # a machine that is new has no list of packages
            if not _download(scratch):
                raise MeshError(
                    f"apt-get cannot download the package {PACKAGE}: see above, or use your own Prometheus."
                )
        [archive] = Path(scratch).glob("*.deb")
        unpacked = Path(scratch) / "unpacked"
        if _run(["dpkg-deb", "--extract", str(archive), str(unpacked)], scratch):
            raise MeshError(f"{archive.name} cannot be unpacked: see above.")
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.rename(folder)
    return require("promtool")


def _download(scratch: str) -> bool:
    return _run(["apt-get", "download", "--quiet", PACKAGE], scratch) == 0


def _run(command: list[str], folder: str) -> int:
    return subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False).returncode


def _folder() -> Path:
    return Stack.from_env().cache / "tools" / PACKAGE


if __name__ == "__main__":
    try:
        print(fetch())
    except MeshError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
