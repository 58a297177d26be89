"""The SQL that makes change records, as far as it can be judged without an engine; the benchmark counts its rows."""

from __future__ import annotations

import json
import re
from datetime import date

from benchmarks.transform import documents


def test_the_newest_day_is_cut_short() -> None:
    collection = documents.Collection(100_000, 2000)
    assert (collection.days, collection.first_day) == (50, date(2026, 9, 12))


def test_a_placeholder_reaches_bronze() -> None:
    collection = documents.Collection(10_000, 2000)
    for statement in (
        collection.inserts("t", 0, 10_000),
        collection.updates("t", collection.recent(10)),
        collection.updates("t", collection.spread(10)),
    ):
        assert not re.findall(r"<[a-z]+>", statement)


def test_a_template_is_no_json() -> None:
    filled = re.sub(r"<[a-z]+>", "1", documents._DOCUMENT.replace("<lines>", documents._LINE))
    assert json.loads(filled)["items"][0]["sku"] == "SKU-1-001"
    assert json.loads(re.sub(r"<[a-z]+>", "1", documents._ENVELOPE.replace("<description>", documents._DESCRIPTION)))


def test_sequences_end_at_ten_thousand() -> None:
    assert "sequence(0, 49)" in documents.Collection(1_000_000, 2000).spread(500_000)
