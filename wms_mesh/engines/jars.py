"""Java of our own inside the engines, compiled on first use: a JRE is enough, the compiler is a jar."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import zipfile
from pathlib import Path

from wms_mesh import artifacts
from wms_mesh.errors import MeshError
from wms_mesh.java import java
from wms_mesh.stack import Stack

_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal sources make an equal jar, byte for byte


def build(stack: Stack, name: str, sources: Path, against: list[Path]) -> Path:
    """The jar of a folder of sources, from the cache when these were compiled before (otherwise about 2 s).

    name: folder and beginning of the file's name in the cache. against: the classpath.
    Raises MeshError with the compiler's first complaint.
    """
    files = sorted(path for path in sources.rglob("*") if path.is_file())
    digest = hashlib.sha256(repr([path.name for path in against]).encode())
    for path in files:
        digest.update(str(path.relative_to(sources)).encode() + b"\0" + path.read_bytes() + b"\0")
    target = stack.cache / f"{name}-{digest.hexdigest()[:16]}.jar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            compile_java([path for path in files if path.suffix == ".java"], against, Path(scratch))
            fresh = target.with_suffix(f".{os.getpid()}")
            _pack(Path(scratch), sources, [path for path in files if path.suffix != ".java"], fresh)
            fresh.replace(target)  # two stacks may build it at once: either's is whole
    return target


def compile_java(sources: list[Path], against: list[Path], into: Path) -> None:
    """Compile with the Eclipse compiler; raises MeshError with its first complaint."""
    # -17, not --release 17: a JRE carries no older class libraries to compile against.
    command = [
        str(java(17)),
        "-jar",
        str(artifacts.file("ecj")),
        "-17",
        "-g",
        "-nowarn",
        "-proc:none",
        "-encoding",
        "UTF-8",
    ]
    command += ["-cp", ":".join(map(str, against)), "-d", str(into), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeshError(
            f"{sources[0].name} does not compile, mend it in {sources[0].parent}: {done.stderr.strip()[:800]}"
        )


def _pack(classes: Path, sources: Path, resources: list[Path], target: Path) -> None:
    entries = [(path.relative_to(classes), path) for path in sorted(classes.rglob("*.class"))]
    entries += [(path.relative_to(sources), path) for path in resources]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in entries:
            archive.writestr(zipfile.ZipInfo(str(name), _EPOCH), path.read_bytes(), zipfile.ZIP_DEFLATED)
