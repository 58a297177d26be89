"""engines.toml and engines.lock: what is chosen is pinned, and no address slips in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from wms_mesh.artifacts import resolve, sets
from wms_mesh.artifacts.coordinates import Coordinate, Locked
from wms_mesh.errors import MeshError


@pytest.mark.parametrize("name", sets.chosen())
def test_chosen_version_is_not_the_pinned_one(name: str) -> None:
    pinned = {file.coordinate for file in sets.locked(name)}
    assert set(sets.one(name).roots) <= pinned


def test_lock_has_sets_that_nobody_chose_or_files_without_a_checksum() -> None:
    assert set(sets.lock()) == set(sets.chosen())
    files = [file for files in sets.lock().values() for file in files]
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size > 0 for file in files)


def test_one_library_in_two_versions_on_one_classpath() -> None:
    """The client took log4j's managed versions for everybody's: a 3.9.1 client beside the 4.4.0 broker."""
    for name, files in sets.lock().items():
        versions = {file.coordinate.version for file in files if file.coordinate.artifact.startswith("kafka-")}
        assert len(versions) <= 1, f"{name}: {versions}"


def test_address_of_a_registry_stands_in_a_file() -> None:
    for path in (sets.CHOSEN, sets.LOCK, Path(resolve.__file__), *Path(sets.__file__).parent.glob("*.py")):
        assert "://" not in path.read_text(encoding="utf-8"), path


def test_renewing_one_set_loses_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "engines.lock"
    monkeypatch.setattr(sets, "chosen", lambda: {"kafka": None, "trino": None})
    one = Locked(Coordinate.parse("g:a:1"), "0" * 64, 1)
    other = Locked(Coordinate.parse("g:b:1::tar.gz"), "1" * 64, 2)
    sets.write_lock({"trino": [other], "gone": [one]}, lock)
    sets.write_lock({"kafka": [one]}, lock)
    assert dict(sets.lock(lock)) == {"kafka": (one,), "trino": (other,)}


@pytest.mark.parametrize("text", ["g:a:1", "g:a:1:plugin", "g:a:1:plugin:tar.gz", "g:a:1::tar.gz"])
def test_coordinate_changes_on_its_way_through_the_lock(text: str) -> None:
    assert str(Coordinate.parse(text)) == text


@pytest.mark.parametrize("text", ["g:a", "g::1", "g:a:1:c:p:s", "g:a:1:c:"])
def test_half_a_coordinate_is_taken(text: str) -> None:
    with pytest.raises(MeshError, match="not a coordinate"):
        Coordinate.parse(text)


def test_wrong_field_in_engines_toml_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "engines.toml"
    path.write_text('[kafka]\nroots = ["g:a:1"]\nexlude = ["g:b"]\n', encoding="utf-8")
    with pytest.raises(MeshError, match=r"'kafka' in engines\.toml is wrong .*exlude"):
        sets.chosen(path)
