"""What a page is made of, and how numbers, shares and times are written on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from wms_mesh.report.source import Source

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Plot:
    """One picture in two widths, for a phone and for a desk. text: what it shows, for who does not see it."""

    text: str
    narrow: Markup
    wide: Markup


@dataclass(frozen=True)
class Table:
    """Rows of text. The first column names the row, the others are numbers unless they stand in ``words``."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Block:
    """A card. is_wide: as wide as the page, the table beside the plot; else the plot's table opens on demand."""

    heading: str
    text: str = ""
    plot: Plot | None = None
    table: Table | None = None
    is_wide: bool = False


@dataclass(frozen=True)
class Chapter:
    """A section of the page. needs: the tables that ``build`` asks."""

    anchor: str
    heading: str
    text: str
    needs: tuple[str, ...]
    build: Callable[[Source], Sequence[Block]]


def count(value: int | float | None) -> str:
    """A whole number."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def cell(value: float | None, say: Callable[[float], str] = count) -> str:
    """A number of a table, where there may be none."""
    return "-" if value is None else say(value)


def number(value: float | None) -> str:
    """A number with what digits it needs to be read: three."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"


def share(part: float | None, whole: float | None = 1) -> str:
    """A share in percent, never rounded up to all nor down to nothing."""
    if part is None or not whole:
        return UNKNOWN
    rate = part / whole
    if 0 < rate < 1:
        rate = min(max(rate, 0.001), 0.999)
    return f"{100 * rate:.0f} %" if rate in (0, 1) else f"{100 * rate:.1f} %"


def seconds(value: float | None) -> str:
    """A length of time in the unit that one would say it in."""
    if value is None:
        return UNKNOWN
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if value >= 2 * size:
            return f"{number(value / size)} {unit}"
    return f"{number(value)} s"


def moment(value: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def many(value: int | float, one: str, more: str = "") -> str:
    """``1 wave``, ``2 waves``."""
    return f"{count(value)} {one if value == 1 else more or one + 's'}"
