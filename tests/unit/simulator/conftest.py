"""Two small worlds, generated once: a full one with every detour, and one as the services fill it today."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingest.simulator import Change, Options, changes
from wms_mesh.stack import Naming

BUSY = Options(
    start=datetime(2026, 3, 2, 6, tzinfo=UTC),
    duration=timedelta(hours=9),
    rate=90,
    history_days=2,
    seed=5,
    naming=Naming.CAMEL_CASE,
    cancellations=0.1,
    deletes=0.1,
    late_updates=0.1,
)
BARE = Options(
    start=datetime(2026, 3, 2, 6, tzinfo=UTC),
    duration=timedelta(hours=4),
    history_days=1,
    naming=Naming.CAMEL_CASE,
    only_what_services_write=True,
)


@pytest.fixture(scope="session")
def busy() -> list[Change]:
    return list(changes(BUSY))


@pytest.fixture(scope="session")
def bare() -> list[Change]:
    return list(changes(BARE))
