"""Environments: whole or built anew, never half, never the one of another lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wms_mesh import environments
from wms_mesh.errors import MeshError


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """Bootstrapping makes an empty environment, and is counted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    (tmp_path / "bootstrap.txt").write_text("uv==1", encoding="utf-8")
    targets: list[Path] = []

    def build(target: Path) -> None:
        targets.append(target)
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "python").touch()

    monkeypatch.setattr(environments, "_bootstrap", build)
    environments.folder.cache_clear()
    yield targets
    environments.folder.cache_clear()


def again() -> Path:
    """As another process would ask."""
    environments.folder.cache_clear()
    return environments.folder("bootstrap")


def test_environment_is_built_at_every_start(built: list[Path]) -> None:
    assert again() == again()
    assert len(built) == 1


def test_half_built_environment_is_used(built: list[Path]) -> None:
    (again() / ".complete").unlink()
    (again() / ".complete").stat()
    assert len(built) == 2


def test_environment_of_a_removed_python_is_used(built: list[Path]) -> None:
    interpreter = again() / "bin" / "python"
    interpreter.unlink()
    interpreter.symlink_to("/nowhere/python")
    again()
    assert len(built) == 2


def test_environment_of_another_lock_is_used(built: list[Path]) -> None:
    old = again()
    (environments.REQUIREMENTS / "bootstrap.txt").write_text("uv==2", encoding="utf-8")
    assert again() != old


def test_failed_build_counts_as_built(built: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(target: Path) -> None:
        target.mkdir()
        environments._run(["false"], {})

    monkeypatch.setattr(environments, "_bootstrap", fail)
    for _ in range(2):
        with pytest.raises(MeshError, match="could not be built"):
            again()


def test_unknown_environment_ends_in_a_traceback(built: list[Path]) -> None:
    with pytest.raises(MeshError, match="no environment 'airflow'"):
        environments.folder("airflow")


def test_address_of_a_registry_stands_in_a_lock() -> None:
    for lock in (Path(environments.__file__).parent.parent / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock
        assert text.count("--hash=sha256:") >= text.count("=="), lock
