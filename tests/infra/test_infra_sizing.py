"""The sizing page shows what its formulas give, and names settings that exist."""

from __future__ import annotations

import itertools
import re

import pytest
import yaml

from wms_mesh.errors import MeshError
from wms_mesh.infra import releases, sizing
from wms_mesh.infra.facts import HELM
from wms_mesh.stack import REPO

PAGE = (REPO / "docs" / "sizing.md").read_text()


def test_the_page_shows_what_the_formulas_give() -> None:
    assert sizing.table([200, 2_000, 20_000, 200_000]) in PAGE, (
        "put what python -m wms_mesh.infra.sizing prints into docs/sizing.md"
    )


def test_more_load_never_needs_less() -> None:
    needs = [sizing.need(rate) for rate in (1, 100, 200, 1_999, 2_000, 10_000, 50_000, 500_000)]
    for smaller, larger in itertools.pairwise(needs):
        for what in ("brokers", "tasks", "slots", "worker_cores", "bronze_tb", "cores", "memory_gb"):
            assert getattr(smaller, what) <= getattr(larger, what), what


def test_no_load_is_refused_with_a_sentence() -> None:
    with pytest.raises(MeshError, match="more than 0"):
        sizing.need(0)


def test_production_is_sized_for_the_line_that_the_page_says() -> None:
    """2,000 a second: enough slots and workers in values/*/prod.yaml, and room for them in the quota."""
    wanted = sizing.need(2_000)
    trino = yaml.safe_load((HELM / "values/trino/prod.yaml").read_text())
    each = int(trino["worker"]["resources"]["requests"]["cpu"])
    assert each * trino["server"]["workers"] >= wanted.worker_cores
    flink = yaml.safe_load((HELM / "values/flink/prod.yaml").read_text())["flink"]
    assert flink["parallelism"] >= wanted.slots
    assert (
        flink["parallelism"]
        <= yaml.safe_load((HELM / "values/debezium/prod.yaml").read_text())["kafka"]["changePartitions"]
    )


def test_the_settings_of_the_last_table_exist() -> None:
    section = PAGE.split("## Where the numbers are set")[1]
    folders = {one.name for one in releases.releases()}
    for line in section.splitlines():
        keys, places = re.findall(r"`([a-zA-Z]+(?:\.[a-zA-Z]+)*)`", line), re.findall(r"values/([\w-]+)", line)
        for place in places:
            assert place in folders
            merged = "\n".join(path.read_text() for path in sorted((HELM / "values" / place).glob("*.yaml")))
            merged += (HELM / "charts/wms-mesh/values.yaml").read_text()
            for key in keys:
                assert re.search(rf"\b{key.split('.')[-1]}:", merged), key
