"""``python -m wms_mesh.report.pictures``: the README's pictures, taken of the running stack."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from wms_mesh import docs
from wms_mesh.errors import MeshError
from wms_mesh.report import browser, page
from wms_mesh.stack import LOOPBACK, REPO, Stack

FOLDER = REPO / "docs" / "images"
LARGEST = 250_000  # bytes of one picture: a clone carries every version of it
MODEL = "#!/model/model.wms_data_mesh.order_fulfillment_daily"


def take(stack: Stack, folder: Path = FOLDER) -> list[Path]:
    """Write report.png and docs-site.png. Raises MeshError without a browser or a stack, or for a picture too large."""
    folder.mkdir(parents=True, exist_ok=True)
    report, site = folder / "report.png", folder / "docs-site.png"
    with browser.launch() as chromium, tempfile.TemporaryDirectory() as scratch:
        written = page.write(stack, Path(scratch) / page.NAME)
        with browser.view(chromium, written.path.as_uri(), (1160, 1000)) as shown:
            shown.page.screenshot(path=report)
        with docs.serve(docs.build(stack).page, 0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with browser.view(chromium, f"http://{LOOPBACK}:{server.server_port}/{MODEL}", (1160, 800)) as shown:
                shown.page.wait_for_selector("h1:has-text('order_fulfillment_daily')")
                shown.page.screenshot(path=site)
            server.shutdown()
    for path in (report, site):
        if path.stat().st_size > LARGEST:
            raise MeshError(f"{path} has {path.stat().st_size:,} bytes, more than {LARGEST:,}: show less on it.")
    return [report, site]


if __name__ == "__main__":
    try:
        print(*take(Stack.from_env()), sep="\n")
    except MeshError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
