"""Rules of this house that dbt-bouncer has no check for; dbt-bouncer.yml switches them on.

A check's name is its function's, and what it looks at is its first parameter.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from dbt_bouncer.check_framework.decorator import check, fail

# The unit of a number, by the end of its column's name: a reader of "duration" cannot tell ns from hours.
UNITS = {
    r"_hours$": r"\bhours?\b",
    r"_minutes$": r"\bminutes?\b",
    r"_seconds$": r"\bseconds?\b",
    r"_days$|^days_": r"\bdays?\b",
    r"duration$": r"\b(nanoseconds|milliseconds|seconds|minutes|hours)\b",
    r"weight$": r"\bkg\b",
    r"(quantity|_qty)$|^quantity_": r"\bpieces\b",
    r"_rate$": r"\bfraction\b",
    r"_(pct|percent)$": r"\bper ?cent\b|%",
    r"revenue$|price$|cost$": r"\b(currency|USD)\b",
}
NUMBERS = re.compile(r"(tinyint|smallint|integer|bigint|real|double|decimal\b.*)$")


@check
def check_model_is_owned(model: Any) -> None:
    """A model belongs to a group, and the group says who answers for it."""
    if not model.config.group:
        fail(f"`{model.name}` belongs to no group of models/groups.yml: say `group` in its config.")


@check
def check_model_is_materialized_as(model: Any, *, materializations: list[str]) -> None:
    """A layer's models are built in its own ways. (dbt-bouncer's check knows dbt's materializations only.)"""
    if model.config.materialized not in materializations:
        fail(f"`{model.name}` is materialized as {model.config.materialized}: choose from {materializations}.")


@check
def check_model_number_says_its_unit(model: Any) -> None:
    """A column that is a quantity, a time, a share or money says in which unit."""
    wanting = [
        name
        for name, column in model.columns.items()
        for pattern, unit in UNITS.items()
        if NUMBERS.match(str(column.data_type)) and re.search(pattern, name)
        if not re.search(unit, column.description, re.IGNORECASE)
    ]
    if wanting:
        fail(f"`{model.name}` does not say the unit of {wanting}: pieces, kg, hours, fraction, currency ...")


@check
def check_model_time_says_utc(model: Any) -> None:
    """A point in time is UTC, and its description says so: consumers stand in several time zones."""
    times = {name: column for name, column in model.columns.items() if str(column.data_type).startswith("timestamp")}
    wanting = [name for name, column in times.items() if "UTC" not in column.description]
    if wanting:
        fail(f"`{model.name}` does not say that {wanting} are UTC.")


@check
def check_model_column_says_its_source(model: Any, *, computed: list[str]) -> None:
    """A column says where its value comes from: `Source: orders.status.`.

    computed: columns that the project makes itself; they say how instead.
    """
    columns = {name: column for name, column in model.columns.items() if name not in computed}
    wanting = [name for name, column in columns.items() if "Source: " not in column.description]
    if wanting:
        fail(f"`{model.name}` does not say where {wanting} come from: end each description with `Source: ...`.")


@check
def check_model_pii_is_tagged(model: Any) -> None:
    """What a description calls PII carries the tag that catalogs and masks read, and the other way round."""
    wanting = [
        name for name, column in model.columns.items() if ("PII:" in column.description) != ("pii" in column.tags)
    ]
    if wanting:
        fail(f"`{model.name}`: `PII:` in the description and the tag pii go together, unlike in {wanting}.")


@check
def check_seed_columns_are_described(seed: Any) -> None:
    """The columns of the CSV file are those of the yml, in its order, each with a description and a type."""
    with Path(seed.original_file_path).open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    described = [name for name, column in seed.columns.items() if column.description.strip()]
    if header != described:
        fail(f"`{seed.name}` has the columns {header}, its yml describes {described}.")
    typed = list((seed.config.column_types or {}).keys())
    if header != typed:
        fail(f"`{seed.name}` has the columns {header}, its config.column_types {typed}.")


@check
def check_source_columns_are_described(source: Any) -> None:
    """A source lists its columns, each with a type and a description."""
    if not source.columns:
        fail(f"`{source.name}` lists no columns.")
    for name, column in source.columns.items():
        if not column.description.strip() or not column.data_type:
            fail(f"`{source.name}.{name}` needs a description and a data_type.")


@check
def check_macro_has_a_comment(macro: Any) -> None:
    """A macro is documented where it stands: a comment ends right above it."""
    text = Path(macro.original_file_path).read_text(encoding="utf-8")
    at = text.find(macro.macro_sql.strip()[:80])
    if not re.search(r"#\}\s*$", text[:at]):
        fail(f"`{macro.name}` in {macro.original_file_path} has no comment above it that says what it is for.")


@check
def check_exposure_reaches_bronze(exposure: Any, ctx: Any) -> None:
    """What people use leads back to what was recorded: an exposure has a bronze source among its ancestors."""
    parents = ctx.manifest_obj.manifest.parent_map
    seen: set[str] = set()
    todo = [exposure.unique_id]
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo += parents.get(node, [])
    if not any(node.startswith("source.") and ".bronze." in node for node in seen):
        fail(f"`{exposure.name}` reaches no bronze source: its lineage ends at {sorted(seen)}.")
