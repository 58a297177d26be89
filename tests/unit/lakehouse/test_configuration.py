"""What is rendered for store, database, metastore and Trino: no stranger reaches them or reads their secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wms_mesh.engines import postgres
from wms_mesh.engines.base import Engine
from wms_mesh.engines.metastore import Metastore
from wms_mesh.engines.postgres import Postgres
from wms_mesh.engines.s3 import S3
from wms_mesh.engines.trino import Trino
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

ENGINES = (S3, Postgres, Metastore, Trino)

# What keeps each of them on loopback: a line of its configuration or an argument.
BINDINGS = {
    "s3": r"^s3proxy\.endpoint=http://127\.0\.0\.1:28003$",
    "postgres": r"^listen_addresses = '127\.0\.0\.1'$",
    "metastore": r"<name>metastore\.thrift\.bind\.host</name><value>127\.0\.0\.1</value>",
    "trino": r"^-Dnode\.bind-ip=127\.0\.0\.1$",
}
ANYWHERE = re.compile(r"0\.0\.0\.0|\[::\]|(?<![:\w])::(?![:\w])|listen_addresses *= *'\*'")
SECRETS = ("s3-access-key", "s3-secret-key", "postgres-password")


def prepare(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything of ``prepare`` but the work of other programs."""

    def initdb(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        folder = next(one.partition("=")[2] for one in arguments if one.startswith("--pgdata="))
        (Path(folder) / "PG_VERSION").write_text("17\n", encoding="utf-8")
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(subprocess, "run", initdb)
    monkeypatch.setattr(Metastore, "_make_schema", lambda _: None)
    engine.prepare()


@pytest.mark.parametrize("kind", ENGINES)
def test_engine_that_listens_beyond_loopback(kind: type[Engine], stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = kind(stack)
    prepare(engine, monkeypatch)
    files = [path.read_text(encoding="utf-8") for path in stack.conf(engine.name).rglob("*") if path.is_file()]
    everything = "\n".join([*files, *engine.command().argv])
    assert re.search(BINDINGS[engine.name], everything, re.MULTILINE)
    assert not ANYWHERE.search(everything)


@pytest.mark.parametrize("kind", ENGINES)
def test_secret_in_a_readable_file_or_in_the_process_list(
    kind: type[Engine], stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = kind(stack)
    prepare(engine, monkeypatch)
    secrets = [stack.secret(name) for name in SECRETS]
    for path in stack.home.rglob("*"):
        if path.is_file() and any(secret in path.read_text(encoding="utf-8") for secret in secrets):
            assert path.stat().st_mode & 0o777 == 0o600, path
    assert not [part for part in engine.command().argv if any(secret in part for secret in secrets)]


@pytest.mark.parametrize("kind", ENGINES)
def test_two_stacks_meet(kind: type[Engine], stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = Stack.from_env({"MESH_HOME": str(tmp_path / "other"), "MESH_PORT_BASE": "28100"})
    engine = kind(other)
    prepare(engine, monkeypatch)
    files = [path.read_text(encoding="utf-8") for path in other.conf(engine.name).rglob("*") if path.is_file()]
    everything = "\n".join([*files, *engine.command().argv])
    assert not re.search(r"\b280\d\d\b", everything)
    assert str(stack.home) not in everything


def test_interrupted_initialisation_is_taken_for_a_database(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    half = stack.data("postgres") / "cluster"
    half.mkdir()
    (half / "base").mkdir()
    prepare(Postgres(stack), monkeypatch)
    assert (half / "PG_VERSION").exists()
    assert not (half / "base").exists()


def test_second_start_initialises_the_database_again(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(Postgres(stack), monkeypatch)
    row = stack.data("postgres") / "cluster" / "row"
    row.touch()
    prepare(Postgres(stack), monkeypatch)
    assert row.exists()


def test_postgres_is_started_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    account = postgres._account()
    assert account is not None
    assert account.pw_uid != 0
    assert f"--reuid={account.pw_uid}" in postgres._as_account(account)


def test_missing_setpriv_is_named_when_root_starts_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MeshError, match="setpriv"):
        postgres._as_account(postgres._account())
