"""The bronze job's Java part."""

from __future__ import annotations

from pathlib import Path

from wms_mesh.engines import jars
from wms_mesh.stack import REPO, Stack

SOURCES = REPO / "ingest" / "bronze" / "java"


def jar(stack: Stack, pyflink: Path) -> Path:
    """The jar, compiled against the Flink of the pip package in that folder.

    Raises MeshError with the compiler's first complaint.
    """
    against = [
        *sorted((pyflink / "lib").glob("flink-dist-*.jar")),
        *sorted((pyflink / "lib").glob("flink-table-api-*.jar")),
    ]
    return jars.build(stack, "bronze/wms-bronze", SOURCES, against)
