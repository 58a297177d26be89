"""How a stack's state looks on a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from wms_mesh.lifecycle import Status
from wms_mesh.supervisor import State

COLOURS = {
    State.READY: "green",
    State.WAITING: "dim",
    State.STARTING: "yellow",
    State.STOPPED: "dim",
    State.RESTARTING: "red",
    State.UNRESPONSIVE: "red",
}


def status_table(now: Status) -> RenderableType:
    """One line per unit, and the start time and memory of the whole stack."""
    if not now.units:
        return Text("Nothing was started yet: ./mesh up")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("engine", "state", "pid", "port", "MB", "restarts", "reason"):
        numeric = heading in ("pid", "port", "MB", "restarts")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    for unit in now.units:
        table.add_row(
            unit.name,
            Text(unit.state, style=COLOURS[unit.state]),
            str(unit.pid or ""),
            str(unit.port or ""),
            f"{now.rss_mb[unit.name]:.0f}" if unit.name in now.rss_mb else "",
            str(unit.restarts or ""),
            unit.reason,
        )
    facts = [
        Text(f"{unit.name}: {', '.join(f'{key} {value}' for key, value in unit.detail.items())}", style="dim")
        for unit in now.units
        if unit.detail and unit.state != State.STOPPED
    ]
    start = f"ready after {now.ready_seconds:.0f} s" if now.ready_seconds is not None else "not yet ready"
    summary = f"Stack: {start if now.supervised else 'stopped'}, {now.total_rss_mb:,.0f} MB resident."
    return Group(table, *facts, Text(summary, style="bold"))


def waiting(now: Status) -> RenderableType:
    """A spinner naming what is not ready yet, and why."""
    pending = [unit for unit in now.units if unit.state != State.READY]
    done = len(now.units) - len(pending)
    lines = [Spinner("dots", f"Starting: {done} of {len(now.units)} ready")]
    shown = [unit for unit in pending if unit.state != State.WAITING] or pending
    return Group(*lines, *(Text(f"  {unit.name}: {unit.state} {unit.reason[:90]}", style="dim") for unit in shown[:6]))


def stopping(now: Status) -> RenderableType:
    """A spinner naming what still runs."""
    running = [unit.name for unit in now.units if unit.state != State.STOPPED]
    return Spinner("dots", f"Stopping: {', '.join(running) or 'done'}")
