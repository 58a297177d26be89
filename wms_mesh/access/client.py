"""How one connects to the embedded Trino: plainly, or with TLS and a user's password on a secure stack."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
from pathlib import Path
from typing import Any

import requests
import trino.auth

from wms_mesh.access.roles import USERS, Service
from wms_mesh.errors import MeshError
from wms_mesh.java import java
from wms_mesh.stack import LOOPBACK, Stack

PLAIN_USER = "mesh"  # of a stack that asks nobody who they are
_ITERATIONS = (
    100_000  # of the stored passwords' hash; Trino keeps the answer for a while, so it is not paid for each query
)
_WORD = "MESH_KEY_STORE_PASSWORD"
_VALID_DAYS = 3650  # the certificate is the stack's own, and goes with its folder


def arguments(stack: Stack, user: str | None = None) -> dict[str, Any]:
    """What ``trino.dbapi.connect`` needs. user: the command line's own when it is None.

    Raises MeshError for a user that a secure stack does not have.
    """
    if not stack.secure:
        return {"host": LOOPBACK, "port": stack.port("trino"), "user": user or PLAIN_USER}
    name = user or Service.MAINTAINER.user
    return {
        "host": LOOPBACK,
        "port": stack.port("trino"),
        "user": name,
        "http_scheme": "https",
        "auth": trino.auth.BasicAuthentication(name, password(stack, name)),
        "http_session": _session(stack),
    }


def _session(stack: Stack) -> requests.Session:
    """REQUESTS_CA_BUNDLE, where somebody has set it, would win over the stack's own certificate."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(certificate(stack))
    return session


def verify(stack: Stack) -> str | bool:
    """What ``requests`` needs to trust the stack's Trino."""
    return str(certificate(stack)) if stack.secure else True


def password(stack: Stack, user: str) -> str:
    """A user's password. Raises MeshError for a user that there is not."""
    if user not in USERS:
        raise MeshError(f"There is no user '{user}': choose from {', '.join(USERS)}.")
    return stack.secret(_secret(user))


def password_file(stack: Stack, user: str) -> Path:
    """The file that holds a user's password, for programs that read one."""
    password(stack, user)
    return stack.home / "secrets" / _secret(user)


def hashed(stack: Stack) -> dict[str, str]:
    """Every user's password as Trino's password file has it: PBKDF2 with SHA-1, the only one that it knows besides
    bcrypt; of 160 random bits nobody guesses either.
    """

    def one(user: str) -> str:
        salt = secrets.token_bytes(16)
        digest = hashlib.pbkdf2_hmac("sha1", password(stack, user).encode(), salt, _ITERATIONS, 32)
        return f"{_ITERATIONS}:{salt.hex()}:{digest.hex()}"

    return {user: one(user) for user in USERS}


def certificate(stack: Stack) -> Path:
    """The certificate that clients trust, in PEM; made with its key at the first start."""
    path = stack.home / "secrets" / "trino.pem"
    if not path.exists():
        _make(stack, path)
    return path


def key_store(stack: Stack) -> Path:
    """The certificate with its key, in PKCS12, under the password ``trino-key-store``."""
    certificate(stack)
    return stack.home / "secrets" / "trino.p12"


def _secret(user: str) -> str:
    return f"trino-{user}"


def _make(stack: Stack, path: Path) -> None:
    word = stack.secret("trino-key-store")  # makes the folder, too
    store = path.with_suffix(".p12")
    store.unlink(missing_ok=True)  # of a start that was cut off
    access = ("-alias", "trino", "-keystore", str(store), "-storetype", "PKCS12", "-storepass:env", _WORD)
    kind = ("-keyalg", "EC", "-groupname", "secp256r1", "-validity", str(_VALID_DAYS), "-dname", "CN=wms-mesh")
    extensions = ("-ext", f"SAN=IP:{LOOPBACK},DNS:localhost", "-ext", "BC:critical=ca:true")
    _keytool(word, "-genkeypair", *access, *kind, *extensions)
    store.chmod(0o600)
    fresh = path.with_suffix(".new")
    _keytool(word, "-exportcert", "-rfc", *access, "-file", str(fresh))
    fresh.rename(path)


def _keytool(word: str, *options: str) -> None:
    """keytool comes with every Java. The password goes by a variable: everybody may read a command line."""
    done = subprocess.run(
        [str(java(25).with_name("keytool")), *options],
        env={**os.environ, _WORD: word},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise MeshError(f"Trino's certificate cannot be made: {(done.stdout or done.stderr).strip()[:400]}")
