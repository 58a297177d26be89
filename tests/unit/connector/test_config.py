"""The connector's configuration, as it goes to Connect."""

from __future__ import annotations

import re

import pytest

from ingest.collections import COLLECTIONS
from ingest.connector.config import database, heartbeat_seconds, render
from ingest.topics import HEARTBEAT_TOPIC, TOPIC_PREFIX
from wms_mesh.stack import Naming

STYLES = list(Naming)


@pytest.mark.parametrize("naming", STYLES)
def test_captured_collections_differ_from_the_list(naming: Naming) -> None:
    captured = render(naming, "mongodb://x")["collection.include.list"].split(",")
    assert captured == [f"{database(one, naming)}.{one.name}" for one in COLLECTIONS]
    assert len(set(captured)) == len(COLLECTIONS)


def test_camel_case_collections_are_looked_for_in_wms() -> None:
    captured = render(Naming.CAMEL_CASE, "mongodb://x")["collection.include.list"]
    assert "orders_db.orders" in captured
    assert "wms." not in captured


@pytest.mark.parametrize("naming", STYLES)
def test_an_error_is_skipped(naming: Naming) -> None:
    config = render(naming, "mongodb://x")
    assert [name for name in config if name.startswith("errors.")] == []
    assert "skip" not in config.values()
    assert "skipped.operations" not in config


@pytest.mark.parametrize("naming", STYLES)
def test_route_misses_the_fixed_topics(naming: Naming) -> None:
    config = render(naming, "mongodb://x")
    pattern = re.compile(config["transforms.route.regex"])
    replacement = config["transforms.route.replacement"].replace("$1", r"\1")
    for one in COLLECTIONS:
        debezium = f"{TOPIC_PREFIX}.{database(one, naming)}.{one.name}"
        assert pattern.fullmatch(debezium)
        assert pattern.sub(replacement, debezium) == one.topic


def test_route_moves_heartbeats() -> None:
    pattern = render(Naming.CAMEL_CASE, "mongodb://x")["transforms.route.regex"]
    assert re.fullmatch(pattern, HEARTBEAT_TOPIC) is None


@pytest.mark.parametrize("naming", STYLES)
def test_signal_is_published_or_a_document_is_not(naming: Naming) -> None:
    config = render(naming, "mongodb://x")
    assert config["transforms"].split(",")[0] == "drop_signals"  # before the route makes cdc.wms.* of everything
    pattern = re.compile(config["predicates.is_signal.pattern"])
    assert pattern.fullmatch(f"{TOPIC_PREFIX}.{config['signal.data.collection']}")
    for one in COLLECTIONS:
        assert not pattern.fullmatch(f"{TOPIC_PREFIX}.{database(one, naming)}.{one.name}")


@pytest.mark.parametrize("naming", STYLES)
def test_signals_stand_in_a_database_of_a_service(naming: Naming) -> None:
    databases = {database(one, naming) for one in COLLECTIONS}
    assert render(naming, "mongodb://x")["signal.data.collection"].partition(".")[0] not in databases


def test_prefix_differs_from_the_topics() -> None:
    assert render(Naming.SNAKE_CASE, "mongodb://x")["topic.prefix"] == TOPIC_PREFIX


def test_values_are_not_text() -> None:
    """Connect's comparison with the applied configuration would always differ."""
    assert all(isinstance(value, str) for value in render(Naming.SNAKE_CASE, "mongodb://x").values())


def test_heartbeat_is_in_milliseconds() -> None:
    assert 0.5 <= heartbeat_seconds() <= 60
