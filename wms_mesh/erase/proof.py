"""Whether any data file still holds a person: the proof, from the object store's own list of files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

from wms_mesh import object_store, sql
from wms_mesh.erase.tables import Table, count
from wms_mesh.stack import Stack

_S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Doubt:
    """Why a table is not proved clean. rows: readable rows that name the person. hidden: deleted rows still in files.
    files: data files that no snapshot needs, and that may hold anything."""

    table: str
    rows: int
    hidden: int
    files: tuple[str, ...]

    def sentence(self) -> str:
        """What stands against it."""
        parts = [f"{self.rows} rows still name the person"] if self.rows else []
        parts += [f"{self.hidden} delete files hide rows that are still there"] if self.hidden else []
        parts += (
            [f"{len(self.files)} files of killed writers lie about, for example {self.files[0]}"] if self.files else []
        )
        return f"{self.table}: {'; '.join(parts)}."


def doubts(stack: Stack, tables: Sequence[Table], texts: Sequence[str], began: datetime) -> list[Doubt]:
    """The tables that cannot be proved clean.

    A table is clean when every readable row is, no deleted row hides in a file, and every data file in its folder from
    before ``began`` is one that the present snapshot reads.
    """
    found = []
    for table in tables:
        rows = count(stack, table, table.mentions(texts))
        files = sql.query(stack, f"select file_path, content from iceberg.{_metadata(table, 'files')}")
        read = {str(path) for path, _ in files}
        hidden = sum(content != 0 for _, content in files)
        stray = tuple(sorted(path for path, at in _objects(stack, read) if at < began and path not in read))
        if rows or hidden or stray:
            found.append(Doubt(table.name, rows, hidden, stray))
    return found


def _objects(stack: Stack, read: set[str]) -> Iterator[tuple[str, datetime]]:
    """Every object in the folders in which a table's files stand, with its age."""
    folders = {path.rpartition("/data/")[0] + "/data/" for path in read if "/data/" in path}
    for folder in sorted(folders):
        parts = urlsplit(folder)
        for key, at in listing(stack, parts.netloc, parts.path.lstrip("/")):
            yield f"{parts.scheme}://{parts.netloc}/{key}", at


def listing(stack: Stack, bucket: str, prefix: str) -> Iterator[tuple[str, datetime]]:
    """Keys and times (UTC) of the objects below a prefix."""
    token = ""
    while True:
        page = f"{bucket}?list-type=2&prefix={quote(prefix, safe='')}" + (
            f"&continuation-token={quote(token, safe='')}" if token else ""
        )
        root = ET.fromstring(object_store.request(stack, "GET", page).content)  # noqa: S314 - our own object store's answer
        for entry in root.iter(f"{_S3}Contents"):
            yield entry.findtext(f"{_S3}Key", ""), datetime.fromisoformat(entry.findtext(f"{_S3}LastModified", ""))
        token = root.findtext(f"{_S3}NextContinuationToken", "")
        if not token:
            return


def _metadata(table: Table, kind: str) -> str:
    schema, _, name = table.name.partition(".")
    return f'{schema}."{name}${kind}"'
