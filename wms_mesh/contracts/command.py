"""``./mesh contracts``: write the contracts, or see whether they are as they should be."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, Stack

FOLDER = REPO / "contracts"
SUFFIX = ".odcs.yaml"


def command(
    check: Annotated[bool, typer.Option("--check", help="Write nothing: exit 1 when a file differs.")] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="dbt's manifest, when the project is parsed already."),
    ] = None,
) -> None:
    """Write contracts/<product>.odcs.yaml for each data product, and validate them with datacontract-cli.

    They are made from the models, models/groups.yml, the seeds and the suites in quality/: never edit them.
    """
    notes = Console(stderr=True)
    with notes.status("dbt reads the project"):
        made = contracts(_read(manifest) if manifest else _parse(Stack.from_env()))
    different = [name for name, text in made.items() if text != _present(name)]
    stale = sorted(path.name for path in FOLDER.glob(f"*{SUFFIX}") if path.name not in made)
    if check and (different or stale):
        for name in different:
            notes.print("\n".join(_difference(name, made[name])[:20]), markup=False, highlight=False)
        raise MeshError(f"Not up to date: {', '.join([*different, *stale])}. `./mesh contracts` writes them.")
    FOLDER.mkdir(exist_ok=True)
    for name in different:
        (FOLDER / name).write_text(made[name], encoding="utf-8")
    for name in stale:
        (FOLDER / name).unlink()
    with notes.status("datacontract-cli validates them"):
        complaints = [sentence for name, text in made.items() for sentence in invalid(name, text)]
    if complaints:
        raise MeshError("; ".join(complaints))
    print(f"{len(made)} contracts in {FOLDER.relative_to(REPO)}/, {len(different)} written, all valid")


def contracts(manifest: dict[str, Any]) -> dict[str, str]:
    """Every contract by its file's name. manifest: dbt's, as JSON."""
    from wms_mesh.contracts.odcs import contract
    from wms_mesh.quality.suites import load

    return {f"{suite.product.removesuffix('-dp')}{SUFFIX}": contract(manifest, suite) for suite in load()}


def invalid(name: str, text: str) -> list[str]:
    """What datacontract-cli says against a contract, in sentences."""
    from datacontract.data_contract import DataContract

    checks = DataContract(data_contract_str=text, inline_references=False, all_errors=True).lint().checks
    return [f"{name}: {one.name}: {one.reason}" for one in checks if one.result != "passed"]


def _parse(stack: Stack) -> dict[str, Any]:
    from wms_mesh import transform

    target = stack.home / "dbt" / "contracts"
    result = transform.dbt(stack, "parse", "--target-path", str(target), quiet=True)
    if result.returncode:
        raise MeshError(f"dbt cannot read the project:\n{result.stdout.strip()}")
    return _read(target / "manifest.json")


def _read(path: Path) -> dict[str, Any]:
    from wms_mesh.docs import read

    return read(path)


def _present(name: str) -> str | None:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _difference(name: str, text: str) -> list[str]:
    return list(
        difflib.unified_diff(
            (_present(name) or "").splitlines(), text.splitlines(), name, "as it should be", lineterm=""
        )
    )
