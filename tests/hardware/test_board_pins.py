"""The board file and hardware/button/board.toml say the same; no pin is used twice or against its nature."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BOARD_FILE = ROOT / "firmware" / "boards" / "button_poe.py"
INPUT_ONLY = {34, 35, 36, 37, 38, 39}
ON_THE_CHIP = {*range(0, 20), 21, 22, 23, 25, 26, 27, *range(32, 40)}


def constants(path: Path) -> dict[str, Any]:
    """The literal constants at the top of a module (it imports `machine` and cannot be imported here)."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


@pytest.fixture(scope="module")
def code() -> dict[str, Any]:
    return constants(BOARD_FILE)


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "hardware" / "button" / "board.toml").read_text())


def used_pins(table: dict[str, Any]) -> list[int]:
    ours = [button["pin"] for button in table["button"]]
    others = [table["piezo"]["pin"], table["status_led"]["pin"]]
    return [*ours, *others, table["i2c"]["scl"], table["i2c"]["sda"]]


def test_the_board_file_has_the_pins_of_the_table(code: dict[str, Any], table: dict[str, Any]) -> None:
    assert code["name"] == table["board"]["name"]
    assert list(code["BUTTON_PINS"]) == [button["pin"] for button in table["button"]]
    assert [button["face"] for button in table["button"]] == list(range(5))
    assert code["STATUS_LED_PIN"] == table["status_led"]["pin"]
    assert code["PIEZO_PIN"] == table["piezo"]["pin"]
    assert (code["I2C_SCL_PIN"], code["I2C_SDA_PIN"]) == (table["i2c"]["scl"], table["i2c"]["sda"])
    assert code["_I2C_HZ"] == table["i2c"]["hertz"]
    assert code["LIGHTS_ADDRESS"] == table["lights"]["address"]
    assert table["lights"]["bits"] == list(range(5))
    ethernet = table["ethernet"]
    assert code["ETH_MDC_PIN"] == ethernet["mdc"]
    assert code["ETH_MDIO_PIN"] == ethernet["mdio"]
    assert code["ETH_POWER_PIN"] == ethernet["power"]
    assert code["ETH_CLOCK_PIN"] == ethernet["clock"]
    assert code["ETH_PHY_ADDRESS"] == ethernet["address"]


def test_every_pin_in_the_board_file_is_in_the_table(code: dict[str, Any], table: dict[str, Any]) -> None:
    known = {*used_pins(table), *(int(pin) for pin in table["reserved"])}
    for name, value in code.items():
        if name.endswith("_PIN"):
            assert value in known, name


def test_no_pin_is_used_twice_or_belongs_to_the_board(table: dict[str, Any]) -> None:
    pins = used_pins(table)
    reserved = {int(pin) for pin in table["reserved"]}
    assert len(pins) == len(set(pins))
    assert not reserved & set(pins)
    assert set(pins) <= ON_THE_CHIP
    ethernet = table["ethernet"]
    assert {ethernet[name] for name in ("mdc", "mdio", "power", "clock")} <= reserved


def test_outputs_and_pulled_up_inputs_are_not_on_input_only_pins(table: dict[str, Any]) -> None:
    assert not INPUT_ONLY & set(used_pins(table))


def test_nothing_holds_a_strapping_pin_in_a_state_that_stops_the_boot(table: dict[str, Any]) -> None:
    # 0 must not be low, 12 not high, 2 not high while flashing; 5 and 15 do not matter to us.
    buttons = {button["pin"] for button in table["button"]}
    assert not {0, 2, 12} & buttons
    assert not {0, 12} & set(used_pins(table))
