"""What a monitored stack serves as metrics, and where."""

from __future__ import annotations

from dataclasses import dataclass

from wms_mesh import artifacts
from wms_mesh.access.roles import Service
from wms_mesh.stack import LOOPBACK, REPO, Stack

INFRA = REPO / "infra" / "monitoring"
RULES = INFRA / "rules.yml"
USER = Service.MONITORING.user  # Trino asks for one, also without a password


@dataclass(frozen=True)
class Target:
    """One address to scrape. job: Prometheus's label. listener: a name of wms_mesh.stack.PORTS."""

    job: str
    listener: str
    path: str = "/metrics"
    needs_user: bool = False


def targets(store: str) -> tuple[Target, ...]:
    """All of a stack. store: its object store, minio or s3proxy."""
    return (
        Target("kafka", "kafka-metrics"),
        Target("connect", "connect-metrics"),
        Target("flink-jobmanager", "flink-jobmanager-metrics"),
        Target("flink-taskmanager", "flink-taskmanager-metrics"),
        Target("trino", "trino", needs_user=True),
        Target("refresher", "refresher"),
        *(
            (
                Target("minio", "s3", "/minio/v2/metrics/cluster"),
                Target("minio-bucket", "s3", "/minio/v2/metrics/bucket"),
            )
            if store == "minio"
            else (Target("s3", "s3-metrics"),)
        ),
    )


def jmx_agent(stack: Stack, engine: str) -> list[str]:
    """The flag with which a JVM serves its MBeans by ``infra/monitoring/jmx/<engine>.yml``; none without monitoring."""
    if not stack.monitoring:
        return []
    rules = INFRA / "jmx" / f"{engine}.yml"
    return [f"-javaagent:{artifacts.file('jmx-exporter')}={LOOPBACK}:{stack.port(f'{engine}-metrics')}:{rules}"]
