"""Settings of a stack: nothing unusable gets in, nothing secret gets out."""

from __future__ import annotations

from pathlib import Path

import pytest

from wms_mesh.errors import MeshError
from wms_mesh.lifecycle import _remember
from wms_mesh.stack import PORTS, Stack


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MESH_PORT_BASE", "80"),
        ("MESH_PORT_BASE", "abc"),
        ("MESH_CHECKPOINT_SECONDS", "0"),
        ("MESH_NAMING", "kebab-case"),
        ("MESH_MONITORING", "yes"),
        ("MESH_SECURE", "yes"),
    ],
)
def test_unusable_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(MeshError, match=name):
        Stack.from_env({name: value})


def test_two_stacks_share_no_port() -> None:
    one, other = Stack.from_env({}), Stack.from_env({"MESH_PORT_BASE": str(28000 + len(PORTS))})
    assert not {one.port(name) for name in PORTS} & {other.port(name) for name in PORTS}


def test_secret_readable_by_others_or_changed_at_the_second_start(tmp_path: Path) -> None:
    stack = Stack.from_env({"MESH_HOME": str(tmp_path)})
    first = stack.secret("postgres-password")
    assert stack.secret("postgres-password") == first
    assert len(first) >= 32
    assert (tmp_path / "secrets" / "postgres-password").stat().st_mode & 0o777 == 0o600


def test_later_command_does_not_find_a_secure_stack(tmp_path: Path) -> None:
    home = {"MESH_HOME": str(tmp_path)}
    _remember(Stack.from_env(home | {"MESH_SECURE": "1"}))
    assert Stack.from_env(home).secure
    assert Stack.from_env(home).url("trino").startswith("https://")
    _remember(Stack.from_env(home | {"MESH_SECURE": "0"}))
    assert not Stack.from_env(home).secure
    assert Stack.from_env(home).url("trino").startswith("http://")
