"""The stack's object store over plain signed HTTP: enough to make buckets and to prove that it stores."""

from __future__ import annotations

import requests
from requests_aws4auth import AWS4Auth

from wms_mesh.stack import Stack

REGION = "us-east-1"
BUCKETS = ("wms-bronze", "wms-silver", "wms-gold")


def request(stack: Stack, method: str, path: str, body: bytes = b"") -> requests.Response:
    """One signed request; ``path`` is ``bucket`` or ``bucket/key``, path style.

    Raises requests.RequestException when the store does not answer, or answers with an error.
    """
    auth = AWS4Auth(stack.secret("s3-access-key"), stack.secret("s3-secret-key"), REGION, "s3")
    response = requests.request(method, f"{stack.url('s3')}/{path}", data=body, auth=auth, timeout=10)
    response.raise_for_status()
    return response
