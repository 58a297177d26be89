"""Grafana's dashboards, written as what each panel asks; ``python -m wms_mesh.monitoring.dashboards`` makes the JSON.

A file for each dashboard stands in ``infra/monitoring/dashboards/``; a test says when one is not what stands here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wms_mesh.monitoring.targets import INFRA

FOLDER = INFRA / "dashboards"
COLUMNS, WIDTH, HEIGHT = 24, 12, 8  # Grafana's grid
COMMITTER = "flink_taskmanager_job_task_operator_IcebergFilesCommitter_table"
REQUESTS = "http_server_request_duration_seconds_count"  # s3proxy's
S3PROXY_FAILURES = f'sum by (http_response_status_code) (rate({REQUESTS}{{http_response_status_code=~"5.."}}[5m]))'


@dataclass(frozen=True)
class Panel:
    """One graph. unit: Grafana's name. queries: legend and expression."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    text: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    panels: tuple[Panel, ...]

    def expressions(self) -> list[str]:
        """What all panels ask."""
        return [expression for panel in self.panels for _, expression in panel.queries]

    def as_json(self) -> str:
        """The file's content. The data source is the folder's default Prometheus."""
        source = {"type": "prometheus", "uid": "${datasource}"}
        shown = [
            {
                "id": number + 1,
                "type": "timeseries",
                "title": panel.title,
                "description": panel.text,
                "datasource": source,
                "gridPos": {
                    "h": HEIGHT,
                    "w": WIDTH,
                    "x": number * WIDTH % COLUMNS,
                    "y": number * WIDTH // COLUMNS * HEIGHT,
                },
                "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
                "targets": [
                    {"refId": chr(ord("A") + place), "datasource": source, "expr": expression, "legendFormat": legend}
                    for place, (legend, expression) in enumerate(panel.queries)
                ],
            }
            for number, panel in enumerate(self.panels)
        ]
        document: dict[str, Any] = {
            "uid": self.uid,
            "title": self.title,
            "tags": ["wms-data-mesh"],
            "schemaVersion": 39,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "templating": {
                "list": [{"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
            },
            "panels": shown,
        }
        return json.dumps(document, indent=2) + "\n"


DASHBOARDS = (
    Dashboard(
        "wms-debezium",
        "WMS: capture (Debezium, Kafka)",
        (
            Panel(
                "Behind MongoDB",
                "s",
                (("{{server}}", "debezium_mongodb_streaming_seconds_behind_source"),),
                "Of the last change; it stands still when none comes.",
            ),
            Panel(
                "Since the last change", "s", (("{{server}}", "debezium_mongodb_streaming_seconds_since_last_event"),)
            ),
            Panel(
                "Changes captured",
                "ops",
                (
                    ("captured", "rate(debezium_mongodb_streaming_events_total[5m])"),
                    ("written to Kafka", "rate(kafka_connect_source_records_written_total[5m])"),
                ),
            ),
            Panel(
                "Errors",
                "short",
                (
                    ("events", "increase(debezium_mongodb_streaming_erroneous_events_total[15m])"),
                    ("records", "increase(kafka_connect_task_record_failures_total[15m])"),
                ),
            ),
            Panel(
                "Task's state", "short", (("{{connector}}/{{task}} {{status}}", "kafka_connect_connector_task_status"),)
            ),
            Panel(
                "Room in the connector's queue",
                "short",
                (
                    ("streaming", "debezium_mongodb_streaming_queue_free"),
                    ("a snapshot runs", "debezium_mongodb_snapshot_is_running"),
                    ("connected", "debezium_mongodb_streaming_is_connected"),
                ),
            ),
            Panel(
                "Records into Kafka",
                "ops",
                (("{{topic}}", "sum by (topic) (rate(kafka_server_topic_messages_in_total[5m]))"),),
            ),
            Panel(
                "Partitions in trouble",
                "short",
                (
                    ("under-replicated", "sum(kafka_server_under_replicated_partitions)"),
                    ("offline", "sum(kafka_controller_offline_partitions)"),
                ),
            ),
        ),
    ),
    Dashboard(
        "wms-flink",
        "WMS: stream (Flink)",
        (
            Panel("The job runs for", "ms", (("{{job_name}}", "flink_jobmanager_job_uptime"),)),
            Panel("Restarts", "short", (("{{job_name}}", "flink_jobmanager_job_numRestarts"),)),
            Panel(
                "Checkpoints",
                "short",
                (
                    ("completed", "increase(flink_jobmanager_job_numberOfCompletedCheckpoints[5m])"),
                    ("failed", "increase(flink_jobmanager_job_numberOfFailedCheckpoints[5m])"),
                ),
            ),
            Panel("Last checkpoint took", "ms", (("{{job_name}}", "flink_jobmanager_job_lastCheckpointDuration"),)),
            Panel(
                "Since the last commit", "s", (("{{table}}", f"{COMMITTER}_elapsedSecondsSinceLastSuccessfulCommit"),)
            ),
            Panel(
                "Records read",
                "ops",
                (
                    (
                        "{{operator_name}}",
                        "sum by (operator_name) (flink_taskmanager_job_task_operator_numRecordsOutPerSecond)",
                    ),
                ),
            ),
            Panel(
                "Records that wait in Kafka",
                "short",
                (("{{operator_name}}", "flink_taskmanager_job_task_operator_pendingRecords"),),
            ),
            Panel(
                "Heap",
                "bytes",
                (
                    ("TaskManager", "flink_taskmanager_Status_JVM_Memory_Heap_Used"),
                    ("JobManager", "flink_jobmanager_Status_JVM_Memory_Heap_Used"),
                ),
            ),
        ),
    ),
    Dashboard(
        "wms-trino",
        "WMS: query (Trino)",
        (
            Panel(
                "Queries take",
                "s",
                (("{{quantile}}", "trino_query_execution_time_seconds"),),
                "Of the last five minutes; nothing where nobody asked.",
            ),
            Panel(
                "Queries",
                "short",
                (
                    ("running", "trino_execution_name_QueryManager_RunningQueries"),
                    ("queued", "trino_execution_name_QueryManager_QueuedQueries"),
                ),
            ),
            Panel(
                "Failed queries",
                "ops",
                (("failed", "rate(trino_execution_name_QueryManager_FailedQueries[5m])"),),
            ),
            Panel(
                "Memory of queries",
                "bytes",
                (
                    ("reserved", "trino_memory_name_ClusterMemoryManager_ClusterTotalMemoryReservation"),
                    ("there is", "trino_memory_name_ClusterMemoryManager_ClusterMemoryBytes"),
                ),
            ),
            Panel("Nodes", "short", (("active", "trino_metadata_name_DiscoveryNodeManager_ActiveNodeCount"),)),
        ),
    ),
    Dashboard(
        "wms-object-store",
        "WMS: object store",
        (
            Panel("Used", "percentunit", (("{{measured}} {{persistentvolumeclaim}}", "wms:storage_used:ratio"),)),
            Panel("Bytes in buckets", "bytes", (("{{bucket}}", "minio_bucket_usage_total_bytes"),)),
            Panel(
                "Requests",
                "ops",
                (
                    ("MinIO {{api}}", "sum by (api) (rate(minio_s3_requests_total[5m]))"),
                    (
                        "s3proxy {{s3_operation}}",
                        f"sum by (s3_operation) (rate({REQUESTS}[5m]))",
                    ),
                ),
            ),
            Panel(
                "Requests that failed",
                "ops",
                (
                    ("MinIO {{api}}", "sum by (api) (rate(minio_s3_requests_errors_total[5m]))"),
                    ("s3proxy {{http_response_status_code}}", S3PROXY_FAILURES),
                ),
            ),
        ),
    ),
    Dashboard(
        "wms-data-products",
        "WMS: data products",
        (
            Panel(
                "Age of the last refresh, share of what is promised",
                "percentunit",
                (("{{product}}", "wms_refresh_age_seconds / on (product) wms_refresh_promised_age_seconds"),),
                "Above 1 the product is late.",
            ),
            Panel("Promises kept", "short", (("{{product}} {{promise}}", "mesh_slo_met"),)),
            Panel("From MongoDB to visible, 99 of 100 changes", "s", (("{{product}}", "mesh_slo_delay_p99_seconds"),)),
            Panel(
                "Complete and accurate",
                "percentunit",
                (
                    ("{{product}} complete", "mesh_slo_completeness_rate"),
                    ("{{product}} accurate", "mesh_slo_accuracy_rate"),
                ),
            ),
            Panel("Healthy", "short", (("{{data_product}}", "wms_mesh_data_product_healthy"),)),
            Panel("A refresh takes", "s", (("{{product}}", "wms_refresh_duration_seconds"),)),
            Panel(
                "Failures",
                "short",
                (
                    ("{{product}} refreshes", "increase(wms_refresh_failures_total[15m])"),
                    ("{{product}} tests", "wms_refresh_failed_tests"),
                    ("measurements", "increase(mesh_slo_failures_total[1h])"),
                ),
            ),
            Panel("Quarantine, open records of 24 hours", "short", (("{{topic}}", "wms_quarantine_open_records"),)),
        ),
    ),
)


def write() -> None:
    """Make the files, and remove those of dashboards that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(dashboard.as_json(), encoding="utf-8")


if __name__ == "__main__":
    write()
