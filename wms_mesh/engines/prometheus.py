"""Prometheus, when one is installed: it scrapes the monitored stack and judges it by infra/monitoring/rules.yml."""

from __future__ import annotations

from typing import Any

import requests

from wms_mesh.access import client
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.engines.s3 import store
from wms_mesh.monitoring import tools
from wms_mesh.monitoring.targets import RULES, USER, targets

SCRAPE_SECONDS = 15


class Prometheus(Engine):
    """Ready when it answers queries. What it cannot scrape, and which alerts fire, is told: no reason to restart it."""

    name = "prometheus"
    memory_mb = 300
    ports = ("prometheus",)

    def prepare(self) -> None:
        self.render(
            "prometheus/prometheus.yml",
            self.stack.conf(self.name) / "prometheus.yml",
            rules=RULES,
            scrape_seconds=SCRAPE_SECONDS,
            targets=targets(store()),
            user=USER,
            password_file=client.password_file(self.stack, USER) if self.stack.secure else None,
            certificate=client.certificate(self.stack) if self.stack.secure else None,
        )

    def command(self) -> Command:
        data = self.stack.data(self.name)
        return Command(
            argv=[
                str(tools.require("prometheus")),
                f"--config.file={self.stack.conf(self.name) / 'prometheus.yml'}",
                f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=7d",
                f"--web.listen-address={self.stack.listener('prometheus')}",
            ],
            cwd=data,
        )

    def check(self) -> None:
        ask(self, "query?query=vector(1)")

    def detail(self) -> dict[str, object]:
        found = ask(self, "targets?state=active")["activeTargets"]
        firing = {one["labels"]["alertname"] for one in ask(self, "alerts")["alerts"] if one["state"] == "firing"}
        down = [one["labels"]["job"] for one in found if one["health"] == "down"]
        return {
            "ui": self.stack.url("prometheus"),
            "targets": f"{sum(one['health'] == 'up' for one in found)} of {len(found)}",
            **({"down": ", ".join(down)} if down else {}),
            "alerts": ", ".join(sorted(firing)) or "none",
        }


def ask(engine: Engine, path: str) -> Any:
    """The data of an answer of Prometheus's API; raises NotReady when there is none."""
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on the loopback interface
            answer = session.get(f"{engine.stack.url('prometheus')}/api/v1/{path}", timeout=5)
            answer.raise_for_status()
            return answer.json()["data"]
    except (requests.RequestException, ValueError) as error:
        raise NotReady(f"its API does not answer {path} ({type(error).__name__})") from error
