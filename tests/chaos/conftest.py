"""A stack of its own: proxies before Kafka, the object store and the metastore, and a disk that can be full."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.disk import LimitedFolder, may_mount
from tests.chaos.events import Weather
from tests.chaos.proxy import Proxy
from tests.stack.conftest import print_changes, print_logs
from wms_mesh import doctor, lifecycle
from wms_mesh.stack import DETOURED, Stack

PORT_BASE = 29100  # beside the stack suite's
DETOUR = 50  # behind the stack's own ports


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Storms first: some damaged records become documents, which silver then has and MongoDB has not."""
    items.sort(key=lambda item: item.path.stem == "test_fuzz")


@pytest.fixture(scope="session")
def weather(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weather]:
    base = int(os.environ.get("MESH_CHAOS_PORT_BASE", PORT_BASE))
    os.environ["MESH_HOME"] = str(tmp_path_factory.mktemp("stack-chaos"))
    os.environ["MESH_PORT_BASE"] = str(base)
    plain = Stack.from_env()
    doctor.require(plain)
    os.environ["MESH_DETOURS"] = ",".join(f"{name}={plain.port(name) + DETOUR}" for name in DETOURED)
    stack = Stack.from_env()
    links = {name: Proxy(stack.port(name), stack.detours[name]) for name in DETOURED}
    disk = LimitedFolder(stack.data("s3")) if may_mount() else None
    if disk:
        disk.mount()
    else:
        print("\nOnly root may mount a folder of limited size: the disk does not fill up in this run.", flush=True)
    for link in links.values():
        link.start()
    try:
        print(f"\nStarting a stack in {stack.home} from port {stack.port_base}", flush=True)
        lifecycle.up(stack, (), print_changes())
        yield Weather(stack, links, disk)
        if request.session.testsfailed:
            print_logs(stack)
    finally:
        lifecycle.down(stack, lambda _: None)
        for link in links.values():
            link.stop()
        if disk:
            disk.unmount()
        lifecycle.purge(stack)
