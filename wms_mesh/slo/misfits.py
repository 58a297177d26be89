"""Documents that Trino's MongoDB catalog cannot show as they are, as a filter that MongoDB understands.

A text where an object is expected, or a date beyond the year 9999, fails the whole query ("Cannot convert value to
JSON", "Millis overflow"); a text in an integer column is NULL there, and 2.75 is 2. They are read with pymongo instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bson import json_util
from bson.datetime_ms import DatetimeMS

from ingest.fields import FIELDS, FLAG, INTEGER, MOMENT, NESTED, TEXT, TEXTS
from ingest.simulator.naming import snake_case
from wms_mesh.reconcile import SILVER

# MongoDB's names of what each type of the catalog shows truly.
SHOWN = {
    TEXT: ["string"],
    TEXTS: ["array"],
    INTEGER: ["int", "long"],
    FLAG: ["bool"],
    MOMENT: ["date"],
    NESTED: ["object", "array"],
}
FIRST_MOMENT, LAST_MOMENT = DatetimeMS(-62135596800000), DatetimeMS(253402300799999)  # years 1 to 9999


def misfits(collection: str, spell: Callable[[str], str]) -> dict[str, Any]:
    """A filter for the documents of which a compared field is not of its column's type."""
    compared = {column.path.split(".")[0] for column in SILVER[collection][1]}
    alternatives: list[dict[str, Any]] = [{"_id": {"$not": {"$type": "objectId"}}}]
    for kind, names in FIELDS[collection].items():
        for name in (snake_case(name) for name in names.split()):
            if name in compared:
                field = spell(name)
                alternatives.append({field: {"$exists": True, "$not": {"$type": [*SHOWN[kind], "null"]}}})
                if kind == MOMENT:
                    alternatives += [{field: {"$lt": FIRST_MOMENT}}, {field: {"$gt": LAST_MOMENT}}]
    return {"$or": alternatives}


def all_others(filter_: dict[str, Any]) -> str:
    """The filter for everything else, as the JSON text that Trino passes on."""
    return json_util.dumps({"$nor": filter_["$or"]}, json_options=json_util.CANONICAL_JSON_OPTIONS)
