"""What a run of the simulator is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming

DAY_MS = 86_400_000
DEFAULT_DURATION = timedelta(hours=8)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHARES = ("cancellations", "deletes", "late_updates", "malformed", "duplicates")


@dataclass(frozen=True, slots=True)
class Options:
    """One simulated world. The same options give the same changes, byte for byte.

    start: first virtual instant (UTC). The warehouse's working day and its morning shift begin with it.
    duration: virtual time that is simulated.
    rate: orders per virtual hour.
    history_days: whole days that are already over at the start, at an eighth of the rate; what is left of them
        (delivered orders, parcels on the road, stock) is written first, as inserts.
    seed: of everything random.
    naming: spelling of the documents.
    cancellations: share of orders that a customer cancels.
    deletes: share of finished tasks, shipments and cancelled waves that are deleted for good, and of orders that
        are soft-deleted (their status becomes cancelled).
    late_updates: updates to old orders, per new order.
    malformed: share of document writes that carry a defect, and of events that a malformed record follows.
    duplicates: share of events that are sent twice (delivery is at least once).
    only_what_services_write: leave out what the services declare and never fill (prices, deliveries, rates).
    """

    start: datetime
    duration: timedelta = DEFAULT_DURATION
    rate: float = 60.0
    history_days: int = 3
    seed: int = 1
    naming: Naming = Naming.SNAKE_CASE
    cancellations: float = 0.03
    deletes: float = 0.01
    late_updates: float = 0.02
    malformed: float = 0.0
    duplicates: float = 0.002
    only_what_services_write: bool = False
    start_ms: int = field(init=False)
    end_ms: int = field(init=False)

    def __post_init__(self) -> None:
        """Raise MeshError when a value cannot be used."""
        if self.start.tzinfo is None:
            raise MeshError("The start of the simulation has no time zone: write it like 2026-01-31T06:00:00Z.")
        if not 0 < self.rate <= 100_000:
            raise MeshError(f"The rate is {self.rate}: choose more than 0 and at most 100000 orders per virtual hour.")
        if self.duration <= timedelta(0):
            raise MeshError(f"The duration is {self.duration}: choose more than zero, for example 8h.")
        if not 0 <= self.history_days <= 60:
            raise MeshError(f"The history is {self.history_days} days: choose 0 to 60.")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise MeshError(f"The share of {name} is {getattr(self, name)}: choose a fraction from 0 to 1.")
        start = int(self.start.timestamp()) * 1000
        object.__setattr__(self, "start_ms", start)
        object.__setattr__(self, "end_ms", start + int(self.duration.total_seconds() * 1000))


def parse_duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``8h``, ``1d`` or a sum of them (``1d12h``); raise MeshError otherwise."""
    parts = re.findall(r"(\d+)([smhd])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise MeshError(f"'{text}' is not a duration: write it like 90s, 30m, 8h, 1d or 1d12h.")
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def parse_start(text: str) -> datetime:
    """An ISO 8601 instant, UTC when it names no zone; raise MeshError otherwise."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise MeshError(f"'{text}' is not an instant: write it like 2026-01-31T06:00:00Z.") from None
    return start.astimezone(UTC) if start.tzinfo else start.replace(tzinfo=UTC)
