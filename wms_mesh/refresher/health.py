"""Whether every product keeps its promise, with the reason when it does not."""

from __future__ import annotations

from wms_mesh.refresher.loop import Loop
from wms_mesh.refresher.schedule import Job, Kind


def report(loop: Loop) -> tuple[bool, dict[str, object]]:
    """Whether all is well, and the facts as JSON shows them."""
    now = loop.clock()
    jobs = loop.schedule.of(Kind.REFRESH)
    products = {job.product: _product(loop, job, now) for job in jobs}
    is_well = loop.is_alive and bool(jobs) and all(product["is_fresh"] for product in products.values())
    return is_well, {
        "is_well": is_well,
        "is_alive": loop.is_alive,
        "present_job": loop.present,
        "project": loop.project_error or "as its files say",
        "seeds": [job.message for job in loop.schedule.of(Kind.SEEDS) if job.message],
        "products": products,
    }


def _product(loop: Loop, job: Job, now: float) -> dict[str, object]:
    tests = loop.schedule.jobs[Kind.TESTS, job.product]
    is_fresh = job.age(now) < job.promise
    return {
        "is_fresh": is_fresh,
        "reason": "" if is_fresh else _reason(job, now),
        "age_seconds": None if job.last_success is None else round(job.age(now), 1),
        "promised_seconds": job.promise,
        "backoff_seconds": round(job.backoff(now), 1),
        "failed_tests": tests.failed_tests,
        "tests": tests.message,
    }


def _reason(job: Job, now: float) -> str:
    if job.last_success is None:
        said = "not refreshed yet" if not job.failures else "never refreshed"
    else:
        said = f"last refreshed {job.age(now):.0f} s ago, {job.promise:.0f} s are promised"
    return f"{said}: {job.message}" if job.message else said
