"""An erasure that is not proved yet: what a repeated run must know when the tables have forgotten the person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from wms_mesh.erase.person import Kind, Person
from wms_mesh.stack import Stack


@dataclass(frozen=True)
class Pending:
    """tables: those that a run has written to, or was about to."""

    person: Person
    tables: frozenset[str]


def load(stack: Stack, kind: Kind, person_id: str) -> Pending | None:
    """What an earlier run for this person left unfinished."""
    path = _path(stack, kind, person_id)
    if not path.exists():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    documents = {name: frozenset(ids) for name, ids in kept["documents"].items()}
    return Pending(Person(kind, person_id, documents, frozenset(kept["own_ids"])), frozenset(kept["tables"]))


def save(stack: Stack, pending: Pending) -> None:
    """Before the first write; readable for the owner only, because it names the person."""
    person = pending.person
    path = _path(stack, person.kind, person.id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {
        "documents": {name: sorted(ids) for name, ids in person.documents.items()},
        "own_ids": sorted(person.own_ids),
        "tables": sorted(pending.tables),
    }
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(kept), encoding="utf-8")
    fresh.replace(path)


def forget(stack: Stack, person: Person) -> None:
    """When nothing is left of the person."""
    _path(stack, person.kind, person.id).unlink(missing_ok=True)


def _path(stack: Stack, kind: Kind, person_id: str) -> Path:
    return stack.home / "erase" / f"{kind}-{person_id}.json"
