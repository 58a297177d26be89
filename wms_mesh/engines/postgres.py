"""Postgres: the metastore's database, and nobody else's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pg8000.native

from wms_mesh import artifacts
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.errors import MeshError
from wms_mesh.stack import LOOPBACK, Stack

USER = DATABASE = "metastore"
ACCOUNTS = ("postgres", "nobody")  # to run as when root starts the stack


class Postgres(Engine):
    """One server on loopback TCP; no Unix socket, whose path may be no longer than 107 bytes."""

    name = "postgres"
    memory_mb = 400
    ports = ("postgres",)
    stop_signal = signal.SIGINT  # fast shutdown: SIGTERM would wait for the metastore's pooled connections

    def prepare(self) -> None:
        conf = self.stack.conf(self.name)
        self.render("postgres/postgresql.conf", conf / "postgresql.conf")
        self.render("postgres/pg_hba.conf", conf / "pg_hba.conf")
        data = self._data()
        if (data / "PG_VERSION").exists():
            return
        # A folder without PG_VERSION is what an interrupted initdb left behind.
        shutil.rmtree(data, ignore_errors=True)
        fresh = data.with_name("cluster.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account = _account()
        if account is not None:
            os.chown(fresh, account.pw_uid, account.pw_gid)
        self.stack.secret("postgres-password")
        initdb = [
            *_as_account(account),
            str(artifacts.unpacked("postgres") / "bin" / "initdb"),
            f"--pgdata={fresh}",
            f"--username={USER}",
            f"--pwfile={self.stack.home / 'secrets' / 'postgres-password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        done = subprocess.run(initdb, cwd="/", capture_output=True, text=True)
        if done.returncode != 0:
            raise MeshError(
                f"Postgres cannot be initialised in {data} ({done.stderr.strip()}): check that folder's file system."
            )
        fresh.rename(data)

    def command(self) -> Command:
        conf = self.stack.conf(self.name)
        return Command(
            argv=[
                *_as_account(_account()),
                str(artifacts.unpacked("postgres") / "bin" / "postgres"),
                "-D",
                str(self._data()),
                "-c",
                f"config_file={conf / 'postgresql.conf'}",
            ],
            cwd=self._data(),
        )

    def check(self) -> None:
        """Log in with the password and run a query."""
        try:
            with connect(self.stack, "postgres") as database:
                database.run("select count(*) from pg_database")
        except (pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError) as error:
            raise NotReady(f"a query fails ({_reason(error)})") from error

    def detail(self) -> dict[str, object]:
        return {"user": USER, "database": DATABASE}

    def _data(self) -> Path:
        return self.stack.data(self.name) / "cluster"


@contextmanager
def connect(stack: Stack, database: str = DATABASE) -> Iterator[pg8000.native.Connection]:
    """A connection to one database of the stack's Postgres; raises pg8000's errors."""
    connection = pg8000.native.Connection(
        USER,
        host=LOOPBACK,
        port=stack.port("postgres"),
        database=database,
        password=stack.secret("postgres-password"),
        timeout=10,
    )
    try:
        yield connection
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    fields = error.args[0] if error.args else None
    return str(fields["M"]) if isinstance(fields, dict) else str(error)


def _account() -> pwd.struct_passwd | None:
    """Whom to run as: None for the user who runs this, unless that is root, which Postgres refuses."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ACCOUNTS:
        if name in known:
            return known[name]
    raise MeshError(
        f"Postgres does not run as root, and there is no account {' or '.join(ACCOUNTS)}: start it as another user."
    )


def _as_account(account: pwd.struct_passwd | None) -> list[str]:
    # The stack and the cache usually lie under root's own home (mode 0700), where the account may not even look. So it
    # keeps one right of root's, to pass folders and read files, and no other; Command.user could not say that.
    if account is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise MeshError(
            "Postgres does not run as root: install util-linux (it has `setpriv`), or start the stack as another user."
        )
    return [
        setpriv,
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        "--bounding-set=-all,+dac_override",
        "--securebits=+no_setuid_fixup",  # else access(2), which initdb asks, leaves that right out
    ]
