"""What the helmfile says, and the manifests of our own releases."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wms_mesh.errors import MeshError
from wms_mesh.infra import tools
from wms_mesh.infra.facts import HELM

ENVIRONMENTS = ("dev", "prod")
_OWN = "./"
Document = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """One release of infra/helm/helmfile.yaml; ``needs`` are `namespace/name` of other releases."""

    name: str
    component: str
    namespace: str
    chart: str
    version: str
    needs: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def is_ours(self) -> bool:
        """Whether it is one of our own chart."""
        return self.chart.startswith(_OWN)

    @property
    def folder(self) -> Path:
        """The folder of its values."""
        return HELM / "values" / self.name

    def files(self, environment: str) -> list[Path]:
        """Its files of values, the later ones over the earlier."""
        return [HELM / value.replace("{{ .Environment.Name }}", environment) for value in self.values]


def helmfile() -> dict[str, Any]:
    """The file as it stands, its two parts in one: helmfile itself wants environments and releases apart."""
    parts = yaml.safe_load_all((HELM / "helmfile.yaml").read_text(encoding="utf-8"))
    return {key: value for part in parts for key, value in part.items()}


def releases() -> tuple[Release, ...]:
    """Every release, in the file's order."""
    return tuple(
        Release(
            name=one["name"],
            component=one["labels"]["component"],
            namespace=one["namespace"],
            chart=one["chart"],
            version=one["version"],
            needs=tuple(one["needs"]),
            values=tuple(one["values"]),
        )
        for one in helmfile()["releases"]
    )


@cache
def rendered(environment: str) -> tuple[Document, ...]:
    """The manifests of all our own releases in one environment.

    Raises MeshError with helm's words when one cannot be rendered.
    """
    return tuple(document for release in releases() if release.is_ours for document in template(release, environment))


def template(release: Release, environment: str, *more: str) -> list[Document]:
    """The manifests of one release of our chart; ``more`` are further arguments for helm."""
    values = [argument for file in release.files(environment) for argument in ("--values", str(file))]
    return render(release.name, "--namespace", release.namespace, *values, *more)


def render(name: str, *arguments: str) -> list[Document]:
    """`helm template` of our chart. Raises MeshError with helm's words when that fails."""
    done = subprocess.run(
        [str(tools.helm()), "template", name, str(HELM / "charts" / "wms-mesh"), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise MeshError(f"helm cannot render {name}: {done.stderr.strip()[-800:]}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]
