"""Connect's answers, against a small HTTP server in its place."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ingest.connector.config import CONNECTOR, render
from ingest.connector.rest import Connect
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming

CONFIG = render(Naming.SNAKE_CASE, "mongodb://x")
VALIDATE = "/connector-plugins/MongoDbConnector/config/validate"
TRACE = "org.ConnectException: poll failed\n\tat a.b\nCaused by: com.MongoTimeout: no primary\n\tat c.d\n\t... 3 more\n"


@dataclass
class Worker:
    """What the server answers by path (404 for others), and what it was asked."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def worker() -> Iterator[Worker]:
    state = Worker()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append(f"{self.command} {self.path}")
            found = self.path in state.answers
            body = json.dumps(state.answers.get(self.path)).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - names that the library looks for

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def status(task: dict[str, Any]) -> dict[str, Any]:
    return {"connector": {"state": "RUNNING"}, "tasks": [task]}


def test_same_configuration_is_put_again(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/config"] = CONFIG
    assert Connect(worker.url).apply(CONFIG) is False
    assert [one for one in worker.asked if one.startswith("PUT")] == []


def test_changed_configuration_is_not_put(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/config"] = {**CONFIG, "tasks.max": "2"}
    worker.answers[VALIDATE] = {"configs": [{"value": None}, {"value": {"name": "tasks.max", "errors": []}}]}
    assert Connect(worker.url).apply(CONFIG) is True
    assert worker.asked[-2:] == [f"PUT {VALIDATE}", f"PUT /connectors/{CONNECTOR}/config"]


def test_wrong_setting_is_put_or_not_named(worker: Worker) -> None:
    wrong = {"name": "snapshot.mode", "errors": ["must be one of initial, never"]}
    worker.answers[VALIDATE] = {"configs": [{"value": wrong}]}
    with pytest.raises(MeshError, match=r"snapshot\.mode: must be one of initial, never"):
        Connect(worker.url).apply(CONFIG)
    assert f"PUT /connectors/{CONNECTOR}/config" not in worker.asked


def test_absent_connector_looks_broken(worker: Worker) -> None:
    now = Connect(worker.url).status()
    assert (now.connector, now.task, now.running) == ("ABSENT", "ABSENT", False)


def test_failed_task_hides_behind_a_running_connector(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/status"] = status({"state": "FAILED", "trace": TRACE})
    now = Connect(worker.url).status()
    assert not now.running
    assert now.trace == "com.MongoTimeout: no primary"


def test_connector_without_a_task_counts_as_running(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/status"] = {"connector": {"state": "RUNNING"}, "tasks": []}
    assert not Connect(worker.url).status().running


@pytest.mark.parametrize(
    "cause",
    [
        # At a start: Debezium's words, behind a resume token of any length.
        "io.debezium.DebeziumException: The connector is trying to read change stream starting at {resume_token="
        + "A" * 400
        + "}, but this is no longer available on the server. Reconfigure the connector to use a snapshot mode when"
        " needed.",
        # While it streams: MongoDB's.
        "com.mongodb.MongoCommandException: Command failed with error 286 (ChangeStreamHistoryLost): 'Resume of change"
        " stream was not possible, as the resume point may no longer be in the oplog.'",
    ],
)
def test_lost_place_looks_like_any_failure(worker: Worker, cause: str) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/status"] = status({"state": "FAILED", "trace": cause + "\n\tat a.b\n"})
    assert Connect(worker.url).status().has_lost_its_place


def test_any_failure_looks_like_a_lost_place(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/status"] = status({"state": "FAILED", "trace": TRACE})
    assert not Connect(worker.url).status().has_lost_its_place


def test_offsets_go_before_the_task_has_ended(worker: Worker) -> None:
    """Connect refuses to forget the offsets of a connector that has a task."""
    worker.answers[f"/connectors/{CONNECTOR}/stop"] = {}
    ended = threading.Event()

    def end() -> None:
        ended.set()
        worker.answers[f"/connectors/{CONNECTOR}/status"] = {"connector": {"state": "STOPPED"}, "tasks": []}

    worker.answers[f"/connectors/{CONNECTOR}/status"] = status({"state": "RUNNING"})
    threading.Timer(0.5, end).start()
    Connect(worker.url).stop()
    assert ended.is_set()


def test_running_resnapshot_is_overlooked(worker: Worker) -> None:
    running = json.dumps([{"incremental_snapshot_collections_id": "wms.orders"}])
    worker.answers[f"/connectors/{CONNECTOR}/offsets"] = {
        "offsets": [
            {"partition": {"server_id": "cdc"}, "offset": {"sec": 1, "incremental_snapshot_collections": running}}
        ]
    }
    assert Connect(worker.url).resnapshotting() == ["wms.orders"]


def test_connector_without_offsets_is_an_error(worker: Worker) -> None:
    worker.answers[f"/connectors/{CONNECTOR}/offsets"] = {"offsets": []}
    assert Connect(worker.url).resnapshotting() == []
