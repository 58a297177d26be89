"""Follows every statement that this process sends to Trino, and keeps what each cost."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

import requests
import trino

from benchmarks.transform import statistics
from wms_mesh.stack import Stack

_HEADERS = {"X-Trino-User": "mesh"}
_PAUSE_SECONDS = 0.5
_PATIENCE_SECONDS = 30.0


class Recorder:
    """Asks the coordinator about each statement as soon as it ends.

    Not afterwards: Trino keeps the details of the last 50 statements, and a rebuild of 5 million documents has 300.
    """

    def __init__(self, stack: Stack) -> None:
        self.cost = statistics.Cost()
        self._url = f"{stack.url('trino')}/v1/query"
        self._session = requests.Session()
        self._started: SimpleQueue[str] = SimpleQueue()
        self._open: list[str] = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="recorder", daemon=True)

    @contextlib.contextmanager
    def recording(self) -> Iterator[statistics.Cost]:
        """Record the statements of the block; the cost is complete behind it.

        The client has no hook for a statement's id, so its cursor is wrapped for the time of the block.
        """
        execute: Any = trino.dbapi.Cursor.execute

        def recorded(cursor: Any, *args: Any, **kwargs: Any) -> Any:
            result = execute(cursor, *args, **kwargs)
            self._started.put(cursor.query_id)
            return result

        self._thread.start()
        try:
            with patch.object(trino.dbapi.Cursor, "execute", recorded):
                yield self.cost
        except BaseException:
            self._cancel()
            raise
        finally:
            self._is_over.set()
            self._thread.join(_PATIENCE_SECONDS)
            self.cost.unaccounted += len(self._open)

    def _follow(self) -> None:
        while True:
            is_last_round = self._is_over.is_set()
            while not self._started.empty():
                self._open.append(self._started.get())
            self._open = [query_id for query_id in self._open if not self._is_accounted(query_id)]
            if is_last_round and not self._open:
                return
            self._is_over.wait(_PAUSE_SECONDS)

    def _is_accounted(self, query_id: str) -> bool:
        response = self._session.get(f"{self._url}/{query_id}", headers=_HEADERS, timeout=60)
        if response.status_code == requests.codes.gone:
            self.cost.unaccounted += 1
            return True
        response.raise_for_status()
        info = response.json()
        if not statistics.is_complete(info):
            return False
        self.cost.add(info)
        return True

    def _cancel(self) -> None:
        """End what an interrupted run left running: it would write into tables that are about to be dropped."""
        for query_id in self._open:
            self._session.delete(f"{self._url}/{query_id}", headers=_HEADERS, timeout=60)
