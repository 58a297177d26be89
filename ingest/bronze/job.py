"""The bronze job: plans Kafka to Iceberg with PyFlink and saves the plan to a file.

Runs in the Flink environment as ``python -m ingest.bronze.job SETTINGS PLAN``; the cluster's JobManager runs the plan
(java/wms/bronze/SavePlan.java says why that is not one step).
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ingest.bronze import statements

JOB_NAME = "bronze"


@dataclass(frozen=True)
class Settings:
    """What differs between stacks.

    bootstrap: Kafka's host:port. group: consumer group. catalog: options of the Iceberg catalog, without credentials.
    checkpoints: URI of the folder of checkpoints. checkpoint_seconds: how often the job commits.
    kafka: further properties of the Kafka client (TLS, SASL), also without credentials: Kafka resolves references to
    files itself. parallelism: slots that the job takes; each writes files of its own.
    """

    bootstrap: str
    group: str
    catalog: dict[str, str]
    checkpoints: str
    checkpoint_seconds: int
    kafka: dict[str, str] = field(default_factory=dict)
    parallelism: int = 1

    def to_json(self) -> str:
        """The text that ``from_json`` reads."""
        return json.dumps(asdict(self), indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The inverse of ``to_json``."""
        return cls(**json.loads(text))

    def flink(self) -> dict[str, str]:
        """The job's own Flink configuration."""
        return {
            "pipeline.name": JOB_NAME,
            # One slot writes one file for each touched table and checkpoint; two would write two, half as large.
            "parallelism.default": str(self.parallelism),
            # One chain from Kafka to the Parquet files hands records over without copying them.
            "pipeline.object-reuse": "true",
            # The committers (maximum parallelism 1) get threads of their own: in the chain, reading would stand still
            # while nine tables are committed one after the other.
            "pipeline.operator-chaining.chain-operators-with-different-max-parallelism": "false",
            # Equal parts of the inserts are planned once: without it each of the nine would parse every record.
            "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
            # Exactly once: one commit to Iceberg, and one of the consumer group's offsets, for each checkpoint.
            "execution.checkpointing.mode": "EXACTLY_ONCE",
            "execution.checkpointing.interval": f"{self.checkpoint_seconds} s",
            "execution.checkpointing.timeout": "2 min",
            "execution.checkpointing.dir": self.checkpoints,
            "execution.checkpointing.num-retained": "3",
            "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
            # A store that is away fails checkpoints; the job outlives that, and goes on when it is back.
            "execution.checkpointing.tolerable-failed-checkpoints": "1000000",
            "restart-strategy.type": "exponential-delay",
            "restart-strategy.exponential-delay.initial-backoff": "500 ms",
            "restart-strategy.exponential-delay.max-backoff": "10 s",
            "restart-strategy.exponential-delay.backoff-multiplier": "2",
            "restart-strategy.exponential-delay.jitter-factor": "0",
            "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
        }


def plan(settings: Settings, target: Path) -> None:
    """Plan the job and write it to ``target``."""
    from pyflink.common import Configuration  # only this environment has PyFlink
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    for key, value in {**settings.flink(), "execution.target": "plan", "mesh.plan-file": str(target)}.items():
        configuration.set_string(key, value)
    table_env = TableEnvironment.create(
        EnvironmentSettings.new_instance().in_streaming_mode().with_configuration(configuration).build()
    )
    catalog = ", ".join(f"'{key}' = '{value}'" for key, value in settings.catalog.items())
    table_env.execute_sql(f"create catalog {statements.CATALOG} with ({catalog})")
    table_env.execute_sql("create temporary function read_record as 'wms.bronze.ReadRecord'")
    table_env.execute_sql(statements.source(settings.bootstrap, settings.group, settings.kafka))
    table_env.execute_sql(statements.parsed())
    branches = table_env.create_statement_set()
    for insert in statements.inserts():
        branches.add_insert_sql(insert.sql())
    branches.execute()


if __name__ == "__main__":
    plan(Settings.from_json(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
