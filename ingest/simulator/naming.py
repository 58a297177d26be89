"""One document, two spellings: the simulator thinks in camelCase and converts while it copies."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ingest.simulator.changes import Document
from wms_mesh.stack import Naming

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake_case(name: str) -> str:
    """``promisedDeliveryAt`` becomes ``promised_delivery_at``; ``_id`` and ``street1`` stay."""
    return _HUMP.sub(r"_\1", name).lower()


class Names(dict[str, str]):
    """Each field name and its spelling, looked up once."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        super().__init__()
        self._spell = spell

    def __missing__(self, name: str) -> str:
        spelled = self._spell(name)
        self[name] = spelled
        return spelled


class Sealed(dict[str, Any]):
    """A sub-document that nobody changes any more: it is copied once, however often its document is written.

    An article keeps hundreds of closed reservations and transactions, which are most of its bytes.
    """

    __slots__ = ("copy_made",)
    copy_made: Document | None

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.copy_made = None


class Copier:
    """Makes an independent copy of a document in one naming style."""

    def __init__(self, naming: Naming) -> None:
        self.names = Names(snake_case if naming is Naming.SNAKE_CASE else str)

    def document(self, source: Document) -> Document:
        """The copy; scalars are shared, they never change."""
        names = self.names
        return {
            names[name]: value if value.__class__ not in _CONTAINERS else self._container(value)
            for name, value in source.items()
        }

    def _container(self, value: Any) -> Any:
        kind = value.__class__
        if kind is list:
            return [item if item.__class__ not in _CONTAINERS else self._container(item) for item in value]
        if kind is Sealed:
            if value.copy_made is None:
                value.copy_made = self.document(value)
            return value.copy_made
        return self.document(value)


_CONTAINERS = frozenset((dict, list, Sealed))
