"""A stack in a temporary folder, with none of the engines' files."""

from __future__ import annotations

from pathlib import Path

import pytest

from wms_mesh import artifacts
from wms_mesh.engines import metastore, postgres, s3, trino
from wms_mesh.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    files = tmp_path / "artifacts"
    (files / "lib").mkdir(parents=True)
    monkeypatch.setattr(artifacts, "unpacked", lambda _: files)
    monkeypatch.setattr(artifacts, "jars", lambda _: [files / "one.jar"])
    monkeypatch.setattr(artifacts, "file", lambda _: files / "one.jar")
    for module in (s3, metastore, trino):
        monkeypatch.setattr(module, "java", lambda major: Path(f"/java/{major}/bin/java"))
    monkeypatch.setattr(postgres, "_account", lambda: None)
    monkeypatch.setattr(s3, "_minio", lambda: None)
    return Stack.from_env({"MESH_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")})
