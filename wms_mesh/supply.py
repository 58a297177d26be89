"""``./mesh test supply``: licences and known vulnerabilities of what comes from others, and secrets in our own files.

Three tools of the field, in an environment of their own; what somebody decided stands in ``pyproject.toml``
(``tool.wms-mesh.licences``, ``tool.wms-mesh.accepted-vulnerabilities``) and in ``.secrets.baseline``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wms_mesh import environments
from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO

BASELINE = ".secrets.baseline"  # relative: the hook writes the name that it is given into the file
# Of these only the locks are looked at: installers, and runtimes of another language.
WITHOUT_PACKAGES = ("bootstrap", "build", "jre17", "jre25")
# The hook's code when known places only stand on other lines; it has brought the baseline up to date.
MOVED = 3
# Generated, and full of hashes.
WITHOUT_SECRETS = (BASELINE, "requirements/")


@dataclass(frozen=True)
class Audit:
    """What the package index knows of one lock.

    packages: how many it has; known: for how many there was an answer; found: a sentence for each vulnerability that
    nobody accepted; reason: why nothing could be asked.
    """

    packages: int
    known: int
    found: tuple[str, ...]
    reason: str = "the package index does not answer for one of them"

    def __str__(self) -> str:
        if not self.known:
            return f"vulnerabilities not looked up: {self.reason}."
        return f"{self.known} of {self.packages} packages looked up, {len(self.found)} vulnerabilities to decide."

    @classmethod
    def read(cls, report: str, accepted: Mapping[str, str]) -> Audit:
        """Of pip-audit's JSON. Raises ValueError for another text."""
        packages = json.loads(report)["dependencies"]
        return cls(
            len(packages),
            sum("skip_reason" not in package for package in packages),
            tuple(_sentence(package, hole) for package, hole in _holes(packages) if hole["id"] not in accepted),
        )


def _holes(packages: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return [(package, hole) for package in packages for hole in package.get("vulns", ())]


def _sentence(package: Mapping[str, Any], hole: Mapping[str, Any]) -> str:
    mended = " or ".join(hole["fix_versions"])
    cure = f"renew the lock for {mended}" if mended else "no version mends it yet"
    return (
        f"{package['name']} {package['version']} has {hole['id']}: {cure}, or say in pyproject.toml"
        " (tool.wms-mesh.accepted-vulnerabilities) why it does no harm here."
    )


def decisions() -> dict[str, Any]:
    """What ``pyproject.toml`` says of licences and vulnerabilities."""
    tools = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    return dict(tools["wms-mesh"])


def _tool(name: str) -> str:
    return str(environments.folder("supply") / "bin" / name)


def audit(lock: Path) -> Audit:
    """What is known of a lock's packages: nothing without an answer (no network, for one).

    pip-audit sends names and versions to the Python Package Index, and nothing else.
    """
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [_tool("pip-audit"), "-r", str(lock), *options]
    result = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    if not result.stdout:
        return Audit(0, 0, (), (result.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1])
    return Audit.read(result.stdout, decisions()["accepted-vulnerabilities"])


def licences(name: str) -> dict[str, str]:
    """The licence of each package of an environment, as its metadata says it."""
    command = [_tool("pip-licenses"), "--python", str(environments.python(name)), "--format", "json"]
    listed = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    return {package["Name"]: package["License"] for package in json.loads(listed)}


def undecided(found: Mapping[str, str], decided: Mapping[str, Any]) -> list[str]:
    """A sentence for each package with a licence, or a part of one, that nobody allowed.

    decided: ``tool.wms-mesh.licences`` of ``pyproject.toml``.
    """
    return [
        f"{package} is under {licence.splitlines()[0]!r}: allow that in pyproject.toml (tool.wms-mesh.licences), or do"
        " without the package."
        for package, licence in found.items()
        if package not in decided["decided"] and not {*_parts(licence)} <= {*decided["allowed"]}
    ]


def _parts(licence: str) -> list[str]:
    """The licences of an expression; all of them have to be allowed, also where one may choose."""
    if re.search(" AND | OR ", licence):
        licence = re.sub("[()]", "", licence)
    return re.split("; | AND | OR ", licence)


def secrets(files: Sequence[str | Path]) -> str:
    """What looks like a secret in these files, and is not in the baseline (empty: nothing)."""
    command = [_tool("detect-secrets-hook"), "--baseline", BASELINE, *map(str, files)]
    result = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    return "" if result.returncode in (0, MOVED) else (result.stdout + result.stderr).strip()


def locks() -> list[Path]:
    """The locks of all environments, Python's own packages and Java's."""
    return sorted(environments.REQUIREMENTS.glob("*.txt"))


def tracked() -> list[str]:
    """The files of ours that git knows, relative to the repository. Raises MeshError outside of one."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise MeshError("Secrets are looked for in the files that git knows: this is no git repository.")
    return [name for name in listed.stdout.split("\0") if name and not name.startswith(WITHOUT_SECRETS)]


def main() -> int:
    """Print the report; 1 when something in it has to be decided or mended."""
    faults: list[str] = []
    with ThreadPoolExecutor() as pool:
        for lock, known in zip(locks(), pool.map(audit, locks()), strict=True):
            print(f"{lock.name}: {known}", *known.found, sep="\n  ")
            faults += known.found
    for name in [lock.stem for lock in locks() if lock.stem not in WITHOUT_PACKAGES]:
        found = licences(name)
        wrong = undecided(found, decisions()["licences"])
        counted = Counter(licence.splitlines()[0] for licence in found.values()).most_common()
        print(f"{name}: " + ", ".join(f"{count} {licence}" for licence, count in counted), *wrong, sep="\n  ")
        faults += wrong
    files = tracked()
    leaked = secrets(files)
    print(leaked or f"Secrets: none in {len(files)} files.")
    return 1 if faults or leaked else 0


if __name__ == "__main__":
    sys.exit(main())
