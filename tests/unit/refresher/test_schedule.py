"""What runs when: promises kept, failures kept apart, tests out of the way."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.unit.refresher.world import FULFILLMENT, INVENTORY, ORDERS, TESTS_EVERY, WAVES, World
from wms_mesh.errors import MeshError
from wms_mesh.refresher import health
from wms_mesh.refresher.schedule import FIRST_BACKOFF, LAST_BACKOFF, Kind, Schedule


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_cadence_drifts_or_a_product_is_forgotten() -> None:
    world = World(INVENTORY, ORDERS, FULFILLMENT)
    world.run_for(600)
    for product in (INVENTORY, ORDERS, FULFILLMENT):
        assert all(
            product.cadence <= gap <= product.cadence + 20 for gap in gaps(world.dbt.times(Kind.REFRESH, product.name))
        ), product.name
        assert world.job(product.name).age(world.clock.now) < product.freshness


def test_failing_product_delays_the_others() -> None:
    world = World(INVENTORY, ORDERS, WAVES)
    world.dbt.fails = {(Kind.REFRESH, "orders")}
    world.run_for(1200)
    assert world.job("orders").last_success is None
    for product in (INVENTORY, WAVES):
        assert max(gaps(world.dbt.times(Kind.REFRESH, product.name))) <= product.cadence + 20


def test_backoff_does_not_grow_is_not_capped_or_stays_after_a_success() -> None:
    world = World(ORDERS)
    world.dbt.fails = {(Kind.REFRESH, "orders")}
    world.run_for(3000)
    waits = [round(gap - world.dbt.takes[Kind.REFRESH]) for gap in gaps(world.dbt.times(Kind.REFRESH, "orders"))]
    assert waits[:4] == [FIRST_BACKOFF * 2**turn for turn in range(4)]
    assert max(waits) <= LAST_BACKOFF + 10  # the tests may stand before it
    world.dbt.fails = set()
    world.run_for(LAST_BACKOFF + 20)
    assert world.job("orders").backoff(world.clock.now) == 0
    world.dbt.fails = {(Kind.REFRESH, "orders")}
    world.run_for(ORDERS.cadence + 5)
    assert 0 < world.job("orders").backoff(world.clock.now) <= FIRST_BACKOFF


def test_product_with_more_time_left_goes_first() -> None:
    world = World(INVENTORY, ORDERS, FULFILLMENT)
    world.run_for(10)
    now = world.clock.now
    for name, used in (("inventory", 0.3), ("orders", 0.9), ("fulfillment", 0.5)):
        job = world.job(name)
        job.last_success, job.due = now - used * job.promise, now - 1
    world.dbt.ran.clear()
    world.run_for(6)
    assert [product for _, _, product in world.dbt.ran] == ["orders", "fulfillment", "inventory"]


def test_first_run_starts_with_anything_but_the_seeds_and_the_shortest_promise() -> None:
    world = World(FULFILLMENT, ORDERS, INVENTORY)
    world.run_for(8)
    assert [product for _, _, product in world.dbt.ran] == ["seeds", "inventory", "orders", "fulfillment"]


def test_broken_seeds_hold_the_products_up() -> None:
    world = World(INVENTORY, ORDERS)
    world.dbt.fails = {(Kind.SEEDS, "seeds")}
    world.run_for(30)
    assert world.job("orders").last_success is not None


def test_tests_stand_before_a_due_refresh() -> None:
    world = World(INVENTORY, ORDERS, WAVES)
    world.dbt.takes[Kind.TESTS] = 14.0  # shorter than the shortest cadence: there is room for one at a time
    world.run_for(2000)
    assert all(world.dbt.times(Kind.TESTS, name) for name in ("inventory", "orders", "waves"))
    kinds = [kind for _, kind, _ in world.dbt.ran]
    assert (Kind.TESTS, Kind.TESTS) not in pairwise(kinds)


def test_tests_never_run_or_run_in_a_row_when_refreshes_are_always_due() -> None:
    world = World(INVENTORY, ORDERS, WAVES)
    world.dbt.takes = {Kind.SEEDS: 1.0, Kind.REFRESH: 20.0, Kind.TESTS: 30.0}
    world.run_for(4000)
    kinds = [kind for _, kind, _ in world.dbt.ran]
    assert all(world.dbt.times(Kind.TESTS, name) for name in ("inventory", "orders", "waves"))
    assert (Kind.TESTS, Kind.TESTS) not in pairwise(kinds)


@pytest.mark.parametrize(("wait", "takes", "chosen"), [(1.1, 30, "tests"), (1.1, 50, "refresh"), (4.1, 50, "tests")])
def test_long_tests_break_a_promise_or_wait_for_ever(wait: float, takes: float, chosen: str) -> None:
    """A due refresh is 20 of its 60 seconds old; the tests are due since so many times their own pace."""
    schedule = Schedule(TESTS_EVERY)
    schedule.follow([INVENTORY], are_seeds_new=False, now=0.0)
    refresh, tests = (schedule.jobs[kind, "inventory"] for kind in (Kind.REFRESH, Kind.TESTS))
    now = tests.due + wait * TESTS_EVERY
    refresh.last_success, refresh.due, tests.duration = now - 20, now, takes
    job = schedule.next(now)
    assert job is not None
    assert job.kind == chosen


def test_change_of_the_project_is_taken_up_late_or_forgets_what_ran() -> None:
    world = World(ORDERS, FULFILLMENT)
    world.run_for(100)
    before = world.job("orders").runs
    world.dbt.is_changed, world.dbt.are_seeds_new, world.dbt.products = True, False, [ORDERS, FULFILLMENT, WAVES]
    world.dbt.ran.clear()
    world.run_for(8)
    assert {product for _, _, product in world.dbt.ran} == {"orders", "fulfillment", "waves"}
    assert world.job("orders").runs == before + 1


def test_broken_project_stops_the_refresh_of_the_one_before() -> None:
    world = World(ORDERS)
    world.run_for(100)
    world.dbt.is_changed = world.dbt.is_broken = True
    before = world.job("orders").runs
    world.run_for(200)
    assert world.job("orders").runs > before
    assert "a comma" in world.loop.project_error


def test_project_that_is_broken_at_the_start_is_passed_over() -> None:
    world = World(ORDERS)
    world.dbt.is_broken = True
    with pytest.raises(MeshError, match="a comma"):
        world.loop.step()


def test_stop_in_the_middle_of_a_run_is_kept_from_the_process_or_counts_as_a_failure() -> None:
    world = World(INVENTORY, ORDERS, WAVES)

    def stop(job: object) -> None:
        raise KeyboardInterrupt

    world.dbt.while_running = stop
    with pytest.raises(KeyboardInterrupt):
        world.run_for(20)
    assert len(world.dbt.ran) == 1
    assert world.loop.present == ""
    assert not any(job.failures for job in world.loop.schedule.jobs.values())


def test_job_runs_without_the_warehouse_s_turn() -> None:
    world = World(ORDERS)
    world.run_for(4)
    assert world.turns == ["the refresher: seeds of seeds", "the refresher: refresh of orders"]


def test_health_is_good_for_a_stale_product_or_bad_without_a_reason() -> None:
    world = World(INVENTORY, ORDERS)
    assert not health.report(world.loop)[0]
    world.run_for(10)
    assert health.report(world.loop)[0]
    world.dbt.fails = {(Kind.REFRESH, "inventory")}
    world.run_for(INVENTORY.freshness + 1)
    is_well, facts = health.report(world.loop)
    assert not is_well
    products = facts["products"]
    assert isinstance(products, dict)
    assert "inventory is broken" in products["inventory"]["reason"]
    assert products["orders"]["is_fresh"]


def test_hung_loop_counts_as_alive() -> None:
    world = World(ORDERS)
    world.run_for(10)
    assert world.loop.is_alive
    world.clock.now += 3600
    assert not world.loop.is_alive
    assert not health.report(world.loop)[0]
