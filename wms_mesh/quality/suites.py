"""The suites of quality/expectations and the checkpoints of quality/checkpoints: what is expected of which rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wms_mesh.errors import MeshError
from wms_mesh.history import literal
from wms_mesh.quality.lists import is_personal, resolve
from wms_mesh.stack import REPO

FOLDER = REPO / "quality"
SEVERITIES = ("critical", "warning")
# These speak of rows together: a new row can break them beside an old one, so they read the whole batch.
TABLE_WIDE = {
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_table_row_count_to_be_between",
}


@dataclass(frozen=True)
class Batch:
    """Rows that expectations look at.

    table: schema.table that they come from. query: what is read of it, with {table} in its place. key: columns that
    name a row to a person. changed: the column that grows when a row is computed again.
    """

    name: str
    table: str
    query: str
    key: tuple[str, ...]
    changed: str

    def rows(self, prefix: str = "", since: datetime | None = None) -> str:
        """The query of all its rows, or of those computed after a moment. prefix: before the schema, a sandbox's."""
        rows = f"select * from ({self.query.format(table=prefix + self.table)}) as batch"
        return rows if since is None else f"{rows} where {self.changed} > {literal(since)}"


@dataclass(frozen=True)
class Expectation:
    """One promise. kwargs: the library's arguments, with every list in them. why: why it stands, for people."""

    id: str
    type: str
    kwargs: dict[str, Any]
    severity: str
    why: str
    batch: Batch

    @property
    def is_lenient(self) -> bool:
        """Whether it holds although a share of the rows fails."""
        return float(self.kwargs.get("mostly", 1)) < 1

    @property
    def is_table_wide(self) -> bool:
        """Whether it has to see all rows, not only changed ones: a share of a few rows says nothing."""
        return self.type in TABLE_WIDE or self.is_lenient

    @property
    def column(self) -> str | None:
        """The column that it speaks of, several with commas; None when it speaks of the table."""
        names = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return ", ".join([*names, *self.kwargs.get("column_list", [])]) or None

    @property
    def is_personal(self) -> bool:
        """Whether the values of its columns say something of a person: then they are kept nowhere."""
        model = self.batch.table.split(".")[1]
        return any(is_personal(model, name) for name in (self.column or "").split(", "))

    @property
    def definition(self) -> str:
        """Changes with what is expected or of which rows: what was checked under another one was not checked."""
        said = json.dumps([self.type, self.kwargs, self.batch.query], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Suite:
    """The promises of one data product, and the name of the checkpoint that runs them."""

    product: str
    name: str
    checkpoint: str
    expectations: tuple[Expectation, ...]


def load(wanted: Sequence[str] = ()) -> list[Suite]:
    """Every suite, or those of the wanted products (orders or orders-dp).

    Raises MeshError for a product without a suite, and for a file that says too little.
    """
    paths = {path.stem.removesuffix("_dp"): path for path in sorted((FOLDER / "expectations").glob("*_dp.json"))}
    names = [name.removesuffix("-dp") for name in wanted]
    unknown = [name for name in names if name not in paths]
    if unknown:
        raise MeshError(f"There is no suite for '{unknown[0]}': choose from {', '.join(paths)}.")
    return [_suite(path) for name, path in paths.items() if not names or name in names]


def read(path: Path) -> Any:
    """A JSON file of quality/. Raises MeshError when it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MeshError(f"{path.relative_to(REPO)} cannot be read: {error}.") from error


def _suite(path: Path) -> Suite:
    document = read(path)
    checkpoint = read(FOLDER / "checkpoints" / f"{document['meta']['checkpoint']}.json")
    if checkpoint["suite"] != document["name"]:
        raise MeshError(f"{checkpoint['name']} runs {checkpoint['suite']}, and {document['name']} names it: mend one.")
    batches = {name: _batch(name, fields) for name, fields in checkpoint["batches"].items()}
    found = tuple(_expectation(path, one, batches) for one in document["expectations"])
    return Suite(document["meta"]["data_product"], document["name"], checkpoint["name"], found)


def _batch(name: str, fields: dict[str, Any]) -> Batch:
    query = " ".join(fields.get("query", "select * from {table}").split())
    return Batch(name, fields["table"], query, tuple(fields["key"]), fields.get("changed", "processing_time"))


def _expectation(path: Path, document: dict[str, Any], batches: dict[str, Batch]) -> Expectation:
    try:
        meta = document["meta"]
        one = Expectation(
            id=meta["expectation_id"],
            type=document["type"],
            kwargs=resolve(document["kwargs"]),
            severity=document["severity"],
            why=document["notes"],
            batch=batches[meta["batch"]],
        )
    except KeyError as error:
        raise MeshError(f"An expectation in {path.relative_to(REPO)} does not say {error}: {document}.") from error
    if one.severity not in SEVERITIES or not one.why:
        raise MeshError(f"{one.id} has to say why it stands, and be {' or '.join(SEVERITIES)}.")
    return one
