"""Run dbt against the embedded stack, or against the warehouse that the variables of profiles/profiles.yml name."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from wms_mesh import turns
from wms_mesh.access import client
from wms_mesh.access.roles import Service
from wms_mesh.stack import REPO, Stack

EMBEDDED = "embedded"
# Commands that write tables: they take turns with the refresher.
WRITING = ("build", "run", "seed", "snapshot", "test", "retry", "clone")


def artifacts(stack: Stack) -> Path:
    """Where dbt leaves its artifacts (manifest, run results) for this stack."""
    return stack.home / "dbt" / "target"


def environment(stack: Stack, target: str = EMBEDDED) -> dict[str, str]:
    """The variables under which dbt finds this stack from the repository's root; `prod` brings its own."""
    return {
        **os.environ,
        "DBT_PROFILES_DIR": str(REPO / "profiles"),
        "DBT_TARGET": target,
        "DBT_TARGET_PATH": str(artifacts(stack)),
        "DBT_LOG_PATH": str(stack.home / "logs" / "dbt"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        **(_embedded(stack) if is_embedded(target) else {}),
    }


def _embedded(stack: Stack) -> dict[str, str]:
    """How dbt's target finds this stack's Trino; a secure one knows dbt as its user mesh-refresher."""
    user = Service.REFRESHER.user
    # dbt's client takes this variable before its own setting, so a machine's own bundle would refuse the stack.
    trusted = {"REQUESTS_CA_BUNDLE": str(client.certificate(stack))} if stack.secure else {}
    return {
        **trusted,
        "MESH_TRINO_PORT": str(stack.port("trino")),
        "MESH_EMBEDDED_USER": user if stack.secure else client.PLAIN_USER,
        "MESH_EMBEDDED_PASSWORD": client.password(stack, user) if stack.secure else "",
        "MESH_EMBEDDED_CA": str(client.certificate(stack)) if stack.secure else "",
    }


def is_embedded(target: str) -> bool:
    """Whether a dbt target is the stack itself."""
    return target in (EMBEDDED, "ci")


def locks(stack: Stack, target: str = EMBEDDED) -> Path:
    """The folder of the locks of one warehouse."""
    folder = stack.run() / ("locks" if is_embedded(target) else f"locks-{target}")
    folder.mkdir(exist_ok=True)
    return folder


def variables(stack: Stack, **more: object) -> tuple[str, str]:
    """dbt's option that says how the source spells its fields."""
    return ("--vars", json.dumps({"naming_style": stack.naming, **more}))


def dbt(
    stack: Stack, *arguments: str, quiet: bool = False, target: str = EMBEDDED, held: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one dbt command; ``quiet`` captures its output instead of showing it.

    A command that writes waits until the refresher's present run is over, and the refresher waits for it.
    held: the writing turn's descriptor, of a caller that has it already.
    """
    with contextlib.nullcontext((held,)) if held is not None else _turn(stack, target, arguments[0]) as descriptors:
        return subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), *arguments, *variables(stack)],
            cwd=REPO,
            env=environment(stack, target),
            text=True,
            capture_output=quiet,
            check=False,
            pass_fds=descriptors,  # when we are killed, the lock stays with dbt for as long as that runs
        )


def build(stack: Stack, arguments: Sequence[str] = (), target: str = EMBEDDED) -> int:
    """``dbt build`` of models, seeds and data tests; returns dbt's exit code (0 when all passed).

    Unit tests prove the code, not the data: they belong to the test suite, and take half of a build's time.
    """
    return dbt(stack, "build", "--exclude-resource-type", "unit_test", *arguments, target=target).returncode


@contextlib.contextmanager
def _turn(stack: Stack, target: str, command: str) -> Iterator[tuple[int, ...]]:
    if command not in WRITING:
        yield ()
        return

    def say(holder: str) -> None:
        print(f"Waiting until {holder} is done.", file=sys.stderr, flush=True)

    with turns.turn(locks(stack, target), f"dbt {command}", say) as descriptor:
        yield (descriptor,)
