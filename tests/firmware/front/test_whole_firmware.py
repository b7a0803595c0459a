"""The whole firmware as it leaves the workshop: from button to receipt, over cuts and pulled cables."""

import json
import time
from collections.abc import Callable

import pytest

from provisioning.flash_layout import partition
from provisioning.models import MODELS
from tests.firmware.front.kiosk_rig import (
    BOOT,
    CLOCK,
    QUESTION_SET,
    Kiosk,
    Server,
    digest,
    largest_set,
    press_beforehand,
    shrink_journal,
    until,
    view_bytes,
)

FEEDBACK_S = 0.1


def test_twenty_thanked_presses_arrive_exactly_once_over_a_power_cut(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    for i in range(10):
        kiosk.press(i % 5)
    server.mute = True
    for i in range(10):
        kiosk.press(i % 5)
    kiosk.cut()
    server.mute = False
    kiosk.on()
    until(lambda: len(server.answers()) == 20, "20 answers", log=kiosk.lines)
    assert [answer.value for answer in server.answers()] == [5, 4, 3, 2, 1] * 4
    assert [answer.pressed for answer in server.answers()] == list(range(1, 21))
    until(lambda: kiosk.journal.get("waiting") == 0, "the kiosk let go of all", log=kiosk.lines)
    assert kiosk.journal["pressed"] == 20
    assert len(server.of_kind(BOOT)) == 1, "nobody pressed after the second start"
    assert len(server.of_kind(CLOCK)) == 1
    assert {answer.set_number for answer in server.answers()} == {14}


def test_light_within_a_tenth_of_a_second_and_thanks_too(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    delays = []
    for i in range(40):
        kiosk.light_times.clear()
        before = kiosk.thanks
        pressed = time.monotonic()
        kiosk.say(press=i % 5, ms=30)
        until(lambda before=before: kiosk.thanks > before, "thanks", log=kiosk.lines)
        lit, lights = kiosk.light_times[0]
        assert lights[i % 5] == 1
        delays.append((lit - pressed, kiosk.sounds[-1][0] - pressed))
        until(lambda: not any(kiosk.lights), "lights out")
    light = sorted(delay for delay, _ in delays)
    thanks = sorted(delay for _, delay in delays)
    assert light[38] < FEEDBACK_S
    assert thanks[38] < FEEDBACK_S


def test_no_press_is_thanked_before_there_is_a_question(kiosk: Kiosk, server: Server) -> None:
    server.mute = True
    kiosk.on()
    until(lambda: kiosk.screens[-1:] == ["out"], "screen 'out'", log=kiosk.lines)
    kiosk.say(press=0)
    until(lambda: [name for _, name in kiosk.sounds] == ["refused"], "refused", log=kiosk.lines)
    assert kiosk.journal.get("pressed", 0) == 0


def test_a_cable_is_pulled_and_presses_go_on(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    kiosk.say(net=False)
    until(lambda: kiosk.shown.get("status") == "no-network", "no network", log=kiosk.lines)
    for face in (0, 1, 2):
        kiosk.press(face)
    assert len(server.answers()) == 0
    kiosk.say(net=True)
    until(lambda: len(server.answers()) == 3, "3 answers", log=kiosk.lines)
    until(lambda: kiosk.shown.get("status") == "online", "online", log=kiosk.lines)
    until(lambda: kiosk.journal["waiting"] == 0, "let go of", log=kiosk.lines)


def test_presses_carry_the_time_at_which_they_were_made(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    kiosk.press(0)
    pressed = time.time()
    until(lambda: len(server.answers()) == 1, "an answer")
    (clock,) = server.of_kind(CLOCK)
    utc_ms = int.from_bytes(clock.body[:8], "little")
    uncertainty_ms = int.from_bytes(clock.body[8:], "little")
    (answer,) = server.answers()
    assert answer.boot == clock.boot
    at = utc_ms / 1000 + (answer.uptime - clock.uptime) / 10
    assert abs(at - pressed) < 1 + uncertainty_ms / 1000
    assert uncertainty_ms < 500


def test_a_full_journal_refuses_visibly_and_counts_what_it_refused(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    kiosk.cut()
    shrink_journal(kiosk, 3)
    waiting = press_beforehand(kiosk, None, sectors=3)
    assert waiting > 200
    server.mute = True
    kiosk.on()
    until(lambda: kiosk.screens[-1:] == ["ready"], "ready", log=kiosk.lines)
    for _ in range(5):
        before = len(kiosk.sounds)
        kiosk.say(press=0, ms=30)
        until(lambda before=before: len(kiosk.sounds) > before, "a sound", log=kiosk.lines)
        time.sleep(0.12)
    assert [name for _, name in kiosk.sounds] == ["refused"] * 5
    assert kiosk.screens[-1] == "full"
    server.mute = False
    kiosk.say(net=False)
    until(lambda: kiosk.shown.get("status") == "no-network", "no network", log=kiosk.lines)
    kiosk.say(net=True)
    until(lambda: len(server.answers()) == waiting, "all that was thanked for", log=kiosk.lines)
    until(lambda: kiosk.screens[-1] == "ready", "ready again", log=kiosk.lines)
    kiosk.press(0)
    until(lambda: server.refused() == 5, "5 refused", log=kiosk.lines)
    until(lambda: len(server.answers()) == waiting + 1, "the next one", log=kiosk.lines)


def test_another_question_set_takes_over_between_visits(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    kiosk.press(0)
    other = json.loads(json.dumps(QUESTION_SET))
    other["number"] = 15
    other["questions"][0]["text"]["en"] = "Did you get help?"
    server.publish_set(other)
    until(lambda: kiosk.shown["number"] == 15, "the new set", log=kiosk.lines)
    assert kiosk.shown["question"]["en"] == "Did you get help?"
    kiosk.press(1)
    until(lambda: [answer.set_number for answer in server.answers()] == [14, 15], "an answer to each")
    until(lambda: server.reports[-1]["running"] == 15, "reported", log=kiosk.lines)
    kiosk.cut()
    server.mute = True
    kiosk.on()
    until(lambda: kiosk.shown.get("number") == 15, "the same after a start without network", log=kiosk.lines)
    kiosk.press(2)


@pytest.mark.parametrize("model", ["card5", "button5"])
def test_the_largest_set_that_can_be_published_fits_the_heap_aimed_for(
    image_of: Callable[..., bytes], kiosk: Kiosk, server: Server, model: str
) -> None:
    """Once refused with 128K: its text lay in memory as a whole beside what was parsed, and the rules came last."""
    kiosk.flash.write_bytes(image_of({}, model))
    cards = MODELS[model].screen == "none"  # asks what its card says only once somebody said that it is in
    if cards:
        server.settings["card"] = digest(view_bytes(QUESTION_SET))
    kiosk.on(MODELS[model].heap)
    kiosk.ready()
    kiosk.press(0)
    if cards:
        server.settings["card"] = digest(view_bytes(largest_set()))
    server.publish_set(largest_set())
    until(lambda: kiosk.shown["number"] == 15, "the new set", log=kiosk.lines)
    kiosk.press(1)
    until(lambda: [answer.set_number for answer in server.answers()] == [14, 15], "an answer to each")
    until(lambda: server.reports[-1]["update"]["result"] == "ok", "reported", log=kiosk.lines)


def test_touches_that_were_ignored_and_a_stuck_button_are_reported(kiosk: Kiosk, server: Server) -> None:
    server.settings.update(lockout_ms=2000, stuck_s=5)
    kiosk.on()
    kiosk.ready()
    kiosk.press(0)
    kiosk.say(press=1, ms=30)
    until(lambda: kiosk.shown.get("ignored") == "lockout", "lock-out shown", log=kiosk.lines)
    time.sleep(2)
    kiosk.say(hold=2)
    until(lambda: kiosk.shown.get("fault") == [2], "fault shown", log=kiosk.lines)
    until(lambda: server.reports[-1]["health"]["buttons"] == [2], "reported", log=kiosk.lines)
    assert server.reports[-1]["health"]["ignored"]["lockout"] == 1
    kiosk.say(release=2)
    until(lambda: kiosk.shown.get("fault") == [], "fault gone", log=kiosk.lines)
    assert kiosk.thanks == 2, "a button that got stuck was a press when it went down"


def test_simulated_patients_are_flagged_press_by_press(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    kiosk.press(0, simulated=True)
    kiosk.press(0)
    until(lambda: len(server.answers()) == 2, "2 answers")
    assert [answer.flags for answer in server.answers()] == [4, 0]


def test_nonsense_on_the_control_line_is_logged_and_ignored(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    assert kiosk.process is not None
    assert kiosk.process.stdin is not None
    kiosk.process.stdin.write(b'what?\n{"press": 7}\n{"press": "x"}\n[]\n{"fly": 1}\n')
    kiosk.process.stdin.flush()
    kiosk.press(4)
    assert sum("not understood" in line for line in kiosk.lines) == 5


def test_a_fault_that_no_task_survives_ends_in_a_restart(
    image_of: Callable[[dict[str, bytes]], bytes], kiosk: Kiosk
) -> None:
    main = """
import board
from kiosk.app import run

class Broken:
    def ioctl(self, op, arg):
        raise OSError(5)

board.journal_flash = Broken()
run(board)
"""
    kiosk.flash.write_bytes(image_of({"/main.py": main.encode()}))
    kiosk.on()
    assert kiosk.process is not None
    assert kiosk.process.wait(10) == 75
    until(lambda: any("OSError" in line for line in kiosk.lines), "the fault in the log")


def test_the_process_ends_with_its_host(kiosk: Kiosk, server: Server) -> None:
    kiosk.on()
    kiosk.ready()
    assert kiosk.process is not None
    assert kiosk.process.stdin is not None
    kiosk.process.stdin.close()
    assert kiosk.process.wait(5) == 0


def test_a_journal_in_flash_that_was_not_erased_is_used_all_the_same(kiosk: Kiosk, server: Server) -> None:
    row = partition("journal")
    with kiosk.flash.open("r+b") as image:
        image.seek(row.offset)
        image.write(b"Kiitos palautteesta. " * 40_000)
    kiosk.on()
    kiosk.ready()
    kiosk.press(0)
    until(lambda: len(server.answers()) == 1, "an answer", log=kiosk.lines)


def test_a_backlog_of_many_full_batches_drains_while_visitors_press(kiosk: Kiosk, server: Server) -> None:
    waiting = press_beforehand(kiosk, 5000)
    kiosk.on()
    kiosk.ready()
    for face in range(5):
        kiosk.press(face)
    until(lambda: len(server.answers()) == waiting + 5, "all answers", log=kiosk.lines)
    until(lambda: kiosk.journal["waiting"] == 0, "let go of", log=kiosk.lines)
    assert server.batches < 150


def test_a_crash_is_reported_with_its_trace_and_the_kiosk_goes_on(
    image_of: Callable[[dict[str, bytes]], bytes], kiosk: Kiosk, server: Server
) -> None:
    main = """
import board
from kiosk.app import run

real, calls = board.health, []

def health():
    calls.append(1)
    if len(calls) == 2:
        raise RuntimeError("made to fail")
    return real()

board.health = health
run(board)
"""
    kiosk.flash.write_bytes(image_of({"/main.py": main.encode()}))
    kiosk.on()
    until(lambda: server.logs, "a crash report", log=kiosk.lines)
    (report,) = server.logs
    assert report["task"] == "link"
    assert "made to fail" in report["trace"]
    assert report["firmware"]
    assert any("task link crashed" in line for line in report["lines"])
    kiosk.ready()
    kiosk.press(0)
    until(lambda: len(server.answers()) == 1, "an answer", log=kiosk.lines)
