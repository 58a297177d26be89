"""Who may read what on the secure stack, for each role and table: from the manifest, and from what is really there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
import trino.auth
import trino.dbapi
import trino.exceptions
from dbt.artifacts.resources.types import NodeType

from ingest.bronze.tables import tables as bronze_tables
from ingest.collections import COLLECTIONS, QUARANTINE_TABLE, REPLAYS_TABLE
from ingest.connector.config import database
from ingest.simulator.cli import simulate
from tests.stack.flow import carry
from wms_mesh import sql
from wms_mesh.access import client
from wms_mesh.access.roles import Role, Service
from wms_mesh.access.rules import Personal, personal_data
from wms_mesh.errors import MeshError
from wms_mesh.quality import suites
from wms_mesh.quality.run import run
from wms_mesh.slo.project import manifest
from wms_mesh.stack import LOOPBACK, Naming, Stack

Table = tuple[str, str]  # schema and name

ROLES = [role.value for role in Role]
# What the roles may read, said here a second time, in the words of the decision: the rules are made otherwise.
EVERYBODY = frozenset(ROLES)
QUARANTINE = frozenset({"engineer", "quality", "product_owner"})
FAILING_ROWS = frozenset({"engineer", "quality"})
ENGINEERS = frozenset({"engineer"})
SEE_PERSONAL_DATA = ENGINEERS
SEE_UNREADABLE_VALUES = frozenset({"engineer", "quality"})
UNREADABLE = {("silver", "parse_failures"), ("silver", "unknown_fields")}

ORDERS = COLLECTIONS[0]
DATABASE = database(ORDERS, Naming.CAMEL_CASE)

EMPTY_SCHEMA = "default"  # every metastore has it

DENIED = "Access Denied"
# Trino's rules cannot refuse a table procedure; the rules' row filter makes the engine do it.
NO_PROCEDURES = "ALTER TABLE EXECUTE is not supported for table with row filter"


def readers(table: Table) -> frozenset[str]:
    schema, _ = table
    if schema in ("silver", "gold", "semantic"):
        return EVERYBODY
    if schema == "test_failures":
        return FAILING_ROWS
    return QUARANTINE if table in {("bronze", QUARANTINE_TABLE), ("bronze", REPLAYS_TABLE)} else ENGINEERS


def seers(table: Table) -> frozenset[str]:
    return SEE_UNREADABLE_VALUES if table in UNREADABLE else SEE_PERSONAL_DATA


@pytest.fixture(scope="module")
def stack(camel_case_stack: Stack) -> Stack:
    try:
        sql.query(camel_case_stack, "select 1 from semantic.kpi_against_target limit 1")
    except MeshError:  # this module runs alone
        simulate(camel_case_stack, duration=timedelta(hours=1), seed=13, malformed=0.005)
        carry(camel_case_stack)
    return camel_case_stack


@pytest.fixture(scope="module")
def personal(stack: Stack) -> Personal:
    return personal_data(manifest(stack))


def listed(stack: Stack, user: str | None = None) -> set[Table]:
    rows = sql.query(
        stack,
        "select table_schema, table_name from iceberg.information_schema.tables"
        " where table_schema <> 'information_schema'",
        user=user,
    )
    return {(schema, name) for schema, name in rows}


@pytest.fixture(scope="module")
def there(stack: Stack) -> set[Table]:
    """Every table and view of the lakehouse."""
    found = listed(stack)
    wanted = {
        (node.schema, node.alias) for node in manifest(stack).nodes.values() if node.resource_type is NodeType.Model
    }
    wanted |= {("bronze", table.name) for table in bronze_tables()}
    assert wanted <= found
    return found


def refused(stack: Stack, user: str, statement: str) -> bool:
    """Whether access is denied; any other failure is one of the test."""
    try:
        sql.query(stack, statement, user=user)
    except MeshError as error:
        assert DENIED in str(error) or NO_PROCEDURES in str(error), (user, statement, str(error))
        return True
    return False


@pytest.mark.parametrize("role", ROLES)
def test_role_reads_what_it_may_not_or_not_what_it_may(stack: Stack, there: set[Table], role: str) -> None:
    allowed = {
        table
        for table in there
        if not refused(stack, role, f'explain (type validate) select * from iceberg."{table[0]}"."{table[1]}"')
    }
    assert allowed == {table for table in there if role in readers(table)}


@pytest.mark.parametrize("role", ROLES)
def test_information_schema_tells_of_closed_tables(stack: Stack, there: set[Table], role: str) -> None:
    may = {table for table in there if role in readers(table)}
    assert listed(stack, role) == may
    for catalogue in (
        "select distinct table_schema, table_name from iceberg.information_schema.columns",
        "select schema_name, table_name from system.metadata.table_comments where catalog_name = 'iceberg'",
        "select distinct table_schem, table_name from system.jdbc.columns where table_cat = 'iceberg'",
    ):
        told = {(schema, name) for schema, name in sql.query(stack, catalogue, user=role)}
        assert {table for table in told if table[0] != "information_schema"} <= may, catalogue
    schemas = {name for (name,) in sql.query(stack, "show schemas from iceberg", user=role)}
    assert schemas - {"information_schema", EMPTY_SCHEMA} == {schema for schema, _ in may}


def shown(stack: Stack, personal: Personal, user: str) -> dict[tuple[Table, str], int]:
    """How many values of each column with personal data a user sees."""
    found: dict[tuple[Table, str], int] = {}
    for table, columns in personal.items():
        counts = ", ".join(f'count("{column}")' for column in columns)
        [row] = sql.query(stack, f'select {counts} from iceberg."{table[0]}"."{table[1]}"', user=user)
        found |= {(table, column): count for column, count in zip(columns, row, strict=True)}
    return found


@pytest.fixture(scope="module")
def unmasked(stack: Stack, personal: Personal) -> dict[tuple[Table, str], int]:
    found = {place: count for place, count in shown(stack, personal, "engineer").items() if count}
    assert len(found) > 30, found  # else the next test looks at nothing
    return found


@pytest.mark.parametrize("role", [role for role in ROLES if role not in SEE_PERSONAL_DATA])
def test_personal_data_is_shown(
    stack: Stack, personal: Personal, unmasked: dict[tuple[Table, str], int], role: str
) -> None:
    seen = {place for place, count in shown(stack, personal, role).items() if count}
    assert seen == {place for place in unmasked if role in seers(place[0])}


@pytest.mark.parametrize("hidden", ["files", "partitions", "manifests", "snapshots", "history"])
def test_metadata_of_a_table_tells_masked_values(stack: Stack, hidden: str) -> None:
    statement = f'select * from iceberg.silver."orders_current${hidden}" limit 1'
    assert {role for role in ROLES if not refused(stack, role, statement)} == ENGINEERS


def test_statistics_of_a_table_tell_masked_values(stack: Stack, personal: Personal) -> None:
    def extremes(user: str | None) -> set[str]:
        """Columns with personal data whose smallest or largest value is told."""
        rows = sql.query(stack, "show stats for iceberg.silver.worker_documents", user=user)
        told = {row[0] for row in rows if row[5] is not None or row[6] is not None}
        return told & set(personal["silver", "worker_documents"])

    assert extremes(None)
    assert not extremes("analyst")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "delete from silver.zones where false",
        "insert into silver.zones select * from silver.zones where false",
        "update silver.zones set zone = zone where false",
        "truncate table silver.zones",
        "alter table silver.zones execute optimize",
        "alter table silver.zones execute expire_snapshots(retention_threshold => '30d')",
        "alter table silver.orders_current execute rollback_to_snapshot(snapshot_id => 1)",
        "alter table bronze.orders_raw execute expire_snapshots(retention_threshold => '30d')",
        "alter table silver.zones set properties format_version = 2",
        "alter table silver.zones add column mine varchar",
        "analyze silver.zones",
        "grant select on silver.zones to user analyst",
        "drop table silver.zones",
        "drop view semantic.orders",
        "comment on table silver.zones is 'mine'",
        "create table silver.mine as select 1 as one",
        "create view semantic.mine as select * from silver.zones",
        "create schema iceberg.mine",
        "call iceberg.system.unregister_table('silver', 'zones')",
    ],
)
def test_reader_writes(stack: Stack, role: str, statement: str) -> None:
    assert refused(stack, role, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "show schemas from mongodb",
        "show schemas from kafka",
        'select * from kafka."default"."wms.orders.events" limit 1',
        f'select * from mongodb."{DATABASE}"."{ORDERS.name}" limit 1',
        f"select _id from table(mongodb.system.query(database => '{DATABASE}', collection => '{ORDERS.name}',"
        " filter => '{}')) limit 1",
    ],
)
def test_source_is_read_past_the_lakehouse(stack: Stack, statement: str) -> None:
    assert {role for role in ROLES if not refused(stack, role, statement)} == ENGINEERS


def test_query_of_somebody_else_is_shown(stack: Stack) -> None:
    sql.query(stack, "select 'a secret of the engineer'", user="engineer")
    statement = 'select distinct "user" from system.runtime.queries'
    assert sql.query(stack, statement, user="analyst") == [["analyst"]]
    assert ["analyst"] in sql.query(stack, statement, user="engineer")


def test_refresher_cannot_count_or_writes_history(stack: Stack) -> None:
    user = Service.REFRESHER.user
    assert not refused(stack, user, "select count(*) from bronze.orders_raw")
    [[first, last]] = sql.query(
        stack,
        "select min_by(snapshot_id, committed_at), max_by(snapshot_id, committed_at)"
        ' from bronze."orders_raw$snapshots"',
        user=user,
    )
    assert first != last
    changes = f"iceberg.system.table_changes('bronze', 'orders_raw', {first}, {last})"
    assert not refused(stack, user, f"select count(*) from table({changes})")
    assert refused(stack, user, "delete from bronze.orders_raw where false")
    assert refused(stack, user, "drop table bronze.orders_raw")
    assert refused(stack, user, "alter table bronze.orders_raw execute optimize")


def test_prometheus_reads_tables_or_people_read_metrics(stack: Stack, there: set[Table]) -> None:
    def metrics(user: str) -> int:
        login = (user, client.password(stack, user))
        return requests.get(
            f"{stack.url('trino')}/metrics", auth=login, verify=client.verify(stack), timeout=30
        ).status_code

    assert metrics(Service.MONITORING.user) == 200
    assert metrics("analyst") == 403
    for schema, name in there:
        assert refused(
            stack, Service.MONITORING.user, f'explain (type validate) select * from iceberg."{schema}"."{name}"'
        )


@pytest.fixture
def bare() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_quality_is_not_let_in(stack: Stack) -> None:
    assert {one.data_product for one in run(stack, suites.load(["waves"]))} == {"waves-dp"}


def test_stranger_comes_in(stack: Stack, bare: requests.Session) -> None:
    statement = f"{stack.url('trino')}/v1/statement"
    trusted = client.verify(stack)
    assert (
        bare.post(statement, data="select 1", headers={"X-Trino-User": "engineer"}, verify=trusted).status_code == 401
    )
    assert bare.post(statement, data="select 1", auth=("engineer", "guess"), verify=trusted).status_code == 401
    with pytest.raises(requests.exceptions.SSLError):
        bare.get(f"{stack.url('trino')}/v1/info")
    with pytest.raises(requests.exceptions.ConnectionError):
        bare.get(f"http://{stack.address('trino')}/v1/info")


def test_user_takes_the_name_of_another(stack: Stack) -> None:
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=LOOPBACK,
        port=stack.port("trino"),
        user="engineer",
        http_scheme="https",
        auth=trino.auth.BasicAuthentication("analyst", client.password(stack, "analyst")),
        verify=client.verify(stack),
    )
    with pytest.raises(trino.exceptions.TrinoQueryError, match=re.escape(DENIED)):
        connection.cursor().execute("select 1").fetchall()
