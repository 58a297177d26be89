"""A seeded, deterministic warehouse in virtual time: what the WMS services would write to MongoDB and to Kafka."""

from ingest.simulator.changes import Change, DocumentWrite, EventRecord, Operation
from ingest.simulator.options import Options
from ingest.simulator.warehouse import changes

__all__ = ["Change", "DocumentWrite", "EventRecord", "Operation", "Options", "changes"]
