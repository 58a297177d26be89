"""Where one embedded stack lives: its folder, its ports, its secrets.

Every path, port and credential of the stack comes from here, so two stacks with different
``MESH_HOME`` and ``MESH_PORT_BASE`` never meet.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from wms_mesh.errors import MeshError

REPO = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"

# Below the usual ephemeral range (32768 upwards), so an outgoing connection never takes one of them.
DEFAULT_PORT_BASE = 28000

# A port is base + its place in this list; append only, so that existing stacks keep their ports.
PORTS = (
    "kafka",
    "kafka-controller",
    "connect",
    "s3",
    "postgres",
    "metastore",
    "trino",
    "flink-rest",
    "flink-jobmanager-rpc",
    "flink-blob",
    "flink-taskmanager-rpc",
    "flink-taskmanager-data",
    "mongodb",
    "docs",
    "refresher",
    "kafka-metrics",
    "connect-metrics",
    "flink-jobmanager-metrics",
    "flink-taskmanager-metrics",
    "s3-metrics",
    "prometheus",
)

# Engines whose clients all reach them by their port, so that a proxy can stand between.
DETOURED = ("kafka", "s3", "metastore")


# Listeners with TLS on a secure stack.
ENCRYPTED = ("trino",)
# In the stack's folder: it is a secure one, also for the commands that come after `up`.
SECURE = "secure"


class Naming(StrEnum):
    """How the source spells its fields, and where its collections stand."""

    SNAKE_CASE = "snake_case"  # database wms, order_id
    CAMEL_CASE = "camelCase"  # one database per service, orderId


@dataclass(frozen=True)
class Stack:
    """One embedded stack.

    home: folder of configuration, data, logs and secrets (``MESH_HOME``, default ``.mesh``).
    port_base: first port of the block (``MESH_PORT_BASE``).
    cache: downloads and environments, shared by all stacks (``XDG_CACHE_HOME``/wms-mesh).
    naming: the source's naming style (``MESH_NAMING``).
    checkpoint_seconds: how often the bronze job commits (``MESH_CHECKPOINT_SECONDS``).
    mongodb_uri: an existing replica set to capture (``MESH_MONGODB_URI``), or None for an embedded one.
    detours: ports on which engines listen while a proxy stands at their own (``MESH_DETOURS``: s3=30203,kafka=30200).
    monitoring: whether every engine serves metrics (``MESH_MONITORING``).
    secure: whether Trino asks who one is (``MESH_SECURE``; unset, as this folder's stack was started last).
    """

    home: Path
    port_base: int
    cache: Path
    naming: Naming
    checkpoint_seconds: int
    mongodb_uri: str | None
    detours: Mapping[str, int] = field(default_factory=dict)
    monitoring: bool = False
    secure: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Stack:
        """Read the stack from the environment.

        Raises MeshError when a value cannot be used.
        """
        home = Path(env.get("MESH_HOME") or REPO / ".mesh").resolve()
        cache_home = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        naming = env.get("MESH_NAMING", Naming.SNAKE_CASE)
        if naming not in list(Naming):
            raise MeshError(f"MESH_NAMING is '{naming}': set it to one of {', '.join(Naming)}.")
        return cls(
            home=home,
            port_base=_whole_number(env, "MESH_PORT_BASE", DEFAULT_PORT_BASE, 1024, 65535 - len(PORTS)),
            cache=cache_home / "wms-mesh",
            naming=Naming(naming),
            checkpoint_seconds=_whole_number(env, "MESH_CHECKPOINT_SECONDS", 5, 1, 3600),
            mongodb_uri=env.get("MESH_MONGODB_URI") or None,
            detours=_detours(env.get("MESH_DETOURS", "")),
            monitoring=_flag(env, "MESH_MONITORING"),
            secure=_flag(env, "MESH_SECURE") if env.get("MESH_SECURE") else (home / SECURE).exists(),
        )

    def port(self, name: str) -> int:
        """The port of one listener; ``name`` is an entry of PORTS."""
        return self.port_base + PORTS.index(name)

    def address(self, name: str) -> str:
        """``127.0.0.1:port`` of one listener."""
        return f"{LOOPBACK}:{self.port(name)}"

    def listener(self, name: str) -> str:
        """``127.0.0.1:port`` on which an engine itself listens: its address, unless it has a detour."""
        return f"{LOOPBACK}:{self.detours.get(name, self.port(name))}"

    def url(self, name: str) -> str:
        """``http://127.0.0.1:port`` of one listener, https where it speaks TLS."""
        return f"{'https' if self.secure and name in ENCRYPTED else 'http'}://{self.address(name)}"

    def data(self, engine: str) -> Path:
        """The engine's data folder; created on first use."""
        return _folder(self.home / "data" / engine)

    def conf(self, engine: str) -> Path:
        """The engine's rendered configuration; created on first use."""
        return _folder(self.home / "conf" / engine)

    def log(self, engine: str) -> Path:
        """The engine's one log file."""
        return _folder(self.home / "logs") / f"{engine}.log"

    def run(self) -> Path:
        """Process ids and the supervisor's state."""
        return _folder(self.home / "run")

    def secret(self, name: str) -> str:
        """A credential of this stack, generated on first use into a file that only its owner can read."""
        path = _folder(self.home / "secrets", mode=0o700) / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="utf-8")
        value = secrets.token_hex(20)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(value)
        return value


def _folder(path: Path, mode: int = 0o755) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    return path


def _detours(text: str) -> dict[str, int]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    for name, _, port in pairs:
        if name not in DETOURED or not port.isdecimal():
            raise MeshError(f"MESH_DETOURS is '{text}': write it like s3=30203, of {', '.join(DETOURED)}.")
    return {name: int(port) for name, _, port in pairs}


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name) or "0"
    if text not in ("0", "1"):
        raise MeshError(f"{name} is '{text}': set it to 1 or 0.")
    return text == "1"


def _whole_number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or not low <= int(text) <= high:
        raise MeshError(f"{name} is '{text}': set it to a whole number from {low} to {high}.")
    return int(text)
