"""The refresher: dbt in a long-running process, from bronze to silver and gold."""

from __future__ import annotations

import sys
from typing import Any

import requests

from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.stack import REPO


class Refresher(Engine):
    """Ready when its loop turns. Products that are late are shown, and no reason to restart it: Trino may be down."""

    name = "refresher"
    memory_mb = 500
    needs = ("schemas", "bronze-tables", "bronze-job")
    ports = ("refresher",)

    def prepare(self) -> None:
        """Nothing to render: its settings are the stack's variables."""

    def command(self) -> Command:
        return Command(
            argv=[sys.executable, "-m", "wms_mesh.refresher"],
            cwd=REPO,
            env={
                "PYTHONPATH": str(REPO),
                "PYTHONUNBUFFERED": "1",
                "MESH_HOME": str(self.stack.home),
                "MESH_PORT_BASE": str(self.stack.port_base),
                "MESH_NAMING": self.stack.naming,
                "MESH_REFRESHER_HOST": "",
            },
        )

    def check(self) -> None:
        facts = self._facts("/livez")
        if not facts["is_alive"]:
            raise NotReady("its loop does not turn")
        if not facts["products"]:
            raise NotReady("it reads the dbt project")

    def detail(self) -> dict[str, object]:
        try:
            facts = self._facts("/healthz")
        except NotReady:
            return {}
        products = facts["products"]
        late = {name: product["reason"][:80] for name, product in products.items() if not product["is_fresh"]}
        ages = {
            name: product["age_seconds"] for name, product in products.items() if product["age_seconds"] is not None
        }
        oldest = max(ages, key=lambda name: ages[name] / products[name]["promised_seconds"], default=None)
        shown = (
            f"{oldest}, {ages[oldest]:.0f} of {products[oldest]['promised_seconds']:.0f} s" if oldest else "none yet"
        )
        unhealthy = ", ".join(facts.get("quality", {}).get("unhealthy", {}))
        return {"products": len(products), "oldest": shown, **late, **({"unhealthy": unhealthy} if unhealthy else {})}

    def _facts(self, path: str) -> Any:
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy has no business on the loopback interface
                return session.get(self.stack.url("refresher") + path, timeout=5).json()
        except (requests.RequestException, ValueError) as error:
            raise NotReady("it does not answer yet") from error
