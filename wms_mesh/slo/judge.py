"""What differs at the common point: an error, or a document that changed after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.collections import Collection
from wms_mesh import reconcile
from wms_mesh.reconcile import Difference
from wms_mesh.slo.look import Look
from wms_mesh.stack import Stack

SHOWN = 5  # differences that a report names


@dataclass
class Judgement:
    """Documents of one collection, counted; those that changed after the point are excluded from all else.

    agreeing, disagreeing: compared in every field. unsampled: on both sides, not compared. missing: without a row.
    extra: rows without a document. is_judged: False when the point was not passed, and what differs is excluded.
    """

    agreeing: int = 0
    disagreeing: int = 0
    unsampled: int = 0
    missing: int = 0
    extra: int = 0
    excluded: int = 0
    is_sample: bool = False
    is_judged: bool = True
    examples: list[Difference] = field(default_factory=list)

    def __add__(self, other: Judgement) -> Judgement:
        return Judgement(
            self.agreeing + other.agreeing,
            self.disagreeing + other.disagreeing,
            self.unsampled + other.unsampled,
            self.missing + other.missing,
            self.extra + other.extra,
            self.excluded + other.excluded,
            self.is_sample or other.is_sample,
            self.is_judged and other.is_judged,
            (self.examples + other.examples)[:SHOWN],
        )


def judge(stack: Stack, collection: Collection, first: Look, before: Mapping[str, bytes]) -> Judgement:
    """Look at the candidates again, now that silver has passed the point.

    before: their documents as they were before the point. The rows are read first: a document that is the same before
    and after them was the same when they were read.
    """
    rows = reconcile.rows(stack, collection, first.candidates)
    after = reconcile.documents(stack, collection, first.candidates)
    result = Judgement(agreeing=first.agreeing, unsampled=first.unsampled, is_sample=first.is_sample)
    for key in sorted(first.candidates):
        document, row = after.get(key), rows.get(key)
        if before.get(key) != document:
            result.excluded += 1
            continue
        differences = list(reconcile.differing(collection, key, document, row))
        result.examples += differences[: SHOWN - len(result.examples)]
        if document is None:
            result.extra += row is not None
        elif row is None:
            result.missing += 1
        elif differences:
            result.disagreeing += 1
        else:
            result.agreeing += 1
    return result


def unjudged(first: Look) -> Judgement:
    """The point was not passed: whether a difference is an error or on its way cannot be told."""
    return Judgement(
        agreeing=first.agreeing,
        unsampled=first.unsampled,
        excluded=len(first.candidates),
        is_sample=first.is_sample,
        is_judged=False,
    )
