"""What a re-snapshot takes for its order and for its end."""

from __future__ import annotations

import pytest

from wms_mesh.errors import MeshError
from wms_mesh.repair.resnapshot import _condition, _ends
from wms_mesh.repair.watch import Notification


@pytest.mark.parametrize("text", ["status = 'picking'", "[]", '"picking"', "{"])
def test_filter_that_is_no_object_reaches_the_connector(text: str) -> None:
    """The connector would skip the collection, with a warning in its log."""
    with pytest.raises(MeshError, match="--filter"):
        _condition(text)


def test_date_in_a_filter_stays_a_text() -> None:
    condition = _condition('{"created_at": {"$gte": {"$date": "2026-03-01T00:00:00Z"}}}')
    assert condition["created_at"]["$gte"].year == 2026


@pytest.mark.parametrize(
    ("kind", "event", "collection", "ends"),
    [
        ("Incremental Snapshot", "TABLE_SCAN_COMPLETED", "wms.orders", True),
        ("Incremental Snapshot", "TABLE_SCAN_COMPLETED", "wms.waves", False),
        ("Incremental Snapshot", "IN_PROGRESS", "wms.orders", False),
        ("Initial Snapshot", "TABLE_SCAN_COMPLETED", "wms.orders", False),
    ],
)
def test_snapshot_of_something_else_ends_it(kind: str, event: str, collection: str, ends: bool) -> None:
    assert _ends(Notification(kind, event, {"scanned_collection": collection}), "wms.orders") is ends
