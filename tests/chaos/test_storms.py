"""Storms of ten blows each under load; after each storm every record is there, once, and silver is what MongoDB is.

MESH_CHAOS_EVENTS: how many blows in all (10; the long run has 100). MESH_CHAOS_SEED: the same seed, the same blows.
"""

from __future__ import annotations

import itertools
import os
import statistics
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.chaos.calm import assert_nothing_is_lost, await_recovery
from tests.chaos.events import Event, Weather
from tests.chaos.load import Load

EVENTS = int(os.environ.get("MESH_CHAOS_EVENTS", "10"))
SEED = int(os.environ.get("MESH_CHAOS_SEED", "1"))
IN_STORM = 10


@pytest.fixture(scope="module")
def forecast(weather: Weather) -> Iterator[Event]:
    """The blows, one after another through all storms."""
    return weather.events(SEED)


@pytest.fixture(scope="module")
def recoveries() -> Iterator[dict[str, list[float]]]:
    """Seconds by the kind of blow, printed at the end."""
    seconds: dict[str, list[float]] = defaultdict(list)
    yield seconds
    every = [each for times in seconds.values() for each in times]
    if every:
        print(f"\nRecovery of {len(every)} blows (seed {SEED}), seconds until everything works again:", flush=True)
        for name, times in sorted(seconds.items()):
            print(f"  {name:60} p50 {statistics.median(times):5.0f}  max {max(times):5.0f}  of {len(times)}")
        print(f"  {'all':60} p50 {statistics.median(every):5.0f}  max {max(every):5.0f}  of {len(every)}", flush=True)


@pytest.mark.parametrize("storm", range(-(-EVENTS // IN_STORM)))
def test_storm_loses_doubles_or_corrupts(
    weather: Weather, forecast: Iterator[Event], recoveries: dict[str, list[float]], storm: int
) -> None:
    load = Load(weather.stack, seed=1000 * SEED + 100 * storm)
    load.start()
    for event in itertools.islice(forecast, min(IN_STORM, EVENTS - IN_STORM * storm)):
        event.strike()
        seconds = await_recovery(weather.stack)
        recoveries[event.name].append(seconds)
        print(f"  {event.name}: recovered after {seconds:.0f} s", flush=True)
    load.finish()
    print(f"  calm after storm {storm + 1}: {load.worlds} worlds written, {load.repeated} of them again", flush=True)
    assert_nothing_is_lost(weather.stack)
