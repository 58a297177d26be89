"""The topics of ingest/topics.py, kept in the broker."""

from __future__ import annotations

import logging

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ingest.topics import TOPICS
from wms_mesh.engines.base import Duty, NotReady

log = logging.getLogger(__name__)


class Topics(Duty):
    """Creates what is missing. A topic that exists is left as it is, and what differs is said: it may hold data."""

    name = "topics"
    needs = ("kafka",)

    def ensure(self) -> None:
        admin = self._admin()
        try:
            existing = _partitions(admin)
            missing = [one for one in TOPICS if one.name not in existing]
            if missing:
                new = [NewTopic(one.name, one.partitions, 1, topic_configs=dict(one.config)) for one in missing]
                try:
                    admin.create_topics(new)
                except TopicAlreadyExistsError:
                    log.info("topics: created by somebody else in the meantime")
        except KafkaError as error:
            raise NotReady(f"topics cannot be created: {error}") from error
        finally:
            admin.close()

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
        admin = self._admin()
        try:
            return _partitions(admin)
        except KafkaError as error:
            raise NotReady(f"the broker does not answer: {error}") from error
        finally:
            admin.close()

    def _admin(self) -> KafkaAdminClient:
        try:
            return KafkaAdminClient(bootstrap_servers=self.stack.address("kafka"), request_timeout_ms=10_000)
        except KafkaError as error:
            raise NotReady(f"the broker does not answer: {error}") from error


def _partitions(admin: KafkaAdminClient) -> dict[str, int]:
    """Partitions of every topic."""
    return {one["name"]: len(one["partitions"]) for one in admin.describe_topics()}
