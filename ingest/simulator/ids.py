"""Ids in the formats of the services, drawn from one seeded stream."""

from __future__ import annotations

import hashlib

from bson import ObjectId

from ingest.simulator.stream import stream

# The warehouse opened then: articles and workers carry it as creation time, so that their ids are the same in every
# run and a second run overwrites them instead of breaking the unique index on sku and worker id.
OPENING_MS = 1_736_150_400_000  # 2025-01-06T08:00:00Z


class Ids:
    """Ids of one run. The start is part of the stream: the same seed on another day must not reuse order ids."""

    def __init__(self, seed: int, start_ms: int) -> None:
        self._random = stream("ids", seed, start_ms)
        self._process = self._random.randbytes(5)
        self._counter = self._random.getrandbits(24)

    def hex(self, digits: int = 8) -> str:
        """Lower-case hexadecimal digits, as the head of a UUID."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1."""
        return self._random.randrange(limit)

    def uuid4(self) -> str:
        """A random UUID, version 4."""
        digits = f"{self._random.getrandbits(128):032x}"
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def object_id(self, at_ms: int) -> ObjectId:
        """An ObjectId created at a virtual instant: the second, this process, a counter."""
        self._counter = (self._counter + 1) & 0xFFFFFF
        return ObjectId((at_ms // 1000).to_bytes(4, "big") + self._process + self._counter.to_bytes(3, "big"))


def reference_object_id(collection: str, key: str) -> ObjectId:
    """The ObjectId of a document that stood there from the opening on."""
    digest = hashlib.sha256(f"{collection}:{key}".encode()).digest()
    return ObjectId((OPENING_MS // 1000).to_bytes(4, "big") + digest[:8])
