"""The topics of ingest/topics.py, kept in the broker."""

from __future__ import annotations

import contextlib

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from ingest.topics import TOPICS
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.engines.kafka import admin


class Topics(Duty):
    """Creates what is missing. A topic that exists is left as it is, and what differs is said: it may hold data."""

    name = "topics"
    needs = ("kafka",)

    def ensure(self) -> None:
        with admin(self.stack) as client:
            existing = _partitions(client)
            missing = [one for one in TOPICS if one.name not in existing]
            if missing:
                new = [NewTopic(one.name, one.partitions, 1, topic_configs=dict(one.config)) for one in missing]
                with contextlib.suppress(TopicAlreadyExistsError):  # by somebody else in the meantime
                    client.create_topics(new)

    def check(self) -> None:
        """All topics exist."""
        existing = self._existing()
        missing = [one.name for one in TOPICS if one.name not in existing]
        if missing:
            raise NotReady(f"topics are missing: {', '.join(missing)}")

    def detail(self) -> dict[str, object]:
        existing = self._existing()
        fewer = {
            one.name: f"{existing[one.name]} partitions, not {one.partitions}"
            for one in TOPICS
            if existing.get(one.name, one.partitions) < one.partitions
        }
        return {"topics": len(TOPICS), **fewer}

    def _existing(self) -> dict[str, int]:
        with admin(self.stack) as client:
            return _partitions(client)


def _partitions(client: KafkaAdminClient) -> dict[str, int]:
    """Partitions of every topic."""
    return {one["name"]: len(one["partitions"]) for one in client.describe_topics()}
