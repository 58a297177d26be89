"""The Python environments, one per group of dependencies, built from locks with hashes into the user's cache.

Standard library only: the launcher runs this file before any environment exists
(``python -m wms_mesh.environments main`` prints the interpreter's path).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, Stack

REQUIREMENTS = REPO / "requirements"

# What a first build says while one waits: sizes as installed, times on 2 cores and a busy line, so upper bounds.
_WEIGHT = {
    "bootstrap": "the installer, 20 MB, about 10 s",
    "main": "the command line, dbt, the linters and the tests, 0.5 GB, about 1 min",
    "flink": "PyFlink, 0.4 GB, about 1 min",
    "infra": "helm, Rego, ShellCheck and Kubernetes' schemas, 0.2 GB, about 20 s",
    "supply": "pip-audit, pip-licenses and detect-secrets, 60 MB, about 10 s",
    "jre17": "a Java 17 runtime, 60 MB",
    "jre25": "a Java 25 runtime, 105 MB",
}


def python(name: str) -> Path:
    """The interpreter of an environment (``main`` or ``flink``); built on first use.

    Raises MeshError when it cannot be built.
    """
    return folder(name) / "bin" / "python"


def package(name: str, module: str) -> Path:
    """The folder of an installed package, without importing it (``package("flink", "pyflink")``).

    Raises MeshError when the environment does not have it.
    """
    found = sorted(folder(name).glob(f"lib/python3.*/site-packages/{module}"))
    if not found:
        raise MeshError(f"The environment '{name}' has no package '{module}': add it to pyproject.toml and lock it.")
    return found[0]


@cache
def folder(name: str) -> Path:
    """The folder of an environment, complete; built on first use by one process while others wait.

    A virtual environment cannot be moved (its scripts carry its path), so it is built where it stays, and a marker
    written last says that it is whole; what a killed build left is removed by the next one.
    """
    target = path(name)
    if _whole(target):
        return target
    with _exclusive(target):
        if _whole(target):
            return target
        print(f"Building the environment '{name}', once ({_WEIGHT.get(name, 'a while')}).", file=sys.stderr, flush=True)
        shutil.rmtree(target, ignore_errors=True)
        if name == "bootstrap":
            _bootstrap(target)
        elif name.startswith("jre"):
            _uv("pip", "install", "--target", str(target), "--python", sys.executable, *_LOCKED, "-r", str(lock(name)))
        else:
            _uv("venv", "--python", sys.executable, str(target))
            install = ("pip", "install", "--python", str(target / "bin" / "python"), *_LOCKED, "--compile-bytecode")
            if name == "flink":
                # Some of PyFlink's packages come as source only. What builds them is pinned, too: an isolated build
                # would fetch a setuptools without a hash.
                _uv(*install, "--only-binary", ":all:", "-r", str(lock("build")))
                _uv(*install, "--no-build-isolation", "-r", str(lock(name)))
            else:
                _uv(*install, "--only-binary", ":all:", "-r", str(lock(name)))
        (target / ".complete").touch()
    return target


def path(name: str) -> Path:
    """Where an environment is or will be: the launcher spells this name, too."""
    digest = hashlib.sha256(lock(name).read_bytes()).hexdigest()[:12]
    return Stack.from_env().cache / "environments" / f"{name}-py3.{sys.version_info.minor}-{digest}"


def lock(name: str) -> Path:
    """The lock of an environment.

    Raises MeshError when there is none.
    """
    file = REQUIREMENTS / f"{name}.txt"
    if not file.is_file():
        known = ", ".join(sorted(one.stem for one in REQUIREMENTS.glob("*.txt")))
        raise MeshError(f"There is no environment '{name}': requirements/ has {known}.")
    return file


_LOCKED = ("--require-hashes", "--no-deps", "--no-config")


def _whole(target: Path) -> bool:
    # The interpreter's link is dead when the Python that it was built with has been removed.
    return (target / ".complete").exists() and (target.name.startswith("jre") or (target / "bin" / "python").exists())


@contextmanager
def _exclusive(target: Path) -> Iterator[None]:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(target.with_name(target.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise MeshError(
            f"The cache {target.parent} cannot be written ({error.strerror}): make it writable, or set XDG_CACHE_HOME"
            " to a folder that is."
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another process is building the same environment: waiting for it.", file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bootstrap(target: Path) -> None:
    """The environment that has the installer: made with what every complete Python brings along."""
    made = subprocess.run([sys.executable, "-m", "venv", str(target)], capture_output=True, text=True)
    if made.returncode:
        raise MeshError(
            f"{sys.executable} cannot make a virtual environment (venv or ensurepip is missing): install its package"
            f" (on Debian python3.{sys.version_info.minor}-venv), or put another Python 3.11 or 3.12 on the PATH."
        )
    pip = [str(target / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "install", "--only-binary", ":all:", "--require-hashes", "-r", str(lock("bootstrap"))], os.environ)


def _uv(*arguments: str) -> None:
    environment = dict(os.environ)
    # uv does not read pip's settings; a mirror or a certificate that somebody set up for pip holds for all of this.
    for theirs, ours in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        value = _pip_settings().get(theirs)
        if value and ours not in environment:
            environment[ours] = value
    # An active environment of the user's is none of ours.
    environment.pop("VIRTUAL_ENV", None)
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    _run([str(folder("bootstrap") / "bin" / "uv"), *arguments, *quiet], environment)


@cache
def _pip_settings() -> Mapping[str, str]:
    command = [str(folder("bootstrap") / "bin" / "python"), "-m", "pip", "config", "list"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = (line.partition("=") for line in lines)
    return {
        key.rpartition(".")[2]: value.strip("'\"") for key, _, value in pairs if key.startswith((":env:.", "global."))
    }


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    # Standard output is the caller's (the interpreter's path): everything else goes to standard error.
    if subprocess.run(command, env=environment, stdout=sys.stderr).returncode:
        raise MeshError(
            "The environment could not be built; the lines above say why: check the network, the proxy and the free"
            " space on the disk, then run the same command again."
        )


def main() -> int:
    """For the launcher."""
    try:
        print(python(sys.argv[1]))
    except MeshError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
