"""The lists of tables in macros against the models and tables that there are."""

from __future__ import annotations

import re

from ingest.bronze.tables import tables
from wms_mesh.stack import REPO


def _listed(macro: str) -> set[str]:
    text = (REPO / "macros/cdc/tables.sql").read_text(encoding="utf-8")
    [body] = re.findall(rf"macro {macro}\(\).*?endmacro", text, re.DOTALL)
    return set(re.findall(r"'(\w+)'", body))


def _models(*marks: str) -> set[str]:
    models = ((path.stem, path.read_text(encoding="utf-8")) for path in (REPO / "models/silver").rglob("*.sql"))
    return {name for name, text in models if all(mark in text for mark in marks)}


def test_documents_of_a_table_have_no_parse_failures_anywhere() -> None:
    periods = _models("cdc_current_state(", "per={")
    assert periods
    assert _listed("cdc_period_tables") == periods
    assert _listed("cdc_document_tables") == _models("cdc_current_state(") - periods
    assert _listed("cdc_entry_tables") == _models("cdc_entries(")


def test_table_of_records_is_left_out_of_the_ledger() -> None:
    text = (REPO / "macros/ledger/sources.sql").read_text(encoding="utf-8")
    [body] = re.findall(r"macro ledger_sources\(\).*?endmacro", text, re.DOTALL)
    assert set(re.findall(r"'(\w+)':", body)) == {table.name for table in tables()}
