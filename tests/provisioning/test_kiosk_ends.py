"""A virtual kiosk's end leaves nothing running, however it comes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.provisioning.kiosk_states import Make, booted, gone, runner_pid, unheard, until

# Hears neither commands nor the end of its input nor SIGINT.
DEAF_APP = """
import time
def run(board):
    board.emit({'show': {'boots': 1}})
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""


def test_no_micropython_outlives_a_killed_runner_and_the_next_start_works(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    micropython = booted(kiosk)["pid"]
    control = Path(kiosk.folder.socket_path() or "")
    runner = runner_pid(kiosk)
    os.kill(runner, signal.SIGKILL)
    assert gone(micropython)
    assert gone(runner)
    assert unheard(kiosk)
    kiosk.start()
    booted(kiosk, 2)
    assert not control.parent.exists(), "what the killed runner left behind is cleared away"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a process with its parent")
def test_not_even_a_hung_micropython_outlives_a_killed_runner(make_kiosk: Make, firmware: Path) -> None:
    (firmware / "kiosk" / "app.py").write_text(DEAF_APP)
    kiosk = make_kiosk()
    kiosk.start()
    pid = until(kiosk, lambda status: "boots" in status["show"])["pid"]
    runner = runner_pid(kiosk)
    os.kill(runner, signal.SIGKILL)
    assert gone(pid)
    assert gone(runner)  # its end takes a moment, in which it still seems to answer


def test_a_terminated_runner_stops_its_kiosk_first(make_kiosk: Make) -> None:
    kiosk = make_kiosk()
    kiosk.start()
    micropython = booted(kiosk)["pid"]
    pid = runner_pid(kiosk)
    os.kill(pid, signal.SIGTERM)
    assert gone(pid)
    assert not psutil.pid_exists(micropython)
    assert not (kiosk.folder.path / "run.json").exists()


def test_a_firmware_that_ignores_the_stop_is_cut_after_two_seconds(make_kiosk: Make, firmware: Path) -> None:
    (firmware / "kiosk" / "app.py").write_text(DEAF_APP)
    kiosk = make_kiosk()
    kiosk.start()
    pid = until(kiosk, lambda status: "boots" in status["show"])["pid"]
    began = time.monotonic()
    kiosk.stop()
    assert 1.9 < time.monotonic() - began < 6
    assert not psutil.pid_exists(pid)


def test_an_attached_kiosk_ends_with_the_process_that_started_it(make_kiosk: Make, firmware: Path) -> None:
    kiosk = make_kiosk()
    code = (
        "import sys, time; from provisioning.virtual.client import VirtualKiosk; "
        "kiosk = VirtualKiosk(sys.argv[1], 'lobby', sys.argv[2]); kiosk.start(attached=True); "
        "print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(kiosk.folder.path.parent), str(firmware)], stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"up\n"
        micropython, runner = booted(kiosk)["pid"], runner_pid(kiosk)
        starter.kill()
    assert gone(micropython)
    assert gone(runner)
