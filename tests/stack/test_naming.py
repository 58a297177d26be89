"""The same chain from the services' own spelling: camelCase documents, one database per service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ingest.simulator.cli import simulate
from tests.stack.test_chain import assert_silver_equals_mongodb, carry
from wms_mesh.stack import Naming, Stack


def test_camel_case_source_gives_other_rows(start_stack: Callable[[Naming], Stack]) -> None:
    stack = start_stack(Naming.CAMEL_CASE)
    simulate(stack, duration=timedelta(hours=1), seed=13, deletes=0.01, late_updates=0.02, malformed=0.005)
    carry(stack)
    assert_silver_equals_mongodb(stack)
