"""What an image gets from engines.lock: ``python -m wms_mesh.infra.image_parts connect|flink|metastore FOLDER``.

The Dockerfiles of infra/images run it, so that the files in an image are the ones that the embedded stack runs, with
their checksums compared.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from wms_mesh import artifacts
from wms_mesh.engines import flink
from wms_mesh.engines.bronze_jar import jar
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


def connect(target: Path) -> None:
    """Debezium's folder, as a plugin of Kafka Connect."""
    shutil.copytree(artifacts.unpacked("debezium"), target, dirs_exist_ok=True)


def flink_job(target: Path) -> None:
    """lib/: what the job needs beside Flink itself; usrlib/: its Java part, compiled."""
    _copy(artifacts.jars("flink"), target / "lib")
    built = jar(Stack.from_env(), flink.pyflink_home())
    _copy([built], target / "usrlib")
    (target / "usrlib" / built.name).rename(target / "usrlib" / "wms-bronze.jar")


def metastore(target: Path) -> None:
    """lib/: the metastore and the object store's client; scripts/: its schema."""
    unpacked = artifacts.unpacked("metastore")
    _copy([*sorted((unpacked / "lib").glob("*.jar")), *artifacts.jars("metastore-hadoop")], target / "lib")
    shutil.copytree(unpacked / "scripts", target / "scripts", dirs_exist_ok=True)


PARTS: dict[str, Callable[[Path], None]] = {"connect": connect, "flink": flink_job, "metastore": metastore}


def _copy(files: Sequence[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def main(arguments: Sequence[str]) -> None:
    """Fill a folder. Raises MeshError for an image that does not exist."""
    if len(arguments) != 2 or arguments[0] not in PARTS:
        raise MeshError(f"Say which image, {', '.join(PARTS)}, and a folder.")
    PARTS[arguments[0]](Path(arguments[1]))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except MeshError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
