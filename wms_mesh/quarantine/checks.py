"""What can be told of a record before it is sent. It only warns: the bronze job decides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ingest.collections import CDC_PREFIX
from wms_mesh.quarantine.records import Message

# What the job asks for, ingest/bronze/java/wms/bronze/ReadRecord.java: fields that must be there, and of which type.
_CHANGE: dict[str, type] = {"op": str, "source": dict, "ts_ms": int}
_SOURCE = {"ts_ms": int, "ord": int}
_EVENT: dict[str, type] = {"specversion": str, "id": str, "type": str, "source": str}
_NAMES = {str: "text", int: "whole number", dict: "object"}


def doubts(message: Message) -> Iterator[str]:
    """Why the record may come back, a few words each; nothing when it looks well."""
    is_change = message.topic.startswith(CDC_PREFIX)
    if is_change:
        key = _object(message.key or b"")
        if key is None or not isinstance(key.get("id"), str):
            yield 'the key is not {"id": "..."}'
        if message.value is None:
            return  # a tombstone
    value = _object(message.value or b"")
    if value is None:
        yield "the value is not a JSON object"
        return
    yield from _faults(value, _CHANGE if is_change else _EVENT, "")
    if not is_change:
        return
    if isinstance(source := value.get("source"), dict):
        yield from _faults(source, _SOURCE, "source.")
    for name in ("before", "after"):
        if not isinstance(value.get(name, 0), str | None):
            yield f"{name} is neither text nor null"
    if value.get("op") in ("r", "c") and value.get("after", "") is None:
        yield "after is null in an insert"


def _faults(value: dict[str, Any], wanted: Mapping[str, type], prefix: str) -> Iterator[str]:
    for name, kind in wanted.items():
        if type(value.get(name)) is not kind:
            yield f"{prefix}{name} is no {_NAMES[kind]}"


def _object(content: bytes) -> dict[str, Any] | None:
    """The JSON object that the bytes are; None when they are anything else."""
    try:
        value = json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
