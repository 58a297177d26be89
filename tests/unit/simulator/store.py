"""MongoDB in twenty lines: what is stored after each write."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from ingest.simulator import DocumentWrite, Operation


class Store:
    """The stored documents by collection and id."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[ObjectId, dict[str, Any]]] = {}

    def apply(self, write: DocumentWrite) -> dict[str, Any] | None:
        """Do one write; returns the document as it is stored afterwards."""
        stored = self.documents.setdefault(write.collection, {})
        match write.operation:
            case Operation.SET:
                stored[write.id] = {**stored.get(write.id, {}), **write.document}
            case Operation.DELETE:
                del stored[write.id]
                return None
            case Operation.INSERT | Operation.REPLACE:
                stored[write.id] = write.document
        return stored[write.id]
