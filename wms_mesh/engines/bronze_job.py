"""Duty: exactly one bronze job runs, as this code defines it, from where the last one stopped.

A definition (SQL, tables, Java function, addresses, checkpoint interval) is planned once, into a folder named by its
fingerprint, which also holds its checkpoints. From there it is submitted again after a crash within a second, and an
old definition can still be restored when its code has changed:

    data/flink/job/current                      fingerprint of the definition that was submitted last
    data/flink/job/<fingerprint>/job.plan       what RunPlan runs
    data/flink/job/<fingerprint>/wms-bronze.jar its Java part
    data/flink/job/<fingerprint>/checkpoints/   Flink's; savepoints/ beside it
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from ingest.bronze import statements
from ingest.bronze.job import JOB_NAME, Settings
from ingest.bronze.tables import SCHEMA, ddl, tables
from wms_mesh import artifacts, environments, sql
from wms_mesh.engines import flink
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.engines.bronze_jar import jar
from wms_mesh.errors import MeshError
from wms_mesh.java import java
from wms_mesh.stack import REPO, Stack

log = logging.getLogger("bronze-job")

GROUP = "bronze"
_ENDED = ("FINISHED", "CANCELED", "FAILED", "SUSPENDED")
_PLAN_SECONDS = 180.0
_STOP_SECONDS = 120.0
_POLL = 0.2


@dataclass(frozen=True)
class Definition:
    """One planned definition of the job, in its folder."""

    folder: Path

    @property
    def fingerprint(self) -> str:
        """Equal for equal inputs of the plan."""
        return self.folder.name

    @property
    def plan(self) -> Path:
        """What RunPlan runs; it appears when planning succeeded."""
        return self.folder / "job.plan"

    @property
    def jar(self) -> Path:
        """The Java part that this plan was made with."""
        return self.folder / "wms-bronze.jar"

    @property
    def checkpoints(self) -> Path:
        """Where Flink writes this definition's checkpoints."""
        return self.folder / "checkpoints"

    @property
    def savepoints(self) -> Path:
        """Where this definition's job leaves its state when it is stopped."""
        return self.folder / "savepoints"

    def restore_point(self) -> Path | None:
        """The newest complete checkpoint or savepoint; None when the job never completed one.

        Only the newest will do: what came after an older one is committed to Iceberg already, and would come again.
        """
        complete = [*self.checkpoints.glob("*/chk-*/_metadata"), *self.savepoints.glob("*/_metadata")]
        return max(complete, key=lambda path: path.stat().st_mtime_ns).parent if complete else None

    def forget_others(self, kept: Path) -> None:
        """Remove every checkpoint but one: each job that ended left its last three."""
        for folder in self.checkpoints.glob("*/chk-*"):
            if folder != kept:
                shutil.rmtree(folder)

    def forget_state(self) -> None:
        """Remove checkpoints and savepoints of an earlier time when this definition ran."""
        for folder in (self.checkpoints, self.savepoints):
            shutil.rmtree(folder, ignore_errors=True)


class BronzeJob(Duty):
    """Plans, submits, restores and replaces the job."""

    name = "bronze-job"
    needs = ("flink-jobmanager", "flink-taskmanager", "bronze-tables", "kafka", "topics")

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.submitted_seconds: float | None = None

    # -- the duty

    def ensure(self) -> None:
        wanted = self._planned()
        current = self._current()
        running = self._running()
        for surplus in running[1:]:
            log.warning("a second job %s is cancelled", surplus)
            self._cancel(surplus)
        if running and current == wanted:
            if self._checkpoint_age(running[0]) is None:
                self._checkpoint(running[0])
            return
        if current is None or current == wanted:
            if current is None:
                for foreign in running:
                    raise MeshError(f"Job {foreign} was not submitted by this stack: cancel it in Flink's dashboard.")
            if current is None or current.restore_point() is None:
                self._start_afresh(wanted)
            else:
                self._submit(wanted, wanted.restore_point())
        else:
            job = running[0] if running else self._submit(current, current.restore_point())
            self._stop(current, job)
            self._start_afresh(wanted)

    def check(self) -> None:
        jobs = [job for job in self._jobs() if job["state"] not in _ENDED]
        if not jobs:
            # Not NotReady: a JobManager that died before the job was ready has forgotten it; waiting brings nothing.
            raise MeshError("the JobManager has no bronze job")
        if len(jobs) > 1:
            raise NotReady(f"{len(jobs)} bronze jobs run, not one")
        if jobs[0]["state"] != "RUNNING":
            raise NotReady(f"the job is {jobs[0]['state']}")
        tasks = jobs[0]["tasks"]
        if tasks["running"] != tasks["total"]:
            raise NotReady(f"{tasks['running']} of {tasks['total']} tasks of the job run")
        age = self._checkpoint_age(jobs[0]["jid"])
        if age is None:
            raise NotReady("no checkpoint completed since the job was started or restored")
        limit = max(60.0, 6.0 * self.stack.checkpoint_seconds)
        if age > limit:
            raise NotReady(f"the last completed checkpoint is {age:.0f} s old")

    def detail(self) -> dict[str, object]:
        running = self._running()
        if not running:
            return {}
        age = self._checkpoint_age(running[0])
        return {
            "job": running[0],
            "restarts": self.restarts(running[0]),
            "checkpoint_age_seconds": None if age is None else round(age, 1),
            "submit_seconds": self.submitted_seconds,
        }

    # -- the definition and its plan

    def _settings(self, checkpoints: Path) -> Settings:
        stack = self.stack
        return Settings(
            bootstrap=stack.address("kafka"),
            group=GROUP,
            catalog={
                "type": "iceberg",
                "catalog-type": "hive",
                "uri": f"thrift://{stack.address('metastore')}",
                "warehouse": "s3://wms-bronze/",
                "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
                "s3.endpoint": stack.url("s3"),
                "s3.path-style-access": "true",
                "client.region": "us-east-1",
                # The tables are loaded for each commit: a cached one would only be refreshed anyway.
                "cache-enabled": "false",
            },
            checkpoints=f"file://{checkpoints}",
            checkpoint_seconds=stack.checkpoint_seconds,
        )

    def _planned(self) -> Definition:
        """The definition that this code stands for, planned when it is new (about 10 s)."""
        home = flink.pyflink_home()
        function = jar(self.stack, home)
        inputs = [
            self._settings(Path("/")).to_json(),
            self._settings(Path("/")).flink(),
            statements.source("", ""),
            statements.parsed(),
            [insert.sql() for insert in statements.inserts()],
            [ddl(table) for table in tables()],
            function.name,
            [path.name for path in flink.runtime_jars()],
        ]
        fingerprint = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:12]
        definition = Definition(self._folder() / fingerprint)
        if not definition.plan.exists():
            definition.folder.mkdir(exist_ok=True)
            shutil.copyfile(function, definition.jar)
            self._plan(definition, home)
        return definition

    def _plan(self, definition: Definition, home: Path) -> None:
        conf = flink.configure(self.stack)
        settings = definition.folder / "settings.json"
        settings.write_text(self._settings(definition.checkpoints).to_json(), encoding="utf-8")
        fresh = definition.plan.with_suffix(".new")
        log_file = self.stack.log(self.name)
        started = time.monotonic()
        with log_file.open("ab") as out:
            done = subprocess.run(
                [str(environments.python("flink")), "-m", "ingest.bronze.job", str(settings), str(fresh)],
                cwd=definition.folder,
                env={
                    **os.environ,
                    **flink.credentials(self.stack),
                    "PYTHONPATH": str(REPO),
                    "JAVA_HOME": str(java(17).parent.parent),
                    "FLINK_HOME": str(home),
                    "FLINK_CONF_DIR": str(conf),
                    "LOG4J_PROPERTIES": str(conf / "log4j.properties"),
                    "HADOOP_CLASSPATH": ":".join(map(str, [*artifacts.jars("flink"), definition.jar])),
                    # The planner lives for seconds: compile little, collect simply.
                    "FLINK_ENV_JAVA_OPTS": " ".join(
                        [*flink.MODULE_FLAGS, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"]
                    ),
                },
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=_PLAN_SECONDS,
                check=False,
            )
        if done.returncode != 0 or not fresh.exists():
            raise MeshError(f"The bronze job could not be planned: see the end of {log_file}.")
        fresh.replace(definition.plan)
        log.info("planned %s in %.1f s", definition.fingerprint, time.monotonic() - started)

    def _folder(self) -> Path:
        folder = self.stack.data("flink") / "job"
        folder.mkdir(exist_ok=True)
        return folder

    def _current(self) -> Definition | None:
        path = self._folder() / "current"
        return Definition(self._folder() / path.read_text(encoding="utf-8")) if path.exists() else None

    def _make_current(self, definition: Definition) -> None:
        fresh = self._folder() / "current.new"
        fresh.write_text(definition.fingerprint, encoding="utf-8")
        fresh.replace(self._folder() / "current")

    # -- starting and stopping

    def _start_afresh(self, definition: Definition) -> None:
        """Start without state, behind what the tables hold. Cut off anywhere, the next ``ensure`` repeats it."""
        self._set_positions()
        definition.forget_state()
        self._make_current(definition)
        self._submit(definition, None)
        for old in self._folder().iterdir():
            if old.is_dir() and old != definition.folder:
                shutil.rmtree(old)

    def _submit(self, definition: Definition, restore: Path | None) -> str:
        """Have the JobManager run the plan; returns the job's id."""
        started = time.monotonic()
        with definition.jar.open("rb") as file:
            uploaded = flink.call(
                self.stack,
                "POST",
                "/jars/upload",
                files={"jarfile": (definition.jar.name, file, "application/x-java-archive")},
            )
        jar_id = Path(str(uploaded["filename"])).name
        request: dict[str, Any] = {"entryClass": "wms.bronze.RunPlan", "programArgsList": [str(definition.plan)]}
        if restore is not None:
            definition.forget_others(restore)
            request["savepointPath"] = f"file://{restore}"
        try:
            job = str(flink.call(self.stack, "POST", f"/jars/{jar_id}/run", json=request)["jobid"])
        finally:
            flink.call(self.stack, "DELETE", f"/jars/{jar_id}")
        self.submitted_seconds = round(time.monotonic() - started, 1)
        self._checkpoint(job)
        log.info("submitted %s as %s from %s in %.1f s", definition.fingerprint, job, restore, self.submitted_seconds)
        return job

    def _checkpoint(self, job: str) -> None:
        """Have the first checkpoint after a start or a restore at once: the job is ready when it completed."""
        self._await(f"the tasks of job {job} run", lambda: self._tasks_run(job))
        flink.call(self.stack, "POST", f"/jobs/{job}/checkpoints", json={"checkpointType": "FULL"})

    def _stop(self, definition: Definition, job: str) -> None:
        """Stop with a savepoint: all that the job read is then committed to Iceberg."""
        self._await(f"the tasks of job {job} run", lambda: self._tasks_run(job))
        definition.savepoints.mkdir(exist_ok=True)
        request = {"targetDirectory": f"file://{definition.savepoints}", "drain": False}
        trigger = flink.call(self.stack, "POST", f"/jobs/{job}/stop", json=request)["request-id"]
        operation: dict[str, Any] = {}

        def ended() -> bool:
            operation.update(flink.call(self.stack, "GET", f"/jobs/{job}/savepoints/{trigger}"))
            return bool(operation["status"]["id"] == "COMPLETED")

        self._await(f"job {job} writes its savepoint", ended)
        if "failure-cause" in operation.get("operation", {}):
            raise NotReady(f"the job could not be stopped: {operation['operation']['failure-cause'].get('class', '')}")
        self._await(f"job {job} ends", lambda: self._state(job) == "FINISHED")

    def _set_positions(self) -> None:
        """Set the consumer group behind the last record of each partition that a table holds.

        The group's own offsets may lie behind: Flink sends them without waiting. They lie ahead where retention
        took the newest rows of a partition; then they are kept.
        """
        rows = sql.query(self.stack, POSITIONS)
        positions = {TopicPartition(topic, partition): last + 1 for topic, partition, last in rows}
        if not positions:
            return
        consumer = KafkaConsumer(
            bootstrap_servers=self.stack.address("kafka"), group_id=GROUP, enable_auto_commit=False
        )
        try:
            known = {at for at in positions if at.partition in (consumer.partitions_for_topic(at.topic) or ())}
            consumer.assign(list(known))
            ahead = {at: max(positions[at], consumer.committed(at) or 0) for at in known}
            consumer.commit({at: OffsetAndMetadata(offset, "", -1) for at, offset in ahead.items()})
        finally:
            consumer.close(autocommit=False)
        log.info("%d partitions start behind the tables' last offsets", len(known))

    def _cancel(self, job: str) -> None:
        flink.call(self.stack, "PATCH", f"/jobs/{job}?mode=cancel")
        self._await(f"job {job} is cancelled", lambda: self._state(job) in _ENDED)

    # -- what Flink says

    def _jobs(self) -> list[dict[str, Any]]:
        jobs = flink.call(self.stack, "GET", "/jobs/overview")["jobs"]
        return [job for job in jobs if job["name"] == JOB_NAME]

    def _running(self) -> list[str]:
        """Ids of the jobs that have not ended, the oldest first."""
        jobs = sorted(self._jobs(), key=lambda job: int(job["start-time"]))
        return [str(job["jid"]) for job in jobs if job["state"] not in _ENDED]

    def _state(self, job: str) -> str:
        state = str(flink.call(self.stack, "GET", f"/jobs/{job}")["state"])
        if state == "FAILED":
            raise NotReady(f"job {job} failed: see {self.stack.log('flink-jobmanager')}")
        return state

    def _tasks_run(self, job: str) -> bool:
        vertices = flink.call(self.stack, "GET", f"/jobs/{job}")["vertices"]
        return self._state(job) == "RUNNING" and all(vertex["status"] == "RUNNING" for vertex in vertices)

    def newest_checkpoint(self) -> float | None:
        """When the newest completed checkpoint was triggered, seconds since the epoch; None when no job has one yet."""
        running = self._running()
        return self._triggered(running[0]) if running else None

    def _checkpoint_age(self, job: str) -> float | None:
        triggered = self._triggered(job)
        return None if triggered is None else time.time() - triggered

    def _triggered(self, job: str) -> float | None:
        """When the newest completed checkpoint was triggered; None when there is none since a restore."""
        latest = flink.call(self.stack, "GET", f"/jobs/{job}/checkpoints")["latest"]
        completed, restored = latest["completed"], latest["restored"]
        if completed is None or (restored and completed["trigger_timestamp"] < restored["restore_timestamp"]):
            return None
        return float(completed["trigger_timestamp"]) / 1000.0

    def restarts(self, job: str) -> int:
        """How often Flink restarted this job."""
        values = flink.call(self.stack, "GET", f"/jobs/{job}/metrics?get=numRestarts")
        return int(float(values[0]["value"])) if values else 0

    def _await(self, what: str, condition: Any) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise NotReady(f"waited {_STOP_SECONDS:.0f} s, but not yet: {what}")
            time.sleep(_POLL)


# One scan of three small columns; it runs when a definition starts afresh, never on a restart.
POSITIONS = (
    "select kafka_topic, kafka_partition, max(kafka_offset) from ("
    + " union all ".join(
        f"select kafka_topic, kafka_partition, kafka_offset from iceberg.{SCHEMA}.{table.name}" for table in tables()
    )
    + ") group by 1, 2"
)
