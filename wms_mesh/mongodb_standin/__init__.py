"""The MongoDB stand-in: compiled from the Java beside this file at first start; README.md says what it is."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from wms_mesh import artifacts
from wms_mesh.errors import MeshError
from wms_mesh.java import java
from wms_mesh.stack import Stack

SOURCES = Path(__file__).parent / "java"
MAIN_CLASS = "mesh.standin.Main"


def classes(stack: Stack) -> Path:
    """The folder of the compiled classes, in the cache under the hash of source and libraries.

    Raises MeshError when they do not compile.
    """
    sources = sorted(SOURCES.glob("*.java"))
    libraries = artifacts.classpath("mongodb-standin")
    digest = hashlib.sha256("\n".join([libraries, *(one.read_text(encoding="utf-8") for one in sources)]).encode())
    folder = stack.cache / "mongodb-standin" / digest.hexdigest()[:16]
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=folder.parent))
        compiler = [str(java(17)), "-jar", str(artifacts.file("ecj")), "-17", "-nowarn", "-cp", libraries]
        done = subprocess.run(
            [*compiler, "-d", str(fresh), *map(str, sources)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            shutil.rmtree(fresh)
            raise MeshError(f"The MongoDB stand-in does not compile, correct {SOURCES}: {done.stderr.strip()}")
        try:
            fresh.rename(folder)
        except OSError:  # another stack compiled the same source meanwhile
            shutil.rmtree(fresh)
    return folder


def command(stack: Stack, port: int, file: Path) -> list[str]:
    """The process that serves ``file`` on loopback; runs until SIGTERM."""
    return [
        str(java(17)),
        # A scan of a page of 5 MB documents, a change with both images and a driver's batch of 48 MB have room.
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        # Buffers on the heap: a 5 MB message per connection would otherwise stay in memory that nothing bounds.
        "-Dio.netty.noPreferDirect=true",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        # It would log every refused command with its documents; the stand-in says it in one line.
        "-Dorg.slf4j.simpleLogger.log.de.bwaldvogel.mongo.wire.MongoWireProtocolHandler=off",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
        "-Dorg.slf4j.simpleLogger.logFile=System.out",
        "-cp",
        f"{classes(stack)}:{artifacts.classpath('mongodb-standin')}",
        MAIN_CLASS,
        str(port),
        str(file),
    ]
