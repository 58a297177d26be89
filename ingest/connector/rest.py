"""Kafka Connect's REST interface, as far as one connector needs it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from ingest.connector.config import CONNECTOR
from wms_mesh.errors import MeshError

_TIMEOUT = 10.0  # seconds; the worker answers from memory
_OFFSETS_TIMEOUT = 60.0  # the worker reads its offsets topic to the end
_STOP_LIMIT = 60.0  # seconds until a stopped connector's task has ended
_VALIDATE_TIMEOUT = 60.0  # validation connects to MongoDB and waits for its own time-out


@dataclass(frozen=True)
class Status:
    """State of the connector and of its task, in Connect's words; ABSENT when there is none.

    trace: first lines of the stack trace of what failed, most telling first; empty when nothing did.
    has_lost_its_place: it failed because the oplog no longer holds the change that it has to go on from.
    """

    connector: str
    task: str
    trace: str
    has_lost_its_place: bool = False

    @property
    def running(self) -> bool:
        """Whether Connect believes that it runs; the stream behind it may still be dead."""
        return self.connector == self.task == "RUNNING"


class Connect:
    """One worker's REST interface at ``url``. Network errors pass through as requests.RequestException."""

    def __init__(self, url: str) -> None:
        self.url = url

    def plugins(self) -> list[str]:
        """Class names of the connectors that the worker can run."""
        return [one["class"] for one in self._get("/connector-plugins")]

    def apply(self, config: Mapping[str, str]) -> bool:
        """Make the connector run with this configuration; returns whether anything had to change.

        Raises MeshError that names each wrong setting (putting a wrong one would answer with a bare HTTP 500).
        """
        now = self._get(f"/connectors/{CONNECTOR}/config", absent={})
        if now == dict(config):
            return False
        self._validate(config)
        self._call("PUT", f"/connectors/{CONNECTOR}/config", body=config)
        return True

    def status(self) -> Status:
        """What Connect says of the connector and its only task."""
        answer = self._get(f"/connectors/{CONNECTOR}/status", absent=None)
        if answer is None:
            return Status("ABSENT", "ABSENT", "")
        task = answer["tasks"][0] if answer["tasks"] else {"state": "ABSENT"}
        trace = task.get("trace") or answer["connector"].get("trace") or ""
        return Status(answer["connector"]["state"], task["state"], _reason(trace), _is_place_lost(trace))

    def restart(self, *, only_failed: bool) -> None:
        """Restart the connector and its task, or those of them that failed."""
        choice = f"includeTasks=true&onlyFailed={str(only_failed).lower()}"
        self._call("POST", f"/connectors/{CONNECTOR}/restart?{choice}")

    def stop(self) -> None:
        """End its task, and keep it ended until ``resume``; raises MeshError when the task does not end."""
        self._call("PUT", f"/connectors/{CONNECTOR}/stop")
        deadline = time.monotonic() + _STOP_LIMIT
        while (now := self.status()).task != "ABSENT":
            if time.monotonic() > deadline:
                raise MeshError(f"The connector's task is still {now.task}: run the same command again.")
            time.sleep(0.2)

    def resume(self) -> None:
        """Let a stopped connector run again."""
        self._call("PUT", f"/connectors/{CONNECTOR}/resume")

    def forget_offsets(self) -> None:
        """Forget where the stopped connector was: it begins with a snapshot when it runs again."""
        self._call("DELETE", f"/connectors/{CONNECTOR}/offsets", timeout=_OFFSETS_TIMEOUT)

    def resnapshotting(self) -> list[str]:
        """Collections (``database.name``) of a running incremental snapshot, as of the last offset flush."""
        answer = self._call("GET", f"/connectors/{CONNECTOR}/offsets", timeout=_OFFSETS_TIMEOUT).json()
        offsets = [one["offset"] for one in answer["offsets"]]
        texts = [
            one["incremental_snapshot_collections"] for one in offsets if "incremental_snapshot_collections" in one
        ]
        return [collection["incremental_snapshot_collections_id"] for text in texts for collection in json.loads(text)]

    def _validate(self, config: Mapping[str, str]) -> None:
        plugin = config["connector.class"].rpartition(".")[2]
        answer = self._call(
            "PUT", f"/connector-plugins/{plugin}/config/validate", body=config, timeout=_VALIDATE_TIMEOUT
        )
        # A setting that the connector does not define has a null value.
        values = [setting["value"] for setting in answer.json()["configs"] if setting["value"]]
        wrong = [f"{value['name']}: {' '.join(value['errors'])}" for value in values if value["errors"]]
        if wrong:
            raise MeshError(f"The connector's configuration is wrong, change ingest/connector: {'; '.join(wrong)}")

    def _get(self, path: str, **default: Any) -> Any:
        answer = requests.get(self.url + path, timeout=_TIMEOUT)
        if answer.status_code == requests.codes.not_found and default:
            return default["absent"]
        answer.raise_for_status()
        return answer.json()

    def _call(self, method: str, path: str, body: object = None, timeout: float = _TIMEOUT) -> requests.Response:
        answer = requests.request(method, self.url + path, json=body, timeout=timeout)
        answer.raise_for_status()
        return answer


def _reason(trace: str) -> str:
    """The innermost cause of a Java stack trace, else its first line."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or [""])[-1 if causes else 0][:300]


# At a start Debezium asks whether its place is there (its own words); a running stream gets MongoDB's error 286.
_PLACE_LOST = (
    "no longer available on the server",
    "ChangeStreamHistoryLost",
    "may no longer be in the oplog",
    "error 286",
)


def _is_place_lost(trace: str) -> bool:
    return any(words in trace for words in _PLACE_LOST)
