"""The page of the docs site, served: one file, nothing beside it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import requests

from wms_mesh import docs
from wms_mesh.errors import MeshError


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    page = tmp_path / docs.PAGE
    page.write_text("<title>ä</title>", encoding="utf-8")
    return page


@pytest.fixture
def address(page: Path) -> Iterator[str]:
    with docs.serve(page, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("path", ["/", "/index.html", "/?g_v=1"])
def test_page_is_served_changed(address: str, page: Path, path: str) -> None:
    answer = requests.get(address + path, timeout=5)
    assert answer.content == page.read_bytes()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/manifest.json", "/../manifest.json", f"/{docs.PAGE}"])
def test_neighbour_of_the_page_is_served(address: str, path: str) -> None:
    assert requests.get(address + path, timeout=5).status_code == 404


@pytest.fixture
def quality(tmp_path: Path) -> Path:
    folder = tmp_path / "quality"
    (folder / "orders-dp").mkdir(parents=True)
    (folder / "index.html").write_text("all products", encoding="utf-8")
    (folder / "orders-dp" / "a b.html").write_text("one product", encoding="utf-8")
    (folder / "link.html").symlink_to(tmp_path / "manifest.json")
    return folder


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/quality/", "all products"),
        ("/quality/index.html?x=1", "all products"),
        ("/quality/orders-dp/a%20b.html", "one product"),
        ("/quality/orders-dp/", None),
        ("/quality/link.html", None),
        ("/quality/../manifest.json", None),
        ("/quality/%2e%2e/manifest.json", None),
        ("/quality//etc/passwd", None),
        ("/qualityindex.html", None),
    ],
)
def test_quality_page_is_lost_or_leads_out_of_its_folder(
    page: Path, quality: Path, path: str, text: str | None
) -> None:
    with docs.serve(page, 0, quality) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        request = requests.Request("GET", f"http://127.0.0.1:{server.server_port}/").prepare()
        request.url = f"http://127.0.0.1:{server.server_port}{path}"  # as it stands: `..` would be resolved
        with requests.Session() as session:
            answer = session.send(request, timeout=5)
        server.shutdown()
    assert answer.status_code == (404 if text is None else 200)
    if text is not None:
        assert answer.text == text
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_taken_port_is_not_named(address: str, page: Path) -> None:
    port = int(address.rsplit(":", 1)[1])
    with pytest.raises(MeshError, match=rf"Port {port} is taken.*--port"), docs.serve(page, port):
        pass


def test_page_asks_for_what_nobody_has() -> None:
    installed = resources.files("dbt.task.docs").joinpath("index.html").read_text(encoding="utf-8")
    asked = re.compile(r"(?<![-\w])(?:src|href)=\\?[\"'](?:\{\{|\$\{)[^>]{0,60}")
    assert asked.findall(installed), "dbt has mended its page: so must docs.mended be forgotten"
    assert asked.findall(docs.mended(installed)) == []
