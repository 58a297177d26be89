"""gold.data_product_slo: made when it is missing, added to, read. Nothing in it is ever changed."""

from __future__ import annotations

from ingest.bronze.tables import Column
from wms_mesh.history import History
from wms_mesh.slo.verdict import Measurement
from wms_mesh.stack import Stack

_COMMENT = (
    "How each data product kept its promises, measured against MongoDB: one row for each product and measurement, "
    "history kept. A promise that was not made has a NULL target and cannot be broken."
)
_TIME, _SHARE, _SECONDS, _COUNT = "timestamp(6) with time zone", "double", "double", "bigint"

_COLUMNS = (
    Column(
        "measured_at",
        _TIME,
        "The moment that the row speaks of, UTC: changes up to then are judged, later ones are excluded.",
    ),
    Column("product", "varchar", "Data product, as models/groups.yml names it."),
    Column(
        "freshness_seconds",
        _SECONDS,
        "Age in seconds of the oldest change in MongoDB that the product did not show at measured_at; 0 when it "
        "showed all. A product shows a change when its silver table has it; fulfillment, when its gold table read it.",
    ),
    Column(
        "freshness_target_seconds",
        _SECONDS,
        "How old it may be, in seconds; holds for delay_p99_seconds, too.",
    ),
    Column("is_fresh", "boolean", "True when both are within the target."),
    Column(
        "delay_p50_seconds",
        _SECONDS,
        "Median delay in seconds from a change in MongoDB until the product showed it, over the streamed changes that "
        "became visible in the window; NULL when there was none. Never too short: MongoDB cuts its times to the "
        "second, and the watermark that proves a change visible is written after its commit.",
    ),
    Column("delay_p99_seconds", _SECONDS, "The same in seconds for 99 of 100 changes, by nearest rank."),
    Column("delay_window_seconds", _SECONDS, "Length in seconds of the window, which ends with measured_at."),
    Column("delayed_changes", _COUNT, "Changes in the window, each counted once however often it was sent."),
    Column("documents", _COUNT, "Documents in MongoDB, without the excluded ones."),
    Column("current_rows", _COUNT, "Rows in silver that are not deleted, without the excluded ones."),
    Column("missing", _COUNT, "Documents without a row, though every change up to measured_at was read."),
    Column("extra", _COUNT, "Rows without a document."),
    Column(
        "excluded",
        _COUNT,
        "Documents that changed after measured_at, so that nothing can be said of them; all that differ, when silver "
        "did not come as far within what is promised.",
    ),
    Column(
        "completeness_rate",
        _SHARE,
        "Fraction of documents and extra rows that are on both sides; NULL when silver did not come as far as "
        "measured_at, or nothing is there.",
    ),
    Column("completeness_target", _SHARE, "The fraction that is promised; NULL when none is."),
    Column("is_complete", "boolean", "True when the target is reached; NULL without a target or a rate."),
    Column("compared", _COUNT, "Documents on both sides whose fields were compared one by one."),
    Column("agreeing", _COUNT, "Those of them that are equal in every compared field."),
    Column(
        "is_sample",
        "boolean",
        "True when the fields of only some documents were compared, chosen by a hash of their id; false when of all.",
    ),
    Column("accuracy_rate", _SHARE, "Fraction of the compared documents that agree; NULL as completeness_rate."),
    Column("accuracy_target", _SHARE, "The fraction that is promised; NULL when none is."),
    Column("is_accurate", "boolean", "True when the target is reached; NULL without a target or a rate."),
    Column("is_met", "boolean", "True when no promise is broken."),
    Column("processing_time", _TIME, "When the row was computed, UTC."),
)

TABLE = History("data_product_slo", _COMMENT, _COLUMNS, "measured_at", Measurement)


def last(stack: Stack, count: int) -> dict[str, list[Measurement]]:
    """The newest measurements of each product, oldest first."""
    found: dict[str, list[Measurement]] = {}
    for one in TABLE.newest(stack, "product", count):
        found.setdefault(one.product, []).append(one)
    return found
