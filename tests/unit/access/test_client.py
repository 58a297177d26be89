"""Users of a secure stack: each with a password of its own, none in the clear where Trino reads it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from wms_mesh.access import client
from wms_mesh.access.roles import USERS
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.from_env({"MESH_HOME": str(tmp_path), "MESH_SECURE": "1"})


def test_password_stands_in_the_file_or_fits_another_user(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ITERATIONS", 1000)
    hashed = client.hashed(stack)
    assert set(hashed) == set(USERS)
    for user, line in hashed.items():
        iterations, salt, digest = line.split(":")
        assert client.password(stack, user) not in line
        for other in USERS:
            word = client.password(stack, other).encode()
            fits = hashlib.pbkdf2_hmac("sha1", word, bytes.fromhex(salt), int(iterations), 32).hex() == digest
            assert fits == (other == user)


def test_unknown_user_gets_a_password(stack: Stack) -> None:
    with pytest.raises(MeshError, match=re.escape("'somebody'")):
        client.arguments(stack, "somebody")


def test_plain_stack_asks_for_a_certificate(tmp_path: Path) -> None:
    plain = Stack.from_env({"MESH_HOME": str(tmp_path)})
    assert client.arguments(plain) == {"host": "127.0.0.1", "port": plain.port("trino"), "user": "mesh"}
    assert client.verify(plain) is True
    assert not list(tmp_path.iterdir())
