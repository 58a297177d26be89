"""The same chain from the services' own spelling: camelCase documents, one database per service; on a secure stack."""

from __future__ import annotations

from datetime import timedelta

from ingest.simulator.cli import simulate
from tests.stack.flow import DATA_ONLY, assert_silver_equals_mongodb, carry
from wms_mesh.stack import Stack


def test_camel_case_source_gives_other_rows(camel_case_stack: Stack) -> None:
    simulate(camel_case_stack, duration=timedelta(hours=1), seed=13, deletes=0.01, late_updates=0.02, malformed=0.005)
    carry(camel_case_stack, *DATA_ONLY)
    assert_silver_equals_mongodb(camel_case_stack)
