"""Pages looked at with a real browser: what goes wrong on them, what they look like.

The browser is a Chromium of this machine: Playwright would fetch its own from elsewhere than a package registry.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from wms_mesh.errors import MeshError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PHONE, DESK = (390, 844), (1280, 800)  # pixels

# It must not call home: these tests run on machines without a network, and on others it is nobody's business.
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


@dataclass
class View:
    """An open page. problems: errors on its console, scripts that failed, what could not be loaded."""

    page: Page
    problems: list[str] = field(default_factory=list)


def executable() -> Path:
    """The browser. Raises MeshError when this machine has none."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    raise MeshError(f"No browser is on the PATH ({', '.join(NAMES)}): install one (Debian: apt install chromium).")


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless browser of its own, with an empty profile. Raises MeshError when this machine has none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def view(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESK,
    scheme: Literal["dark", "light"] = "light",
    scale: float = 1,
    *,
    is_strict: bool = True,
) -> Iterator[View]:
    """Open an address and wait until nothing more is loaded. size: width and height in pixels.

    is_strict: under the page's own security policy, which keeps a test from measuring it.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        device_scale_factor=scale,
        bypass_csp=not is_strict,
    )
    try:
        shown = View(context.new_page())
        shown.page.on("console", lambda one: shown.problems.append(one.text) if one.type == "error" else None)
        shown.page.on("pageerror", lambda error: shown.problems.append(str(error)))
        shown.page.on("requestfailed", lambda one: shown.problems.append(f"{one.url}: {one.failure}"))
        shown.page.on(
            "response", lambda one: shown.problems.append(f"{one.url}: {one.status}") if one.status >= 400 else None
        )
        shown.page.goto(address, wait_until="networkidle")
        yield shown
    finally:
        context.close()
