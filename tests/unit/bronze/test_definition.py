"""What the list of collections turns into: tables, topics, statements."""

from __future__ import annotations

import re

import yaml

from ingest.bronze import statements
from ingest.bronze.tables import REPLAYS, change_table, ddl, tables
from ingest.collections import COLLECTIONS, EVENT_TOPICS, Collection
from wms_mesh.stack import REPO

IMAGINED = Collection("imagined", "imagined_db", "imagined_id")
MORE = (*COLLECTIONS, IMAGINED)


def test_new_collection_needs_more_than_one_entry() -> None:
    assert {table.name for table in tables(MORE)} - {table.name for table in tables()} == {"imagined_raw"}
    assert re.fullmatch(statements.topic_pattern(MORE), "cdc.wms.imagined")
    assert "'cdc.wms.imagined'" in statements.parsed(MORE)
    added = [insert for insert in statements.inserts(MORE) if insert not in statements.inserts()]
    assert [insert.table for insert in added] == ["imagined_raw"]


def test_topic_is_not_read_or_too_many_are() -> None:
    pattern = re.compile(statements.topic_pattern())
    for topic in (*(collection.topic for collection in COLLECTIONS), *EVENT_TOPICS, "wms.slot-ting.events"):
        assert pattern.fullmatch(topic), topic
    for topic in ("cdc.wms._schema", "cdcxwms.orders", "cdc.wms.orders2", "wms.orders.inbound", "xwms.orders.events"):
        assert not pattern.fullmatch(topic), topic


def test_branch_writes_columns_in_another_order_than_its_table() -> None:
    names = {table.name: [column.name for column in table.columns] for table in tables()}
    for insert in statements.inserts():
        selected = [column.strip().removeprefix("r.") for column in insert.columns.split(",")]
        renamed = {"current_timestamp": "ingested_at", "key_text": "message_key"}
        assert [renamed.get(column, column) for column in selected] == names[insert.table], insert.table


def test_metrics_property_names_a_column_that_the_table_lacks() -> None:
    for table in (*tables(), REPLAYS):
        columns = {column.name for column in table.columns}
        assert set(re.findall(r"metrics\.column\.(\w+)", ddl(table))) <= columns, table.name


def test_ddl_drops_or_replaces_a_table() -> None:
    statement = ddl(change_table(IMAGINED))
    assert statement.startswith("create table if not exists iceberg.bronze.imagined_raw (")
    assert "partitioning = array['day(ingested_at)']" in statement


def test_job_takes_the_replays_for_a_table_of_its_own() -> None:
    """It would set its positions by their offsets, and restart with a new definition whenever they change."""
    assert REPLAYS not in tables()
    assert "partitioning = array['day(recorded_at)']" in ddl(REPLAYS)


def test_quote_in_a_comment_breaks_the_ddl() -> None:
    assert "record''s own timestamp" in ddl(tables()[0])


def test_dbt_describes_other_tables_than_there_are() -> None:
    [source] = yaml.safe_load((REPO / "models/bronze/sources.yml").read_text(encoding="utf-8"))["sources"]
    described = {
        table["name"]: (
            table["description"],
            [(column["name"], column["data_type"], column["description"]) for column in table["columns"]],
        )
        for table in source["tables"]
    }
    for table in (*tables(), REPLAYS):
        columns = [(column.name, column.type, column.comment) for column in table.columns]
        assert described.pop(table.name) == (table.comment, columns)
    assert not described
