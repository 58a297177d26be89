"""What the supervisor needs to know of a process (Engine) and of a fact it keeps true (Duty)."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wms_mesh.stack import Stack

TEMPLATES = Path(__file__).parent / "templates"


class NotReady(Exception):  # noqa: N818 - a state on the way to ready, not a failure
    """The check did not pass yet; the message says what is missing, for ``status``."""


@dataclass(frozen=True)
class Command:
    """One process to start.

    env: variables added to the supervisor's own environment.
    user: the account to drop to when the supervisor runs as root (Postgres refuses to be root).
    """

    argv: list[str]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None


class Engine(ABC):
    """One process of the embedded stack. It listens on loopback only and writes one log."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()  # engines and duties that must be ready first
    ports: ClassVar[tuple[str, ...]] = ()  # listeners, names of wms_mesh.stack.PORTS; the first is shown
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_seconds: ClassVar[float] = 20.0  # then SIGKILL
    memory_mb: ClassVar[int]  # resident MiB that it never needs: its heap, and what the process takes beside it

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @abstractmethod
    def prepare(self) -> None:
        """Render the configuration and initialise the data folder; running it again changes nothing."""

    @abstractmethod
    def command(self) -> Command:
        """The process to start, after ``prepare``."""

    @abstractmethod
    def check(self) -> None:
        """Do a piece of real work against the running engine, within 10 s; raise NotReady when it fails."""

    def external(self) -> bool:
        """Whether somebody else runs it (a MongoDB of one's own): then it is only checked, never started."""
        return False

    def detail(self) -> dict[str, object]:
        """Facts worth showing in ``status``."""
        return {}

    def render(self, template: str, target: Path, **values: object) -> Path:
        """Render ``templates/<template>`` to ``target`` (mode 0600: it may hold a credential)."""
        text = _TEMPLATES.get_template(template).render(stack=self.stack, **values)
        target.touch(mode=0o600)
        target.write_text(text, encoding="utf-8")
        return target


class Duty(ABC):
    """A fact inside the engines that the supervisor makes true and keeps true (topics, connector, job)."""

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @abstractmethod
    def ensure(self) -> None:
        """Make it true; running it again changes nothing. Raise NotReady or MeshError when it cannot."""

    @abstractmethod
    def check(self) -> None:
        """Raise NotReady when it is no longer true."""

    def detail(self) -> dict[str, object]:
        """Facts worth showing in ``status`` (last event, lag, job id)."""
        return {}


_TEMPLATES = Environment(
    loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)
