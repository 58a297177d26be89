"""The list of topics."""

from __future__ import annotations

import re

from ingest.bronze.statements import topic_pattern
from ingest.collections import COLLECTIONS, EVENT_TOPICS
from ingest.topics import CDC_PARTITIONS, CONNECT_CONFIGS, LARGEST_RECORD, NOTIFICATIONS_TOPIC, TOPICS

BY_NAME = {one.name: one for one in TOPICS}


def test_captured_collection_has_no_topic() -> None:
    assert {one.topic for one in COLLECTIONS} | set(EVENT_TOPICS) <= set(BY_NAME)
    assert len(BY_NAME) == len(TOPICS)


def test_notification_ends_in_bronze_or_has_no_topic() -> None:
    assert BY_NAME[NOTIFICATIONS_TOPIC].partitions == 1  # in order
    assert re.fullmatch(topic_pattern(), NOTIFICATIONS_TOPIC) is None


def test_partitions_differ_from_the_contract() -> None:
    assert {one.name: one.partitions for one in TOPICS if one.name in EVENT_TOPICS} == EVENT_TOPICS
    assert {BY_NAME[one.topic].partitions for one in COLLECTIONS} == {CDC_PARTITIONS}


def test_largest_change_does_not_fit() -> None:
    """Two images of 16 MB; a quote inside JSON inside JSON takes three bytes more."""
    assert LARGEST_RECORD > 2 * 16 * 1024 * 1024 * 1.4
    for one in COLLECTIONS:
        assert int(BY_NAME[one.topic].config["max.message.bytes"]) == LARGEST_RECORD


def test_cdc_topic_is_compacted() -> None:
    """A compacted topic drops history before bronze has read it."""
    for one in COLLECTIONS:
        assert BY_NAME[one.topic].config["cleanup.policy"] == "delete"


def test_connects_own_topics_expire() -> None:
    own = [one for one in TOPICS if one.name.startswith("connect-")]
    assert [one.config["cleanup.policy"] for one in own] == ["compact"] * 3
    assert BY_NAME[CONNECT_CONFIGS].partitions == 1
