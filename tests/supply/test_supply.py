"""What comes from others: the real tools are run on what they must refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wms_mesh import supply

HOLE = {"id": "PYSEC-1", "fix_versions": ["1.2"], "description": "", "aliases": []}
REPORT = json.dumps(
    {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "holed", "version": "1.1", "vulns": [HOLE]},
            {"name": "unknown", "skip_reason": "Dependency not found on PyPI"},
        ]
    }
)


def test_vulnerability_passes() -> None:
    [sentence] = supply.Audit.read(REPORT, {}).found
    assert sentence.startswith("holed 1.1 has PYSEC-1: renew the lock for 1.2, or say in pyproject.toml")


def test_accepted_vulnerability_fails() -> None:
    assert supply.Audit.read(REPORT, {"PYSEC-1": "not reached"}).found == ()


def test_package_without_an_answer_counts_as_looked_up() -> None:
    assert str(supply.Audit.read(REPORT, {})) == "2 of 3 packages looked up, 1 vulnerabilities to decide."
    nothing = json.dumps({"dependencies": [{"name": "unknown", "skip_reason": ""}]})
    assert "not looked up" in str(supply.Audit.read(nothing, {}))


@pytest.mark.parametrize(
    ("licence", "is_allowed"),
    [
        ("MIT", True),
        ("MIT AND (ISC OR MIT)", True),
        ("MIT; ISC License (ISCL)", True),
        ("MIT OR GPL-3.0-only", False),
        ("UNKNOWN", False),
        ("Terms\nDISCLAIMER", False),
    ],
)
def test_licence_that_nobody_allowed_passes(licence: str, is_allowed: bool) -> None:
    decided = {"allowed": ["MIT", "ISC", "ISC License (ISCL)"], "decided": {"ours": "we said so"}}
    assert (supply.undecided({"theirs": licence}, decided) == []) is is_allowed
    assert supply.undecided({"ours": licence}, decided) == []


def test_licences_are_read_of_another_environment() -> None:
    assert "pip-audit" in {name.replace("_", "-") for name in supply.licences("supply")}


@pytest.mark.parametrize("text", ['AWS = "AKIA{}"', 'password: "{}x9"', "mongodb://root:{}@db/"])
def test_secret_in_a_file_passes(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text.format("Q3EGRZKLM7NOPXYZ") + "\n", encoding="utf-8")
    assert "settings.yaml" in supply.secrets([file])
    file.write_text("user: reader\n", encoding="utf-8")
    assert supply.secrets([file]) == ""
