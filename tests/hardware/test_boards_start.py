"""The board files, run on MicroPython with scripted chip modules: they start, and open the pins of their tables.

Nothing here has run on an ESP32; what this shows is that no name is missing and no pin is taken unasked.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


@pytest.fixture(scope="session")
def started() -> Callable[..., Any]:
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")

    def run(board: str, **identity: Any) -> Any:
        done = subprocess.run(
            [interpreter, HERE / "run_board.py", ROOT / "firmware", board, json.dumps(identity)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        if done.returncode:
            pytest.fail(done.stdout[-3000:])
        return json.loads(done.stdout.splitlines()[-1])

    return run


def table(folder: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "hardware" / folder / "board.toml").read_text())


@pytest.mark.parametrize(
    ("model", "faces", "screen"),
    [("button5", 5, "paper"), ("button4", 4, "paper"), ("card5", 5, "none"), ("card4", 4, "none")],
)
def test_the_button_kiosk_opens_the_pins_of_its_table(
    started: Callable[..., Any], model: str, faces: int, screen: str
) -> None:
    outcome = started("button_poe", model=model)
    hardware = table("button")
    buttons = [button["pin"] for button in hardware["button"]][:faces]
    pins = {int(pin): role for pin, role in outcome["pins"].items()}
    assert {pin for pin, role in pins.items() if role == "in"} - {hardware["paper"]["busy"]} == set(buttons)
    expected = {*buttons, hardware["piezo"]["pin"], hardware["i2c"]["scl"], hardware["i2c"]["sda"]}
    expected |= {hardware["ethernet"][name] for name in ("mdc", "mdio", "power", "clock")}
    if screen == "paper":
        expected |= {hardware["paper"][name] for name in ("sck", "mosi", "busy")}
        assert outcome["display"] == [400, 300, "mono"]
    assert set(pins) == expected
    assert (outcome["model"], outcome["faces"], outcome["screen"]) == (model, faces, screen)
    assert outcome["answers"] == {"log": 0, **{str(pin): 1 << face for face, pin in enumerate(buttons)}}


def test_the_lights_sink_current_and_the_technician_s_light_follows_the_server(
    started: Callable[..., Any],
) -> None:
    outcome = started("button_poe", model="card5")
    writes = [entry[2] for entry in outcome["log"] if entry[0] == "i2c"]
    assert writes == [[0xFF, 0xFF], [0xFE, 0xFF], [0xFF, 0xFF], [0xDF, 0xFF]]


def test_the_touch_kiosk_opens_the_pins_of_its_table(started: Callable[..., Any]) -> None:
    outcome = started("touch_s3", model="touch")
    hardware = table("touch")
    display, touch, ethernet = hardware["display"], hardware["touch"], hardware["ethernet"]
    assert {int(pin): role for pin, role in outcome["pins"].items()} == {
        display["sck"]: "spi1 sck",
        display["mosi"]: "spi1 mosi",
        display["miso"]: "spi1 miso",
        display["cs"]: "out",
        display["dc"]: "out",
        display["reset"]: "out",
        display["light"]: "pwm",
        touch["interrupt"]: "in",
        touch["reset"]: "out",
        touch["scl"]: "scl",
        touch["sda"]: "sda",
        hardware["piezo"]["pin"]: "pwm",
        ethernet["sck"]: "spi2 sck",
        ethernet["mosi"]: "spi2 mosi",
        ethernet["miso"]: "spi2 miso",
        ethernet["cs"]: "lan cs",
        ethernet["interrupt"]: "lan int",
        ethernet["reset"]: "lan reset",
    }
    assert outcome["display"] == [480, 320, "rgb565"]
    assert (outcome["model"], outcome["faces"], outcome["screen"]) == ("touch", 0, "touch")
    assert outcome["answers"] == {"log": 0, str(touch["interrupt"]): [300, 219]}


@pytest.mark.parametrize(("model", "faces", "screen"), [("button5", 5, "paper"), ("card4", 4, "none")])
def test_the_battery_kiosk_opens_the_pins_of_its_table(
    started: Callable[..., Any], model: str, faces: int, screen: str
) -> None:
    outcome = started("button_battery", model=model)
    hardware = table("battery")
    buttons = [button["pin"] for button in hardware["button"]][:faces]
    expected = dict.fromkeys(buttons, "in") | dict.fromkeys(hardware["lights"]["pins"][:faces], "out")
    expected |= {hardware["piezo"]["pin"]: "pwm", hardware["rail"]["enable"]: "out"}
    bus, paper = hardware["charge_bus"], hardware["paper"]
    expected |= {bus["enable"]: "out", bus["sda"]: "sda", bus["scl"]: "scl"}
    if screen == "paper":
        expected |= {paper[name]: "out" for name in ("cs", "dc", "reset")}
        expected |= {paper["sck"]: "spi1 sck", paper["mosi"]: "spi1 mosi", paper["busy"]: "in"}
        assert outcome["display"] == [400, 300, "mono"]
    assert {int(pin): role for pin, role in outcome["pins"].items()} == expected
    assert outcome["answers"] == {"log": 0, **{str(pin): 1 << face for face, pin in enumerate(buttons)}}
    assert outcome["health"]["supply"] == 3800


@pytest.mark.parametrize("board", ["button_poe", "button_battery", "touch_s3"])
def test_a_board_has_what_the_program_asks_of_it(started: Callable[..., Any], board: str) -> None:
    outcome = started(board)
    assert outcome["name"] == board
    assert (outcome["slot"], outcome["root"], outcome["assets"]) == ("b", "", "/assets")
    assert outcome["journal_flash"] == "the partition journal"
    assert outcome["tells_targets"] is False
    sleeps = board == "button_battery"
    link = ["wifi", True, -60] if sleeps else ["eth", True, None]
    assert outcome["link"] == [*link, [["192.0.2.53", 53]]]
    assert outcome["health"] == {
        "supply": 3800 if sleeps else None,
        "temperature": 50 if board == "button_poe" else 41,
    }
    assert outcome["calls"] == [False, 4, {}, {"ssid": "x"} if sleeps else {}]
    assert outcome["beats"] == 1
    folder = {"button_poe": "button", "button_battery": "battery", "touch_s3": "touch"}[board]
    piezo = table(folder)["piezo"]["pin"]
    tones = [entry[2:] for entry in outcome["log"] if entry[:2] == ["pwm", piezo]]
    assert tones[-3:] == [[2093, 32768], [2637, 32768], [2637, 0]]
