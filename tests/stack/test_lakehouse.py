"""Object store, metastore and Trino together, as a consumer meets them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
import requests

from wms_mesh import lifecycle, object_store, sql
from wms_mesh.engines.schemas import LOCATIONS
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

SCHEMA, TABLE = "iceberg.silver", "lakehouse_test"


@pytest.fixture
def table(running_stack: Stack) -> Iterator[str]:
    name = f"{SCHEMA}.{TABLE}"
    sql.query(running_stack, f"create table {name} (id bigint, label varchar, at timestamp(6) with time zone)")
    yield name
    sql.query(running_stack, f"drop table {name}")


def test_merge_loses_or_doubles_a_row(running_stack: Stack, table: str) -> None:
    sql.query(running_stack, f"insert into {table} values (1, 'a', now()), (2, 'b', now())")
    sql.query(
        running_stack,
        f"merge into {table} as old using (values (2, 'B'), (3, 'C')) as new (id, label) on old.id = new.id "
        "when matched then update set label = new.label "
        "when not matched then insert values (new.id, new.label, now())",
    )
    assert sql.query(running_stack, f"select id, label from {table} order by id") == [[1, "a"], [2, "B"], [3, "C"]]


def test_file_of_several_parts_comes_back_changed(running_stack: Stack, table: str) -> None:
    # 400,000 labels that do not compress below half: an upload of three parts or more (16 MB each).
    label = "to_hex(sha512(to_utf8(cast({0} as varchar)))) || to_hex(sha512(to_utf8(cast(-{0} as varchar))))"
    sql.query(
        running_stack,
        f"insert into {table} select a * 1000 + b, {label.format('(a * 1000 + b)')}, now() "
        "from unnest(sequence(1, 400)) as t (a) cross join unnest(sequence(1, 1000)) as u (b)",
    )
    ((largest,),) = sql.query(running_stack, f'select max(file_size_in_bytes) from {SCHEMA}."{TABLE}$files"')
    assert largest > 32 * 1024 * 1024
    wrong = f"select count(*), count_if(label <> {label.format('id')}) from {table}"
    assert sql.query(running_stack, wrong) == [[400_000, 0]]


def test_commit_of_one_writer_undoes_anothers(running_stack: Stack, table: str) -> None:
    def write(row: int) -> bool:
        try:
            sql.query(running_stack, f"insert into {table} values ({row}, 'w', now())")
        except MeshError as error:
            assert "The table has been modified" in str(error)
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        written = {row for row, done in enumerate(pool.map(write, range(10))) if done}
    assert written
    assert {row for (row,) in sql.query(running_stack, f"select id from {table}")} == written


def test_catalog_or_schema_is_missing(running_stack: Stack) -> None:
    catalogs = {name for (name,) in sql.query(running_stack, "show catalogs")}
    assert {"iceberg", "mongodb", "kafka"} <= catalogs
    assert set(LOCATIONS) <= {name for (name,) in sql.query(running_stack, "show schemas from iceberg")}
    assert ["orders"] in sql.query(running_stack, "show tables from mongodb.wms")
    assert ["wms.orders.events"] in sql.query(running_stack, "show tables from kafka.default")


def test_store_serves_a_stranger(running_stack: Stack) -> None:
    for headers in ({}, {"Authorization": "AWS stranger:signature"}):
        answer = requests.get(f"{running_stack.url('s3')}/{object_store.BUCKETS[0]}", headers=headers, timeout=10)
        assert answer.status_code in (400, 403)


def test_engine_listens_beyond_loopback(running_stack: Stack) -> None:
    listeners: dict[str, set[int]] = {}
    for unit in lifecycle.status(running_stack).units:
        if unit.pid is None:
            continue
        process = psutil.Process(unit.pid)
        for one in (process, *process.children(recursive=True)):
            for connection in one.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    address = ipaddress.ip_address(connection.laddr.ip)
                    address = getattr(address, "ipv4_mapped", None) or address
                    assert address.is_loopback, f"{unit.name} listens on {connection.laddr}"
                    listeners.setdefault(unit.name, set()).add(connection.laddr.port)
    for name, *others in (("s3", "s3-metrics"), ("postgres",), ("metastore",), ("trino",)):
        assert listeners[name] == {running_stack.port(one) for one in (name, *others)}
