"""Go on after the connector's place in MongoDB's oplog is lost: a new snapshot, and deletes for what went meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from ingest.collections import COLLECTIONS
from ingest.connector.rest import Connect
from wms_mesh import ledger, turns
from wms_mesh.errors import MeshError
from wms_mesh.repair import vanished
from wms_mesh.repair.watch import watch
from wms_mesh.stack import Stack

_KIND = "Initial Snapshot"
_BRONZE_LIMIT = 600.0  # seconds until bronze has what the topics held when the snapshot ended


@dataclass(frozen=True)
class Outcome:
    """records: snapshot records that came. vanished: what bronze has as alive and MongoDB does not have."""

    records: int
    vanished: list[vanished.Vanished]


def run(stack: Stack, progress: Callable[[str], None]) -> Outcome:
    """Forget the connector's place, wait for its new snapshot, and look for documents that are gone.

    Writes nothing for those: that is ``vanished.mark``. Running it again after it was cut off starts over.
    progress: told how far it is. Raises MeshError when Connect does not answer or the snapshot does not end.
    """
    rest = Connect(stack.url("connect"))
    with turns.only_one(stack.run() / "locks" / "recapture.lock", "A recapture", "wait until it has ended"):
        with watch(stack, [one.topic for one in COLLECTIONS]) as connector:
            try:
                rest.stop()
                rest.forget_offsets()
                rest.resume()
            except requests.RequestException as error:
                raise MeshError(
                    f"Connect does not take the order ({error}): `./mesh status`, then run the same command again."
                ) from error
            connector.until(lambda said: said.kind == _KIND and said.event == "COMPLETED", progress)
            records = connector.records
        _await_bronze(stack, progress)
        progress("comparing bronze with MongoDB")
        return Outcome(records, [found for one in COLLECTIONS if (found := vanished.find(stack, one)).ids])


def _await_bronze(stack: Stack, progress: Callable[[str], None]) -> None:
    """Wait until bronze holds every record that Kafka holds now: the last change of a document may be among them."""
    ends = {(at.topic, at.partition): end for at, (_, end) in ledger.offsets(stack).items()}
    deadline = time.monotonic() + _BRONZE_LIMIT
    while waiting := ledger.missing_below(stack, ends):
        if time.monotonic() > deadline:
            raise MeshError(
                f"{waiting:,} records are still on their way to bronze: `./mesh status` shows the job; then run"
                " `./mesh recapture` again."
            )
        progress(f"{waiting:,} records on their way to bronze")
        time.sleep(1.0)
