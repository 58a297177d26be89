"""At the common point: what is an error, what was on its way, what changed later."""

from __future__ import annotations

from pathlib import Path

import bson
import pytest

from ingest.collections import COLLECTIONS
from wms_mesh import reconcile
from wms_mesh.reconcile import SILVER
from wms_mesh.slo.judge import Judgement, judge, unjudged
from wms_mesh.slo.look import Look
from wms_mesh.stack import Stack

WAVES = next(one for one in COLLECTIONS if one.name == "waves")
COLUMNS = [column.name for column in SILVER["waves"][1]]


def document(status: str) -> bytes:
    return bson.encode({"wave_id": "W-1", "status": status})


def row(status: str) -> list[str | None]:
    return [{"wave_id": "W-1", "status": status}.get(name) for name in COLUMNS]


@pytest.mark.parametrize(
    ("before", "after", "in_silver", "expected"),
    [
        (document("open"), document("open"), row("open"), Judgement(agreeing=8)),
        (document("open"), document("open"), row("draft"), Judgement(agreeing=7, disagreeing=1)),
        (document("open"), document("open"), None, Judgement(agreeing=7, missing=1)),
        (None, None, row("open"), Judgement(agreeing=7, extra=1)),
        (None, None, None, Judgement(agreeing=7)),
        (document("open"), document("released"), row("open"), Judgement(agreeing=7, excluded=1)),
        (document("open"), None, row("open"), Judgement(agreeing=7, excluded=1)),
        (None, document("open"), None, Judgement(agreeing=7, excluded=1)),
    ],
    ids=["arrived", "wrong", "missing", "extra", "deleted", "changed later", "deleted later", "new later"],
)
def test_change_after_the_point_is_an_error_or_an_error_is_excused(
    before: bytes | None,
    after: bytes | None,
    in_silver: list[str | None] | None,
    expected: Judgement,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(reconcile, "documents", lambda *_: {"k": after} if after else {})
    monkeypatch.setattr(reconcile, "rows", lambda *_: {"k": in_silver} if in_silver else {})
    stack = Stack.from_env({"MESH_HOME": str(tmp_path)})
    found = judge(stack, WAVES, Look(7, 0, frozenset({"k"})), {"k": before} if before else {})
    assert len(found.examples) == found.missing + found.extra + found.disagreeing
    found.examples.clear()
    assert found == expected


def test_wrong_column_is_not_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reconcile, "documents", lambda *_: {"k": document("open")})
    monkeypatch.setattr(reconcile, "rows", lambda *_: {"k": row("draft")})
    stack = Stack.from_env({"MESH_HOME": str(tmp_path)})
    [example] = judge(stack, WAVES, Look(0, 0, frozenset({"k"})), {"k": document("open")}).examples
    assert (example.column, example.in_mongodb, example.in_silver) == ("status", "open", "draft")


def test_unpassed_point_blames_a_document() -> None:
    assert unjudged(Look(7, 0, frozenset({"a", "b"}))) == Judgement(agreeing=7, excluded=2, is_judged=False)
