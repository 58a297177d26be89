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


def test_licence_that_nobody_allowed_passes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.pip-licenses]\nallow-only = "Public Domain"\n', encoding="utf-8")
    _, wrong = supply.licences("supply", tmp_path)
    assert "license" in wrong


@pytest.mark.parametrize("text", ['AWS = "AKIA{}"', 'password: "{}x9"', "mongodb://root:{}@db/"])
def test_secret_in_a_file_passes(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text.format("Q3EGRZKLM7NOPXYZ") + "\n", encoding="utf-8")
    assert "settings.yaml" in supply.secrets([file])
    file.write_text("user: reader\n", encoding="utf-8")
    assert supply.secrets([file]) == ""
