"""`station test` against a board behind a serial port: MicroPython's unix port, the virtual board's parts, a person.

No real board has been tried: no button, light, piezo, radio, cable or flash chip is in these tests.
"""

import json
import os
import pty
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fleet_server.technician.reports import Report
from fleet_server.technician.steps import NAMES
from provisioning.acceptance.checks import CHECKS
from provisioning.acceptance.command import run
from provisioning.acceptance.record import NOT_REACHED, Record
from provisioning.acceptance.scratch import scratch_sector
from provisioning.acceptance.wire import Wire
from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.field.say import Say
from provisioning.flash_layout import LAYOUT, SECTOR_BYTES, Partition, partition
from tests.provisioning.bench_rig import Bench, bench_of, presser

__all__ = ["bench_of"]  # a fixture

SERIAL = "240ac4000007"
SCRATCH = partition("phy_init")


def tried(bench: Bench, out: Path, *only: str, ask: Any = lambda question: "y", **named: Any) -> Record:
    options = {"board": "unix", "model": "button5", "ssid": "", "supply": None, "press_s": 30.0, **named}
    return run(tty=bench.port, out=out, only=only, say=Say(), ask=ask, **options)


def steps(record: Record) -> dict[str, tuple[str, str]]:
    return {step["name"]: (step["result"], step["note"]) for step in record.body["steps"]}


def test_a_good_board_passes_and_its_report_is_what_the_server_takes(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of()
    bench.finger = presser()
    before = (bench.folder / "flash.img").read_bytes()
    asked = []

    def look(question: str) -> str:
        asked.append(question)
        if "lights" in question:
            assert bench.events()[-1] == {"light": [1] * 5}
        elif "half" in question:
            row = bench.frame()[:50]
            assert row == b"\x00" * 25 + b"\xff" * 25
        else:
            assert {"sound": "thanks"} in bench.events()
            return "r" if asked.count(question) == 1 else "y"
        return "y"

    record = tried(bench, tmp_path / "report.json", ask=look, ssid="county", supply=5.02)
    assert len(asked) == 4
    assert bench.events().count({"sound": "thanks"}) == 2
    assert {result for result, _ in steps(record).values()} == {"passed"}
    assert list(steps(record)) == [
        "buttons", "lights", "sound", "paper", "radio", "ethernet", "flash", "supply"
    ]  # fmt: skip
    body = json.loads((tmp_path / "report.json").read_text())
    assert body == record.body
    assert (body["board"], body["serial"]) == ("unix", SERIAL)
    report = Report(key="0" * 32, tested_at="2026-12-01T10:00:00Z", **body)
    assert report.verdict == "passed"
    assert set(CHECKS) <= set(NAMES)
    assert {one.name for step in report.steps for one in step.measured} <= set(NAMES)
    figures = {step.name: step.measured[0] for step in report.steps if step.measured}
    assert (figures["radio"].figure, figures["radio"].low) == (-61, -75)
    assert (figures["supply"].low, figures["supply"].high) == (4.75, 5.25)
    # Of the whole flash the scratch sector alone has changed; it is blank.
    after = (bench.folder / "flash.img").read_bytes()
    assert after[SCRATCH.offset : SCRATCH.end] == b"\xff" * SECTOR_BYTES
    assert after[: SCRATCH.offset] == before[: SCRATCH.offset]
    assert after[SCRATCH.end :] == before[SCRATCH.end :]
    assert not list(bench.folder.glob("journal*"))


def test_stuck_missing_and_wrong_buttons_are_told_apart(
    bench_of: Callable[..., Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = bench_of()
    bench.order({"hold": 4})
    bench.finger = presser({1: [], 2: [{"hold": 0}, {"release": 0}], 3: [{"hold": 3}]})
    record = tried(bench, tmp_path / "report.json", "buttons", press_s=4)
    assert steps(record)["buttons"] == (
        "failed",
        "button 5 stuck from the start; 2 no answer in 4 s; 3 lit, 1 answered; 4 stuck after a press",
    )
    assert steps(record)["sound"] == ("skipped", "not tried (--only)")
    said = capsys.readouterr().err
    assert "… buttons: press the button whose light shines (1 of 5)\n" in said
    assert "✗ buttons: button 1 again: are two plugs exchanged?\n" in said
    assert "\x1b" not in said
    # Put right, the step alone is repeated; the others stay as they were. A finger that slipped once is no fault.
    slipped = [{"hold": 0}, {"release": 0}]
    bench.order({"release": 4}, {"release": 3})
    right = presser()

    def finger(event: dict[str, Any]) -> list[Any]:
        return (
            slipped
            if event == {"light": [0, 0, 1, 0, 0]} and bench.events().count(event) == 3
            else right(event)
        )

    bench.finger = finger
    assert steps(tried(bench, tmp_path / "report.json", "buttons"))["buttons"][0] == "passed"


def test_what_a_person_did_not_hear_fails_and_what_nobody_heard_is_skipped(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of("card4")
    answers = {"lights": "n", "tune": "s"}

    def ask(question: str) -> str | None:
        return next((answer for word, answer in answers.items() if word in question), None)

    record = tried(
        bench, tmp_path / "report.json", "lights", "sound", "supply", "radio", model="card4", ask=ask
    )
    assert steps(record) == {
        "buttons": ("skipped", "not tried (--only)"),
        "lights": ("failed", "not all lights shone"),
        "sound": ("skipped", "skipped by the technician"),
        "radio": ("skipped", "a wired kiosk; --ssid NAME tries its radio"),
        "ethernet": ("skipped", "not tried (--only)"),
        "flash": ("skipped", "not tried (--only)"),
        "supply": (
            "skipped",
            "this board cannot measure it: read its 5 V with a meter; --only supply --supply VOLT",
        ),
    }
    answers.clear()
    record = tried(
        bench, tmp_path / "report.json", "lights", "supply", "radio",
        model="card4", ask=ask, supply=4.2, ssid="nobody's",
    )  # fmt: skip
    assert steps(record)["lights"] == ("skipped", "nobody was there to answer")
    assert steps(record)["supply"] == ("failed", "read from a meter")
    assert steps(record)["radio"] == ("failed", "network 'nobody's' is not heard")
    with pytest.raises(ProvisioningError, match="^--only paper: model card4 has no such part$"):
        tried(bench, tmp_path / "report.json", "paper", model="card4")


def test_the_corners_of_a_touchscreen_and_a_panel_that_is_turned(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of("touch")
    turned = [False]

    def finger(event: dict[str, Any]) -> list[Any]:
        if "frame" not in event:
            return []
        frame = bench.frame()
        at = {(x, y): frame[2 * (480 * y + x)] for x in (9, 470) for y in (9, 310)}
        lit = [point for point, light in at.items() if light]
        if len(lit) != 1:
            return []
        x, y = lit[0]
        return [{"touch": [479 - x, 319 - y] if turned[0] else [x, y], "ms": 30}]

    bench.finger = finger

    def look(question: str) -> str:
        if "bars" in question:
            row = bench.frame()[:960]
            assert [row[192 * i : 192 * i + 2].hex() for i in range(5)] == [
                "f800",
                "07e0",
                "001f",
                "ffff",
                "0000",
            ]
        return "y"

    record = tried(bench, tmp_path / "report.json", "touch", "screen", model="touch", ask=look)
    assert steps(record)["touch"] == ("passed", "four corners, each under the finger")
    assert steps(record)["screen"][0] == "passed"
    assert "buttons" not in steps(record)
    turned[0] = True
    record = tried(bench, tmp_path / "report.json", "touch", model="touch")
    assert steps(record)["touch"] == (
        "failed",
        "top left: seen at 470, 310; top right: seen at 9, 310; bottom right: seen at 9, 9; "
        "bottom left: seen at 470, 9",
    )


def test_a_pulled_cable_keeps_what_was_found_and_the_next_run_goes_on(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    out = tmp_path / "report.json"
    bench = bench_of()
    bench.finger = presser()

    def ask(question: str) -> str:
        if "tune" in question:
            bench.cut()
        return "r" if "tune" in question else "y"

    with pytest.raises(
        ProvisioningError, match="the connection broke .* run the same line again: it goes on"
    ):
        tried(bench, out, ask=ask)
    kept = {step["name"]: (step["result"], step["note"]) for step in json.loads(out.read_text())["steps"]}
    assert kept["lights"][0] == "passed"
    assert kept["sound"] == kept["supply"] == ("skipped", NOT_REACHED)

    again = bench_of()
    asked = []
    record = tried(again, out, ask=lambda question: asked.append(question) or "y", supply=5.0)
    assert len(asked) == 2  # sound and paper; buttons and lights were done
    assert {name: result for name, (result, _) in steps(record).items() if result != "passed"} == {
        "radio": "skipped"
    }
    third = bench_of()
    (third.folder / "machine.py").write_text("def unique_id():\n    return b'other!'\n")
    with pytest.raises(
        ProvisioningError, match=f"is the report of another board .unix {SERIAL}, this is unix 6f"
    ):
        tried(third, out)


def test_a_bad_sector_fails_and_the_radios_start_values_are_left_alone(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of()
    (bench.folder / "stuck").write_text(json.dumps({str(SCRATCH.offset + 700): 0x04}))
    record = tried(bench, tmp_path / "report.json", "flash")
    assert steps(record)["flash"] == (
        "failed",
        "phy_init at 0xf000: 3 bytes wrong after erasing, 1 after writing",
    )
    flash = bytearray((bench.folder / "flash.img").read_bytes())
    flash[SCRATCH.offset : SCRATCH.offset + 8] = b"PHYINIT\0"
    (bench.folder / "flash.img").write_bytes(flash)
    record = tried(bench, tmp_path / "report.json", "flash")
    assert steps(record)["flash"] == ("skipped", "phy_init at 0xf000 holds the radio's start values")
    # The board's own guard, whatever it is told: no other partition, and no other address.
    wire = Wire(bench.port)
    for address in [row.offset for row in LAYOUT if row is not SCRATCH] + [0, 0x8000, SCRATCH.offset + 1]:
        with pytest.raises(ProvisioningError, match=f"no scratch sector at {address:#x}"):
            wire.call("flash", address)
    wire.close()
    assert (bench.folder / "flash.img").read_bytes() == flash


def test_a_board_that_is_a_kiosk_already_is_not_tested(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of()
    (bench.folder / "identity").write_text('{"id": "kiosk0000001"}')
    with pytest.raises(
        ProvisioningError, match="this board is kiosk kiosk0000001 already and may hold answers"
    ):
        tried(bench, tmp_path / "report.json")
    running = bench_of(start="import sys\nsys.modules['kiosk.app'] = sys\n")
    with pytest.raises(ProvisioningError, match="a kiosk's program has run on this board"):
        tried(running, tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()


def test_no_micropython_no_port_and_no_such_step_are_a_sentence_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    out = tmp_path / "report.json"
    with pytest.raises(ProvisioningError, match="no MicroPython answers .*Something else runs on the board"):
        run(os.ttyname(theirs), "unix", out, None, (), "", None, 1.0, Say(), patience_s=0.2)
    assert capsys.readouterr() == ("", "")  # standard output is the JSON's alone
    os.close(ours)
    os.close(theirs)

    def said(*words: str) -> str:
        done = CliRunner().invoke(app, ["test", "--json", "--tty", "/dev/ttyNONE", "--out", str(out), *words])
        assert done.exit_code == 1
        answer = json.loads(done.stdout)
        assert not answer["ok"]
        return str(answer["error"])

    assert "/dev/ttyNONE cannot be opened: there is no such port; is the cable in?" in said(
        "--board", "button_poe"
    )
    assert "there are button_poe, button_battery, touch_s3" in said("--board", "esp8266")
    assert said("--board", "touch_s3", "--model", "card4") == (
        "--model card4 is built on button_poe or button_battery, --board says touch_s3"
    )
    assert "there is no such step; there are buttons" in said("--board", "touch_s3", "--only", "battery")
    assert not out.exists()


def test_the_command_says_json_asks_on_standard_error_and_ends_with_1(
    bench_of: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = bench_of()
    words = ["test", "--tty", bench.port, "--board", "unix", "--out", str(tmp_path / "r.json"), "--json"]
    done = CliRunner().invoke(app, [*words, "--only", "lights", "--only", "ethernet"], input="maybe\nno\n")
    answer = json.loads(done.stdout)
    assert done.exit_code == 1
    assert (answer["ok"], answer["serial"]) == (False, SERIAL)
    assert {step["name"] for step in answer["steps"] if step["result"] == "failed"} == {"lights"}
    assert done.stderr.count("Do all 5 lights shine? [y]es, [n]o, [r]epeat, [s]kip") == 2
    done = CliRunner().invoke(app, [*words, "--only", "lights"], input="y\n")
    assert (done.exit_code, json.loads(done.stdout)["ok"]) == (0, True)


ROWS = st.builds(
    lambda label, kind, subtype, sector, sectors: Partition(
        label, kind, subtype, sector * SECTOR_BYTES, sectors * SECTOR_BYTES
    ),
    st.sampled_from(["nvs", "otadata", "phy_init", "ota_0", "factory", "journal", "vfs"]),
    st.sampled_from([0, 1]),
    st.sampled_from([0x00, 0x01, 0x02, 0x10, 0x40, 0x83]),
    st.integers(0, 40),
    st.integers(0, 12),
)


def test_the_scratch_sector_of_our_layout_lies_outside_everything_that_is_needed() -> None:
    found = scratch_sector(LAYOUT)
    assert found == SCRATCH
    for label in ("nvs", "otadata", "ota_0", "ota_1", "journal", "vfs"):
        row = partition(label)
        assert row.end <= found.offset or row.offset >= found.offset + SECTOR_BYTES
    assert scratch_sector([row for row in LAYOUT if row.label != "phy_init"]) is None


@settings(max_examples=300, deadline=None)
@given(st.lists(ROWS, max_size=8))
def test_no_table_however_wrong_makes_another_partition_the_scratch_sector(table: list[Partition]) -> None:
    found = scratch_sector(table)
    if found is None:
        return
    assert (found.type, found.subtype) == (1, 1)
    assert found.offset >= 0x9000
    for row in table:
        if row is not found:
            assert row.end <= found.offset or row.offset >= found.offset + SECTOR_BYTES
