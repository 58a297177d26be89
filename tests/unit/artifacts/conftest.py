"""A repository for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.artifacts.repository import Repository, serving


@pytest.fixture
def repository() -> Iterator[Repository]:
    with serving() as started:
        yield started
