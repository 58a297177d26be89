"""The Flink session cluster: a JobManager and a TaskManager out of the pip package, without its shell scripts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from wms_mesh import artifacts, environments
from wms_mesh.engines import jars
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.java import java
from wms_mesh.stack import Stack

_REPORTER = Path(__file__).parent / "java"

# Of PyFlink's lib folder, what a cluster needs to run a planned job. Without the planner (62 MB with Scala) both
# processes start faster and stay smaller.
_RUNTIME_JARS = ("flink-dist-*", "flink-table-runtime-*", "flink-table-api-java-uber-*", "log4j-*")

# The modules that Flink opens by its own configuration; its jdk.compiler entries are left out, a JRE has none.
_OPENED = ("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent")
MODULE_FLAGS = (
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.atomic=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent.locks=ALL-UNNAMED",
    *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
)

# Megabytes. Nine Parquet writers buffer at most one row group each (16 MB, ingest/bronze/tables.py), and the reader
# holds three fetches of records (8 MB each, or one record of up to 48 MB).
TASK_HEAP_MB = 512
FRAMEWORK_HEAP_MB = 128
DIRECT_MB = 160  # framework off-heap and network buffers

REGISTRATION_SECONDS = 8.0  # a check may take ten


def pyflink_home() -> Path:
    """The folder of the pip package: ``lib``, ``opt``, ``bin``."""
    return environments.package("flink", "pyflink")


def configure(stack: Stack) -> Path:
    """Render the configuration folder that both processes and the planner share."""
    folder = stack.conf("flink")
    engine = FlinkJobManager(stack)
    engine.render("flink/config.yaml", folder / "config.yaml", data=stack.data("flink"), task_heap_mb=TASK_HEAP_MB)
    engine.render("flink/log4j.properties", folder / "log4j.properties")
    return folder


def credentials(stack: Stack) -> dict[str, str]:
    """The object store's, as the AWS SDK looks them up: so they stand in no plan, checkpoint or configuration."""
    return {
        "AWS_ACCESS_KEY_ID": stack.secret("s3-access-key"),
        "AWS_SECRET_ACCESS_KEY": stack.secret("s3-secret-key"),
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def runtime_jars() -> list[Path]:
    """The classpath of both processes."""
    lib = pyflink_home() / "lib"
    return [jar for pattern in _RUNTIME_JARS for jar in sorted(lib.glob(f"{pattern}.jar"))] + artifacts.jars("flink")


def _metrics(stack: Stack, listener: str) -> tuple[list[Path], list[str]]:
    """What a monitored process needs besides: jars, and settings of its own.

    They are no part of the configuration that the planner reads, so the job stays what it is, monitored or not.
    """
    if not stack.monitoring:
        return [], []
    home = pyflink_home()
    reporter = sorted((home / "plugins" / "metrics-prometheus").glob("*.jar"))
    against = [*sorted((home / "lib").glob("flink-dist-*.jar")), *reporter]
    settings = {
        "factory.class": "org.apache.flink.metrics.prometheus.LoopbackReporterFactory",
        "port": stack.port(listener),
    }
    return (
        [*reporter, jars.build(stack, "flink/wms-metrics", _REPORTER, against)],
        [f"-Dmetrics.reporter.prom.{key}={value}" for key, value in settings.items()],
    )


def _command(stack: Stack, name: str, main: str, flags: list[str]) -> Command:
    conf = stack.conf("flink")
    metrics_jars, metrics_settings = _metrics(stack, f"{name}-metrics")
    return Command(
        argv=[
            str(java(17)),
            *flags,
            "-XX:+UseSerialGC",
            # Give heap back when idle: the stack's memory is counted at rest.
            "-XX:MinHeapFreeRatio=10",
            "-XX:MaxHeapFreeRatio=30",
            "-XX:+ExitOnOutOfMemoryError",
            *MODULE_FLAGS,
            f"-Dlog4j.configurationFile={conf / 'log4j.properties'}",
            f"-Dlog.file={stack.log(name)}",  # for the dashboard only: the process writes to standard output
            "-Dlog4j2.disable.jmx=true",
            "-cp",
            ":".join(map(str, [*runtime_jars(), *metrics_jars])),
            main,
            "--configDir",
            str(conf),
            *metrics_settings,
        ],
        cwd=stack.data("flink"),
        env=credentials(stack),
    )


class FlinkJobManager(Engine):
    """Takes the job, keeps its checkpoints' list, restarts it; holds no data itself."""

    name = "flink-jobmanager"
    memory_mb = 700
    ports = ("flink-rest", "flink-jobmanager-rpc", "flink-blob", "flink-jobmanager-metrics")

    def prepare(self) -> None:
        (self.stack.data("flink") / "tmp").mkdir(exist_ok=True)
        configure(self.stack)

    def command(self) -> Command:
        return _command(
            self.stack,
            self.name,
            "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
            ["-Xms48m", "-Xmx256m", "-XX:MaxMetaspaceSize=192m", "-XX:TieredStopAtLevel=1"],
        )

    def check(self) -> None:
        overview(self.stack)

    def detail(self) -> dict[str, object]:
        return {"dashboard": self.stack.url("flink-rest")}


class FlinkTaskManager(Engine):
    """Runs the bronze job in its one slot."""

    name = "flink-taskmanager"
    memory_mb = 1200
    needs = ("flink-jobmanager",)
    ports = ("flink-taskmanager-rpc", "flink-taskmanager-data", "flink-taskmanager-metrics")

    def prepare(self) -> None:
        configure(self.stack)

    def command(self) -> Command:
        return _command(
            self.stack,
            self.name,
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            [
                "-Xms64m",
                f"-Xmx{TASK_HEAP_MB + FRAMEWORK_HEAP_MB}m",
                f"-XX:MaxDirectMemorySize={DIRECT_MB}m",
                "-XX:MaxMetaspaceSize=256m",
            ],
        )

    def check(self) -> None:
        # A JobManager that was started anew hears of this TaskManager within seconds; until the supervisor asks again
        # it takes fifteen, and the job waits for the answer.
        deadline = time.monotonic() + REGISTRATION_SECONDS
        while not overview(self.stack)["slots-total"]:
            if time.monotonic() > deadline:
                raise NotReady("it has not registered its slot with the JobManager yet")
            time.sleep(0.2)

    def detail(self) -> dict[str, object]:
        figures = overview(self.stack)
        return {"slots": figures["slots-total"], "slots_free": figures["slots-available"]}


def overview(stack: Stack) -> dict[str, Any]:
    """The cluster's counts of TaskManagers, slots and jobs; raises NotReady when the JobManager does not answer."""
    return call(stack, "GET", "/overview")  # type: ignore[no-any-return]


def call(stack: Stack, method: str, path: str, **request: Any) -> Any:
    """One call of the JobManager's REST interface, and its JSON answer.

    Raises NotReady when it does not answer, or answers with an error.
    """
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy has no business on the loopback interface
            response = session.request(method, stack.url("flink-rest") + path, timeout=60 if request else 5, **request)
            if response.status_code >= 400:
                raise NotReady(f"{method} {path} answered {response.status_code}: {_first_cause(response.text)}")
            return response.json()
    except (requests.RequestException, ValueError) as error:
        raise NotReady(f"the JobManager's REST interface does not answer {path} ({type(error).__name__})") from error


def _first_cause(text: str) -> str:
    """The root of a Java stack trace inside an error's JSON."""
    causes = [line for line in text.replace("\\n", "\n").splitlines() if line.startswith("Caused by: ")]
    return (causes[-1] if causes else text)[:400]
