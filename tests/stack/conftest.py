"""One stack of real engines for the whole suite, away from the user's: own folder, own ports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from wms_mesh import doctor, lifecycle, transform, turns
from wms_mesh.lifecycle import Status
from wms_mesh.monitoring import tools
from wms_mesh.stack import Naming, Stack

# Away from the default base, so that a developer's own stack may run beside the tests.
TEST_PORT_BASE = "29000"


def print_changes() -> Callable[[Status], None]:
    """Progress for a log: a line whenever another unit became ready."""
    seen: set[str] = set()

    def progress(now: Status) -> None:
        for unit in now.units:
            if unit.state == "ready" and unit.name not in seen:
                seen.add(unit.name)
                print(f"  {unit.name} is ready ({len(seen)} of {len(now.units)})", flush=True)

    return progress


# Silver equals MongoDB as long as MongoDB is the only source: what puts records straight into Kafka comes later,
# and what needs a stack of its own comes last (each start costs a minute).
ORDER = (
    "test_chain",
    "test_docs",
    "test_sql_style",
    "test_survival",
    "test_repair",
    "test_refresher",
    "test_slo",
    "test_quality",
    "test_report",
    "test_monitoring",
    "test_source",
    "test_lakehouse",
    "test_erase",
    "test_bronze",
    "test_quarantine",
    "test_convergence",
    "test_naming",
    "test_access",
)
LOG_LINES = 25


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the modules in ORDER."""
    items.sort(key=lambda item: ORDER.index(item.path.stem))


def print_logs(stack: Stack) -> None:
    """The ends of all logs: when a run in CI has failed, the stack's folder is gone."""
    for path in sorted((stack.home / "logs").glob("*.log")):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        print(f"\n--- {path.name}", *(line[:300] for line in lines), sep="\n", flush=True)


@pytest.fixture(scope="session")
def start_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Naming], Stack]]:
    """Start a fresh stack of a naming style; one runs at a time, all are removed at the end."""
    current: list[Stack] = []

    def stop() -> None:
        while current:
            stack = current.pop()
            if request.session.testsfailed:
                print_logs(stack)
            lifecycle.down(stack, lambda _: None)
            lifecycle.purge(stack)

    def start(naming: Naming) -> Stack:
        stop()
        os.environ["MESH_HOME"] = str(tmp_path_factory.mktemp(f"stack-{naming.lower()}"))
        os.environ["MESH_PORT_BASE"] = os.environ.get("MESH_TEST_PORT_BASE", TEST_PORT_BASE)
        os.environ["MESH_NAMING"] = naming
        # Every way is walked, and none costs a stack of its own: the long one is monitored, the other one secure.
        os.environ["MESH_MONITORING"] = str(int(naming is Naming.SNAKE_CASE))
        os.environ["MESH_SECURE"] = str(int(naming is Naming.CAMEL_CASE))
        if os.environ.get("CI"):
            tools.fetch()
        stack = Stack.from_env()
        doctor.require(stack)
        current.append(stack)
        print(f"\nStarting a stack in {stack.home} from port {stack.port_base}", flush=True)
        now = lifecycle.up(stack, (), print_changes())
        print(f"Ready after {now.ready_seconds:.0f} s, {now.total_rss_mb:,.0f} MB", flush=True)
        return stack

    yield start
    stop()


@pytest.fixture(scope="session")
def running_stack(start_stack: Callable[[Naming], Stack]) -> Stack:
    """The suite's stack, in the requirements' naming style."""
    return start_stack(Naming.SNAKE_CASE)


@pytest.fixture(scope="module")
def resting_stack(running_stack: Stack) -> Iterator[Stack]:
    """The stack while its refresher waits: even idle that takes half of a core from whoever writes elsewhere."""
    with turns.turn(
        transform.locks(running_stack), "the test suite", lambda who: print(f"Waiting for {who}", flush=True)
    ):
        yield running_stack


@pytest.fixture(scope="session")
def camel_case_stack(start_stack: Callable[[Naming], Stack]) -> Stack:
    """The other stack: the services' own spelling, and access control."""
    return start_stack(Naming.CAMEL_CASE)
