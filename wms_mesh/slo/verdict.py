"""One product's measurement: the numbers, what was promised, and whether it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from wms_mesh.slo.delay import Delays
from wms_mesh.slo.judge import Judgement
from wms_mesh.slo.promises import Promise


@dataclass(frozen=True)
class Measurement:
    """A row of gold.data_product_slo; table.py describes the columns, which have these names."""

    measured_at: datetime
    product: str
    freshness_seconds: float
    freshness_target_seconds: float
    is_fresh: bool
    delay_p50_seconds: float | None
    delay_p99_seconds: float | None
    delay_window_seconds: float
    delayed_changes: int
    documents: int
    current_rows: int
    missing: int
    extra: int
    excluded: int
    completeness_rate: float | None
    completeness_target: float | None
    is_complete: bool | None
    compared: int
    agreeing: int
    is_sample: bool
    accuracy_rate: float | None
    accuracy_target: float | None
    is_accurate: bool | None
    is_met: bool
    processing_time: datetime

    @property
    def breaches(self) -> list[str]:
        """The promises that are not kept."""
        kept = {"freshness": self.is_fresh, "completeness": self.is_complete, "accuracy": self.is_accurate}
        return [promise for promise, is_kept in kept.items() if is_kept is False]


def verdict(
    promise: Promise, measured_at: datetime, freshness: float, delays: Delays, window: float, found: Judgement
) -> Measurement:
    """Set the numbers against the promise. freshness, window: seconds.

    A rate is None when there is nothing to count, or when the point was not passed; a promise whose rate is None, or
    that was not made, is neither kept nor broken.
    """
    documents = found.agreeing + found.disagreeing + found.unsampled + found.missing
    compared = found.agreeing + found.disagreeing
    completeness = _share(documents - found.missing, documents + found.extra) if found.is_judged else None
    accuracy = _share(found.agreeing, compared) if found.is_judged else None
    is_fresh = freshness <= promise.freshness and (delays.p99 is None or delays.p99 <= promise.freshness)
    is_complete, is_accurate = _is_kept(completeness, promise.completeness), _is_kept(accuracy, promise.accuracy)
    return Measurement(
        measured_at=measured_at,
        product=promise.product,
        freshness_seconds=freshness,
        freshness_target_seconds=promise.freshness,
        is_fresh=is_fresh,
        delay_p50_seconds=delays.p50,
        delay_p99_seconds=delays.p99,
        delay_window_seconds=window,
        delayed_changes=delays.changes,
        documents=documents,
        current_rows=documents - found.missing + found.extra,
        missing=found.missing,
        extra=found.extra,
        excluded=found.excluded,
        completeness_rate=completeness,
        completeness_target=promise.completeness,
        is_complete=is_complete,
        compared=compared,
        agreeing=found.agreeing,
        is_sample=found.is_sample,
        accuracy_rate=accuracy,
        accuracy_target=promise.accuracy,
        is_accurate=is_accurate,
        is_met=is_fresh and is_complete is not False and is_accurate is not False,
        processing_time=datetime.now(UTC),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _is_kept(rate: float | None, target: float | None) -> bool | None:
    return None if rate is None or target is None else rate >= target
