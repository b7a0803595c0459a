"""The board files and hardware/*/board.toml say the same; what a pin may be used for is held by test_rules.py."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BOARDS = {"button_poe": "button", "button_battery": "battery", "touch_s3": "touch"}


def constants(name: str) -> dict[str, Any]:
    """The literal constants at the top of a board file (it imports `machine` and cannot be imported here)."""
    found = {}
    for node in ast.parse((ROOT / "firmware" / "boards" / f"{name}.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def table_of(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "hardware" / BOARDS[name] / "board.toml").read_text())


BUTTON, BUTTON_CODE = table_of("button_poe"), constants("button_poe")
BATTERY, BATTERY_CODE = table_of("button_battery"), constants("button_battery")
TOUCH, TOUCH_CODE = table_of("touch_s3"), constants("touch_s3")

# constant of the board file -> the same in the table
BUTTON_PAIRS = {
    "PIEZO_PIN": BUTTON["piezo"]["pin"],
    "I2C_SCL_PIN": BUTTON["i2c"]["scl"],
    "I2C_SDA_PIN": BUTTON["i2c"]["sda"],
    "_I2C_HZ": BUTTON["i2c"]["hertz"],
    "SPI_SCK_PIN": BUTTON["paper"]["sck"],
    "SPI_MOSI_PIN": BUTTON["paper"]["mosi"],
    "_SPI_HZ": BUTTON["paper"]["hertz"],
    "PAPER_BUSY_PIN": BUTTON["paper"]["busy"],
    "EXPANDER_ADDRESS": BUTTON["expander"]["address"],
    "STATUS_LED_OUTPUT": BUTTON["status_led"]["output"],
    "PAPER_CS_OUTPUT": BUTTON["paper"]["cs_output"],
    "PAPER_DC_OUTPUT": BUTTON["paper"]["dc_output"],
    "PAPER_RESET_OUTPUT": BUTTON["paper"]["reset_output"],
    "ETH_MDC_PIN": BUTTON["ethernet"]["mdc"],
    "ETH_MDIO_PIN": BUTTON["ethernet"]["mdio"],
    "ETH_POWER_PIN": BUTTON["ethernet"]["power"],
    "ETH_CLOCK_PIN": BUTTON["ethernet"]["clock"],
    "ETH_PHY_ADDRESS": BUTTON["ethernet"]["address"],
}
BATTERY_PAIRS = {
    "PIEZO_PIN": BATTERY["piezo"]["pin"],
    "RAIL_PIN": BATTERY["rail"]["enable"],
    "SPI_SCK_PIN": BATTERY["paper"]["sck"],
    "SPI_MOSI_PIN": BATTERY["paper"]["mosi"],
    "_SPI_HZ": BATTERY["paper"]["hertz"],
    "PAPER_CS_PIN": BATTERY["paper"]["cs"],
    "PAPER_DC_PIN": BATTERY["paper"]["dc"],
    "PAPER_RESET_PIN": BATTERY["paper"]["reset"],
    "PAPER_BUSY_PIN": BATTERY["paper"]["busy"],
    "GAUGE_SDA_PIN": BATTERY["charge_bus"]["sda"],
    "GAUGE_SCL_PIN": BATTERY["charge_bus"]["scl"],
    "GAUGE_RAIL_PIN": BATTERY["charge_bus"]["enable"],
    "_I2C_HZ": BATTERY["charge_bus"]["hertz"],
}
TOUCH_PAIRS = {
    "LCD_SCK_PIN": TOUCH["display"]["sck"],
    "LCD_MISO_PIN": TOUCH["display"]["miso"],
    "LCD_MOSI_PIN": TOUCH["display"]["mosi"],
    "LCD_CS_PIN": TOUCH["display"]["cs"],
    "LCD_RESET_PIN": TOUCH["display"]["reset"],
    "LCD_DC_PIN": TOUCH["display"]["dc"],
    "LCD_LIGHT_PIN": TOUCH["display"]["light"],
    "_LCD_HZ": TOUCH["display"]["hertz"],
    "TOUCH_INT_PIN": TOUCH["touch"]["interrupt"],
    "TOUCH_SDA_PIN": TOUCH["touch"]["sda"],
    "TOUCH_SCL_PIN": TOUCH["touch"]["scl"],
    "TOUCH_RESET_PIN": TOUCH["touch"]["reset"],
    "_I2C_HZ": TOUCH["touch"]["hertz"],
    "PIEZO_PIN": TOUCH["piezo"]["pin"],
    "ETH_RESET_PIN": TOUCH["ethernet"]["reset"],
    "ETH_INT_PIN": TOUCH["ethernet"]["interrupt"],
    "ETH_MOSI_PIN": TOUCH["ethernet"]["mosi"],
    "ETH_MISO_PIN": TOUCH["ethernet"]["miso"],
    "ETH_SCK_PIN": TOUCH["ethernet"]["sck"],
    "ETH_CS_PIN": TOUCH["ethernet"]["cs"],
    "ETH_PHY_ADDRESS": TOUCH["ethernet"]["address"],
    "_ETH_HZ": TOUCH["ethernet"]["hertz"],
}
PAIRS = {
    "button_poe": (BUTTON_CODE, BUTTON_PAIRS),
    "button_battery": (BATTERY_CODE, BATTERY_PAIRS),
    "touch_s3": (TOUCH_CODE, TOUCH_PAIRS),
}
ON_BOARD = ("ETH_", "GAUGE_", "RAIL_")  # wired on the board itself


def ours(name: str) -> list[int]:
    """Pins that we connect something to, as the board file has them."""
    code, pairs = PAIRS[name]
    single = [code[key] for key in pairs if key.endswith("_PIN") and not key.startswith(ON_BOARD)]
    return [*code.get("BUTTON_PINS", ()), *code.get("LIGHT_PINS", ()), *single]


def reserved(name: str) -> set[int]:
    return {int(pin) for pin in table_of(name)["reserved"]}


@pytest.mark.parametrize("name", BOARDS)
def test_the_board_file_has_the_numbers_of_the_table(name: str) -> None:
    code, pairs = PAIRS[name]
    assert code["name"] == table_of(name)["board"]["name"] == name
    assert {key: code[key] for key in pairs} == pairs


def test_the_buttons_and_lights_are_those_of_the_table() -> None:
    assert list(BUTTON_CODE["BUTTON_PINS"]) == [button["pin"] for button in BUTTON["button"]]
    assert [button["face"] for button in BUTTON["button"]] == list(range(5))
    assert BUTTON["lights"]["outputs"] == list(range(5))
    assert list(BATTERY_CODE["BUTTON_PINS"]) == [button["pin"] for button in BATTERY["button"]]
    assert list(BATTERY_CODE["LIGHT_PINS"]) == BATTERY["lights"]["pins"]


@pytest.mark.parametrize("name", BOARDS)
def test_no_number_of_the_board_file_is_missing_from_the_comparison(name: str) -> None:
    code, pairs = PAIRS[name]
    numbers = {key for key in code if key.endswith(("_PIN", "_OUTPUT", "_ADDRESS", "_HZ"))}
    assert numbers - {"_LIGHT_HZ"} == set(pairs)


@pytest.mark.parametrize("name", BOARDS)
def test_no_pin_is_used_twice_or_belongs_to_the_board(name: str) -> None:
    pins = ours(name)
    assert len(pins) == len(set(pins))
    assert not reserved(name) & set(pins)
    code, pairs = PAIRS[name]
    ethernet = [code[key] for key in pairs if key.startswith(ON_BOARD) and key.endswith("_PIN")]
    assert len(ethernet) == len(set(ethernet))
    assert set(ethernet) <= reserved(name)


def test_the_two_chips_of_the_touch_kiosk_that_speak_spi_have_a_bus_each() -> None:
    assert not {TOUCH["display"][pin] for pin in ("sck", "mosi", "miso")} & {
        TOUCH["ethernet"][pin] for pin in ("sck", "mosi", "miso")
    }
