"""The scripts, with a kubectl and a helm that write down what they are told and answer from a file."""

from __future__ import annotations

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from wms_mesh.infra import releases, tools
from wms_mesh.infra.facts import HELM
from wms_mesh.stack import REPO

SCRIPTS = REPO / "infra" / "scripts"
SHELL = sorted([*SCRIPTS.glob("*.sh"), *(REPO / "infra" / "images").glob("*/*.sh"), REPO / "mesh"])

# Writes its arguments down, then looks for the first line of the answers whose words are all among them.
FAKE = """#!/usr/bin/env bash
printf '%s' "$(basename "$0")" >>"$FAKE_LOG"
printf ' %q' "$@" >>"$FAKE_LOG"
printf '\\n' >>"$FAKE_LOG"
while IFS='|' read -r words code answer; do
    found=yes
    for word in $words; do
        case " $(basename "$0") $* " in *"$word"*) ;; *) found= ;; esac
    done
    if [ -n "$found" ]; then
        printf '%b' "$answer"
        exit "$code"
    fi
done <"$FAKE_ANSWERS"
"""


@dataclass
class World:
    """A folder with the fakes. ``answers``: lines of `words|exit code|output`."""

    folder: Path
    answers: str = ""

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "answers").write_text(self.answers)
        return subprocess.run(
            [str(SCRIPTS / script), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": f"{self.folder}:{os.environ['PATH']}",
                "FAKE_LOG": str(self.folder / "log"),
                "FAKE_ANSWERS": str(self.folder / "answers"),
            },
        )

    def calls(self, program: str) -> list[list[str]]:
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [shlex.split(line)[1:] for line in lines if line.startswith(f"{program} ")]

    def deployed(self) -> list[str]:
        return [call[2] for call in self.calls("helm") if call[0] == "upgrade"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text(FAKE)
        (tmp_path / name).chmod(0o755)
    return World(tmp_path)


def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run(
        [str(tools.shellcheck()), "--severity=style", "--external-sources", *map(str, SHELL)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_script_reads_the_helmfile_as_a_yaml_parser_does(world: World) -> None:
    listed = [line.split("\t") for line in world.run("deploy-data-mesh.sh", "--list").stdout.splitlines()]
    assert listed == [
        [one.component, one.name, one.namespace, one.chart, one.version, ",".join(one.needs) or "-"]
        for one in releases.releases()
    ]


def test_everything_is_deployed_in_order_and_waited_for(world: World) -> None:
    done = world.run("deploy-data-mesh.sh", "--environment", "prod")
    assert done.returncode == 0, done.stderr
    assert world.deployed() == [one.name for one in releases.releases()]
    upgrades = [call for call in world.calls("helm") if call[0] == "upgrade"]
    assert all("--wait" in call and "--wait-for-jobs" in call for call in upgrades)
    for call, one in zip(upgrades, releases.releases(), strict=True):
        given = [str(HELM / call[at + 1]) for at, word in enumerate(call) if word == "--values"]
        assert given == [str(file) for file in one.files("prod")]
        assert all(Path(file).is_file() for file in given)
        assert call[call.index("--namespace") + 1] == one.namespace
        assert one.is_ours or call[call.index("--version") + 1] == one.version


def test_charts_come_from_the_repositories_of_the_helmfile(world: World) -> None:
    world.run("deploy-data-mesh.sh")
    added = {call[-2]: call[-1] for call in world.calls("helm") if call[:2] == ["repo", "add"]}
    assert added == {one["name"]: one["url"] for one in releases.helmfile()["repositories"]}


@pytest.mark.parametrize("component", ["minio", "trino", "debezium", "flink", "openmetadata"])
def test_one_component_is_deployed_and_nothing_else(world: World, component: str) -> None:
    assert world.run("deploy-data-mesh.sh", component).returncode == 0
    assert world.deployed() == [one.name for one in releases.releases() if one.component == component]


def test_a_dry_run_changes_nothing(world: World) -> None:
    done = world.run("deploy-data-mesh.sh", "--dry-run")
    assert done.returncode == 0
    assert "nothing was changed" in done.stdout
    changing = [call for call in world.calls("helm") if call[0] != "repo" and "--dry-run=client" not in call]
    assert changing == []
    assert {call[0] for call in world.calls("kubectl")} <= {"version", "get", "config"}


def test_custom_resources_are_waited_for_too(world: World) -> None:
    """Helm 3 is content when a FlinkDeployment is stored; its job may never run."""
    world.run("deploy-data-mesh.sh", "debezium", "flink")
    waits = [" ".join(call) for call in world.calls("kubectl") if call[0] == "wait"]
    assert any("kafkatopic,kafkauser" in wait for wait in waits)
    assert any("kafkaconnect,kafkaconnector" in wait for wait in waits)
    assert any("flinkdeployment/bronze" in wait for wait in waits)


def test_what_failed_is_said_with_how_to_look_and_what_comes_after_is_not_tried(world: World) -> None:
    world.answers = (
        "helm upgrade metastore|1|\n"
        "kubectl get pods data-mesh|0|metastore-1 0/1 CrashLoopBackOff 3 2m\\npostgres-0 1/1 Running 0 2m\\n\n"
    )
    done = world.run("deploy-data-mesh.sh")
    assert done.returncode == 1
    assert "metastore failed" in done.stderr
    assert "CrashLoopBackOff" in done.stderr
    assert "postgres-0" not in done.stderr
    assert "kubectl describe pods --namespace data-mesh" in done.stderr
    assert world.deployed()[-1] == "metastore"


def test_a_custom_resource_that_does_not_get_ready_is_a_failure(world: World) -> None:
    world.answers = "kubectl wait flinkdeployment/bronze|1|\n"
    done = world.run("deploy-data-mesh.sh", "flink", "refresher")
    assert done.returncode == 1
    assert "kubectl describe flinkdeployment bronze" in done.stderr
    assert world.deployed() == ["flink"]


@pytest.mark.parametrize(
    ("arguments", "answers", "said"),
    [
        (["mino"], "", "There is no component 'mino': choose from platform"),
        (["--environment", "staging"], "", "There is no environment 'staging'"),
        (["--dryrun"], "", "There is no option --dryrun"),
        ([], "kubectl version|1|\n", "kubectl reaches no cluster"),
        ([], "kubectl crd externalsecrets|1|\n", "has no External Secrets"),
    ],
)
def test_a_wrong_word_or_a_missing_cluster_is_named_before_anything_is_done(
    world: World, arguments: list[str], answers: str, said: str
) -> None:
    world.answers = answers
    done = world.run("deploy-data-mesh.sh", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert world.calls("helm") == []


@pytest.mark.parametrize("script", ["deploy-data-mesh.sh", "setup-connectors.sh"])
def test_help_is_there_without_a_cluster(world: World, script: str) -> None:
    world.answers = "kubectl|1|\n"
    done = world.run(script, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: {script}")


WELL = """kubectl get kafkaconnector connectorStatus|0|mongodb-cdc-connector\\tRUNNING\\tRUNNING\\n
kubectl get kafkaconnector conditions|0|mongodb-cdc-connector\\tTrue\\t\\n
kubectl get kafkaconnect conditions|0|wms-kafka\\tTrue\\t\\n
kubectl get kafkatopic conditions|0|cdc.wms.orders\\tTrue\\t\\ncdc.wms.waves\\tTrue\\t\\n
kubectl get kafkauser conditions|0|bronze\\tTrue\\t\\n
kubectl get pods KafkaConnect|0|pod/wms-kafka-connect-0\\npod/wms-kafka-connect-1\\n
kubectl exec connect-0 metrics|0|debezium_mongodb_streaming_seconds_behind_source{server="cdc",task="0"} 1.25\\n
kubectl exec connect-1 metrics|0|jvm_info 1\\n
kubectl get flinkdeployment|0|RUNNING
"""


def test_a_chain_that_is_well_is_said_to_be(world: World) -> None:
    world.answers = WELL
    done = world.run("setup-connectors.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 topics ready" in done.stdout
    assert "capture is 1 s behind MongoDB" in done.stdout


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (
            "kubectl get kafkaconnector connectorStatus|0|mongodb-cdc-connector\\tRUNNING\\tFAILED\\n",
            "a task of connector mongodb-cdc-connector is FAILED",
        ),
        (
            "kubectl get kafkaconnector connectorStatus|0|mongodb-cdc-connector\\tPAUSED\\tRUNNING\\n",
            "connector mongodb-cdc-connector is PAUSED",
        ),
        (
            "kubectl get kafkaconnector connectorStatus|0|mongodb-cdc-connector\\tRUNNING\\t\\n",
            "connector mongodb-cdc-connector has no task",
        ),
        ("kubectl get kafkaconnector conditions|0|", "there is no connector"),
        (
            "kubectl get kafkaconnect conditions|0|wms-kafka\\tFalse\\tno such image\\n",
            "Connect cluster wms-kafka is not ready: no such image",
        ),
        ("kubectl get kafkatopic conditions|0|cdc.wms.orders\\tFalse\\t\\n", "topic cdc.wms.orders is not ready"),
        ("kubectl get kafkauser conditions|0|bronze\\t\\t\\n", "user bronze is not ready"),
        ("kubectl exec metrics|0|jvm_info 1\\n", "no worker tells how far behind"),
        (
            'kubectl exec connect-0 metrics|0|debezium_mongodb_streaming_seconds_behind_source{task="0"} 61.0\\n',
            "capture is 61 s behind MongoDB, 60 are allowed",
        ),
        ("kubectl get flinkdeployment|0|RESTARTING", "the bronze job is RESTARTING"),
        ("kubectl get flinkdeployment|0|", "the bronze job is not there"),
    ],
)
def test_each_thing_that_is_not_well_is_found_and_named(world: World, broken: str, said: str) -> None:
    world.answers = f"{broken}\n{WELL}"
    done = world.run("setup-connectors.sh")
    assert done.returncode == 1
    assert said in done.stdout
    assert "look: " in done.stdout


def test_the_check_of_the_connectors_changes_nothing(world: World) -> None:
    world.answers = WELL
    world.run("setup-connectors.sh")
    assert {call[0] for call in world.calls("kubectl")} <= {"version", "get", "exec"}
    assert world.calls("helm") == []
