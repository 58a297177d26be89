"""What a stack needs of the machine, checked beforehand: each finding is one sentence that says what to do."""

from __future__ import annotations

import errno
import os
import platform
import pwd
import resource
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
from rich.table import Table
from rich.text import Text

from wms_mesh import artifacts, environments, java
from wms_mesh.engines.postgres import ACCOUNTS
from wms_mesh.errors import MeshError
from wms_mesh.stack import LOOPBACK, PORTS, Stack
from wms_mesh.supervisor import adopt

GB = 1e9
MEMORY = 5.0 * GB  # the idle stack, resident
MEMORY_AT_WORK = 7.0 * GB  # while dbt builds and Trino works
UNPACKED = 0.7 * GB  # what the archives take once they are unpacked
FLINK_ENVIRONMENT = 1.6 * GB  # 0.7 installed; the source package, and what was built from it, stay in the cache of uv
JAVA_RUNTIME = 0.3 * GB
DATA = 2.0 * GB  # an allowance for logs, Kafka segments and Iceberg files
OPEN_FILES = 4096  # the broker and the object store hold a file per segment and request


class State(StrEnum):
    """``warn`` lets the stack start, ``fail`` does not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    name: str
    state: State
    sentence: str


def diagnose(stack: Stack) -> list[Finding]:
    """Everything that a first start needs, in the order in which one would put it right."""
    return list(_findings(stack))


def require(stack: Stack) -> None:
    """Raises MeshError with the first thing that keeps the stack from starting."""
    for finding in _findings(stack):
        if finding.state is State.FAIL:
            raise MeshError(f"{finding.sentence} (`./mesh doctor` checks everything.)")


def table(findings: list[Finding]) -> Table:
    """For a terminal."""
    colours = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("checked", "state", ""):
        shown.add_column(heading, overflow="fold")
    for finding in findings:
        shown.add_row(finding.name, Text(finding.state, style=colours[finding.state]), Text(finding.sentence))
    return shown


def _findings(stack: Stack) -> Iterator[Finding]:
    checks: tuple[Callable[[Stack], Finding], ...] = (
        _python,
        _platform,
        _cache_writable,
        _home_writable,
        _cache_disk,
        _home_disk,
        _memory,
        _open_files,
        _clock,
        _account,
        _java17,
        _java25,
        _mongodb,
    )
    for check in checks:
        yield check(stack)
    yield from _ports(stack)


def _python(_: Stack) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] in ((3, 11), (3, 12)):
        return Finding("python", State.OK, f"Python {version}.")
    return Finding("python", State.FAIL, f"Python {version} runs this: put Python 3.11 or 3.12 on the PATH.")


def _platform(_: Stack) -> Finding:
    system, machine = platform.system(), platform.machine()
    if (system, machine) == ("Linux", "x86_64"):
        return Finding("platform", State.OK, f"{system} on {machine}, {os.cpu_count()} cores.")
    return Finding(
        "platform",
        State.FAIL,
        f"This is {system} on {machine}: the embedded Postgres is built for Linux on x86_64 only; use such a machine.",
    )


def _cache_writable(stack: Stack) -> Finding:
    return _writable("cache folder", stack.cache, "XDG_CACHE_HOME")


def _home_writable(stack: Stack) -> Finding:
    return _writable("stack folder", stack.home, "MESH_HOME")


def _writable(name: str, folder: Path, setting: str) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return Finding(
                name,
                State.FAIL,
                f"The disk of {folder} is full: free some space, or set {setting} to a folder on another disk.",
            )
        return Finding(
            name,
            State.FAIL,
            f"{folder} cannot be written ({error.strerror}): make it writable, or set {setting} to a folder that is.",
        )
    return Finding(name, State.OK, f"{folder} can be written.")


def _cache_disk(stack: Stack) -> Finding:
    to_fetch = artifacts.missing_bytes()
    needed = to_fetch + (UNPACKED if to_fetch else 0)
    if not environments.path("flink").exists():
        needed += FLINK_ENVIRONMENT
    if not all(java.installed(major) for major in java.MAJORS):
        needed += JAVA_RUNTIME
    return _disk("cache disk", stack.cache, needed, "XDG_CACHE_HOME")


def _home_disk(stack: Stack) -> Finding:
    return _disk("stack disk", stack.home, DATA, "MESH_HOME")


def _disk(name: str, folder: Path, needed: float, setting: str) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    sentence = f"{folder} has {free / GB:.1f} GB free and {needed / GB:.1f} GB are needed"
    if free < needed:
        return Finding(name, State.FAIL, f"{sentence}: free some space, or set {setting} to a folder on another disk.")
    return Finding(name, State.OK, f"{sentence}.")


def _memory(stack: Stack) -> Finding:
    # What this stack itself already holds is not missing.
    own = sum(process.memory_info().rss for process in _own_processes(stack))
    available = _available_memory() + own
    sentence = (
        f"{available / GB:.1f} GB of memory are available; the idle stack takes {MEMORY / GB:.0f} GB,"
        f" at work {MEMORY_AT_WORK / GB:.0f} GB"
    )
    if available < MEMORY:
        return Finding("memory", State.FAIL, f"{sentence}: end other programs, or use a machine with 8 GB or more.")
    if available < MEMORY_AT_WORK:
        return Finding("memory", State.WARN, f"{sentence}: it starts, and may be slow.")
    return Finding("memory", State.OK, f"{sentence}.")


def _available_memory(group: Path = Path("/sys/fs/cgroup")) -> float:
    """What can be had without swapping, inside the limit of the control group if there is one."""
    available = float(psutil.virtual_memory().available)
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):  # no control group of this kind, or "max": no limit
        return available
    return min(available, limit - used + int(statistics["inactive_file"]))


def _open_files(_: Stack) -> Finding:
    # Java raises its own soft limit to the hard one.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        return Finding(
            "open files",
            State.FAIL,
            f"A process may open {hard} files and the broker needs {OPEN_FILES}: raise the hard limit (`ulimit -Hn`,"
            " /etc/security/limits.conf).",
        )
    return Finding(
        "open files",
        State.OK,
        f"A process may open {'any number of' if hard == resource.RLIM_INFINITY else hard} files.",
    )


def _clock(_: Stack) -> Finding:
    # A clock before this code was written makes every certificate invalid and every row older than its source.
    now, written = time.time(), Path(__file__).stat().st_mtime
    if now < written - 86400:
        return Finding(
            "clock",
            State.FAIL,
            f"The clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}, before this program was written: set it.",
        )
    return Finding("clock", State.OK, f"The clock says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC.")


def _account(_: Stack) -> Finding:
    if os.geteuid() != 0:
        return Finding(
            "account",
            State.OK,
            f"The stack runs as {pwd.getpwuid(os.geteuid()).pw_name if _named() else os.geteuid()}.",
        )
    found = next((name for name in ACCOUNTS if _exists(name)), None)
    if found is None:
        return Finding(
            "account",
            State.FAIL,
            f"Postgres refuses to be root, and there is no account {' or '.join(ACCOUNTS)}: add one.",
        )
    if shutil.which("setpriv") is None:
        return Finding(
            "account",
            State.FAIL,
            "Postgres refuses to be root, and there is no `setpriv` to change accounts: add util-linux.",
        )
    return Finding("account", State.OK, f"The stack runs as root; Postgres, which refuses to, as {found}.")


def _named() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _exists(account: str) -> bool:
    try:
        return pwd.getpwnam(account).pw_uid != 0
    except KeyError:
        return False


def _java17(_: Stack) -> Finding:
    return _java(17)


def _java25(_: Stack) -> Finding:
    return _java(25)


def _java(major: int) -> Finding:
    found = java.installed(major)
    if found:
        return Finding(f"java {major}", State.OK, f"{found}.")
    return Finding(f"java {major}", State.OK, "None is installed: a runtime is taken from a Python package.")


def _mongodb(stack: Stack) -> Finding:
    if stack.mongodb_uri is None:
        mongod = shutil.which("mongod")
        if mongod:
            return Finding("mongodb", State.OK, f"{mongod} is started as a replica set.")
        return Finding(
            "mongodb", State.OK, "No mongod on the PATH and no MESH_MONGODB_URI: the built-in stand-in is used."
        )
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    # Never the whole address: it may hold a password.
    try:
        with MongoClient[dict[str, object]](stack.mongodb_uri, serverSelectionTimeoutMS=3000) as client:
            hello = client.admin.command("hello")
    except (PyMongoError, ValueError) as error:
        reason = type(error).__name__
        return Finding(
            "mongodb",
            State.FAIL,
            f"The MongoDB of MESH_MONGODB_URI does not answer ({reason}): check the address and the account.",
        )
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return Finding(
            "mongodb",
            State.FAIL,
            "The MongoDB of MESH_MONGODB_URI is no replica set, so it has no change streams: start it with --replSet.",
        )
    return Finding("mongodb", State.OK, "The MongoDB of MESH_MONGODB_URI answers and has change streams.")


def _ports(stack: Stack) -> Iterator[Finding]:
    # The site of `./mesh docs` may be served while the engines start: they do not need its port.
    taken = {name: stack.port(name) for name in PORTS if name != "docs" and _taken(stack.port(name))}
    if taken:
        own = {process.pid for process in _own_processes(stack)}
        holders = _holders()
        foreign = {name: port for name, port in taken.items() if holders.get(port) not in own}
        for name, port in foreign.items():
            yield Finding(
                f"port {name}",
                State.FAIL,
                f"Port {port} ({name}) is taken by {_describe(holders.get(port))}: stop it, or set MESH_PORT_BASE to a"
                f" number from which {len(PORTS)} ports are free.",
            )
        if foreign:
            return
    block = f"{stack.port_base} to {stack.port_base + len(PORTS) - 1}"
    yield Finding("ports", State.OK, f"{block} are {'held by this stack' if taken else 'free'}.")


def _taken(port: int) -> bool:
    with socket.socket() as listener:
        # As the engines do: a connection of a stopped stack that is still closing does not hold its port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def _holders() -> dict[int, int | None]:
    """Process by port, as far as this user may see it; a listener goes before a connection."""
    connections = sorted(psutil.net_connections("tcp"), key=lambda one: one.status == psutil.CONN_LISTEN)
    return {one.laddr.port: one.pid for one in connections if one.laddr}


def _describe(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.NoSuchProcess:
        return f"process {pid}"


def _own_processes(stack: Stack) -> list[psutil.Process]:
    """The engines of this stack that run, and what they started."""
    engines = [adopt(file) for file in sorted((stack.home / "run").glob("*.pid"))]
    found: list[psutil.Process] = []
    for engine in engines:
        if engine is not None:
            try:
                found += [engine, *engine.children(recursive=True)]
            except psutil.NoSuchProcess:  # it ended just now
                continue
    return found
