"""The images: pinned, not root, and with nothing in them that the locks do not name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from wms_mesh.errors import MeshError
from wms_mesh.infra import image_parts
from wms_mesh.infra.facts import CHART
from wms_mesh.stack import REPO

IMAGES = REPO / "infra" / "images"
DOCKERFILES = sorted(IMAGES.glob("*/Dockerfile"))
each = pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.parent.name)


def instructions(file: Path) -> list[tuple[str, str]]:
    """Name and text of each, continued lines joined and comments gone."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(name, text) for name, _, text in (line.partition(" ") for line in joined.splitlines() if line.strip())]


@each
def test_every_base_is_an_exact_version(file: Path) -> None:
    arguments = dict(text.split("=", 1) for name, text in instructions(file) if name == "ARG")
    bases = [text.split(" AS ")[0].strip("${}") for name, text in instructions(file) if name == "FROM"]
    for base in bases:
        image = arguments[base]
        assert re.fullmatch(r"[\w./-]+:\d[\w.-]*\d[\w.-]*(@sha256:[0-9a-f]{64})?", image), image


@each
def test_nobody_runs_as_root(file: Path) -> None:
    """The last stage ends with a number: Kubernetes cannot tell that a name is not root."""
    last = max(at for at, (name, _) in enumerate(instructions(file)) if name == "FROM")
    users = [text for name, text in instructions(file)[last:] if name == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1])


@each
def test_nothing_is_fetched_past_the_locks(file: Path) -> None:
    for name, text in instructions(file):
        assert name != "ADD"
        if name == "RUN":
            assert not re.search(r"\b(curl|wget|pip3? install|apt(-get)? install|npm)\b", text), text


@each
def test_what_is_copied_exists_and_is_let_into_the_build(file: Path) -> None:
    """Docker would fail, but only for whoever builds."""
    allowed = [line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name, text in instructions(file):
        if name != "COPY" or "--from=" in text:
            continue
        sources = [word for word in text.split() if not word.startswith("--")][:-1]
        for source in sources:
            assert list(REPO.glob(source)), source
            assert any(source == one or source.startswith(f"{one}/") for one in allowed), source


@each
def test_the_tag_in_the_head_is_the_one_that_the_chart_pulls(file: Path) -> None:
    image = yaml.safe_load((CHART / "values.yaml").read_text())["images"][file.parent.name]
    assert f"--tag {image['repository']}:{image['tag']} ." in file.read_text()


def test_every_image_that_the_chart_wants_of_us_has_a_dockerfile() -> None:
    images = yaml.safe_load((CHART / "values.yaml").read_text())["images"]
    ours = {name for name, image in images.items() if image["repository"].startswith("wms-mesh/")}
    assert ours == {file.parent.name for file in DOCKERFILES}


def test_the_users_are_those_that_the_chart_runs_them_as() -> None:
    def number(name: str) -> str:
        users = [text for instruction, text in instructions(IMAGES / name / "Dockerfile") if instruction == "USER"]
        return users[-1].split(":")[0]

    templates = CHART / "templates"
    for name, template in (("mesh", "refresher.yaml"), ("metastore", "metastore.yaml"), ("flink", "_helpers.tpl")):
        assert f'"mesh.podSecurity" {number(name)}' in (templates / template).read_text(), name


def test_an_unknown_image_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="connect, flink, metastore"):
        image_parts.main(["conect", str(tmp_path)])
