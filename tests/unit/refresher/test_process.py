"""Settings, and a stop that finds the process anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from wms_mesh.errors import MeshError
from wms_mesh.refresher.process import minutes_between_tests
from wms_mesh.stack import REPO

WORKER = """
import time
from wms_mesh.refresher.process import Stop
stop = Stop()
with stop.handled():
    print("up", flush=True)
    while not stop.is_asked:
        time.sleep(60)
print("stopped", stop.is_asked)
"""


@pytest.mark.parametrize("text", ["0", "-1", "often", "nan"])
def test_unusable_setting_is_taken(text: str) -> None:
    with pytest.raises(MeshError, match="MESH_REFRESHER_TEST_MINUTES"):
        minutes_between_tests({"MESH_REFRESHER_TEST_MINUTES": text})
    assert minutes_between_tests({}) == 15


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_is_waited_out_or_ends_in_a_traceback(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "stopped True\n")
    assert "Traceback" not in err
