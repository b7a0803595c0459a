"""A wrong pin, part or case in a board.toml is refused, and the sentence says what is wrong: one mutant a rule."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hardware import enclosure, parts, rules
from hardware.board import FOLDER, MODELS, Board, load
from hardware.chips import CHIPS

Table = dict[str, Any]


def put(place: str, value: Any) -> Callable[[Table], None]:
    """Sets `section.key` or `section.0.key`."""

    def change(table: Table) -> None:
        *steps, last = place.split(".")
        target: Any = table
        for step in steps:
            target = target[int(step) if isinstance(target, list) else step]
        target[int(last) if isinstance(target, list) else last] = value

    return change


def moved(place: str, pin: int) -> Callable[[Table], None]:
    """Puts a use on a pin that was reserved, as a careless hand would: the reservation goes."""

    def change(table: Table) -> None:
        put(place, pin)(table)
        table["reserved"].pop(str(pin), None)

    return change


def without(section: str, key: str) -> Callable[[Table], None]:
    return lambda table: table[section].pop(key) and None


def lost_wire(table: Table) -> None:
    table["cable"][0]["wires"].pop()


def doubled_wire(table: Table) -> None:
    table["cable"][1]["wires"].append(table["cable"][1]["wires"][0])


def wire_to_nothing(table: Table) -> None:
    table["cable"][0]["wires"].append(["RD", "board:@ethernet.power", "carrier:3V3"])


def gauge(pin: int) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        table["gauge"] = {"sense": pin}
        table["cable"][1]["wires"].append(["RD", "board:@gauge.sense", "carrier:SENSE"])

    return change


PIN_MUTANTS = [
    ("button", put("piezo.pin", 32), "GPIO32: used twice, for button 1 and piezo pin"),
    ("button", put("lights.outputs", [0, 1, 2, 3, 5]), "output 5 of the expander: used twice"),
    ("button", put("paper.cs_output", 16), "output 16 of the expander: there are 0 to 15"),
    ("button", put("piezo.pin", 34), "GPIO34 (piezo pin): can only be an input"),
    ("button", put("i2c.sda", 36), "GPIO36 (i2c sda): can only be an input"),
    ("button", put("button.0.pin", 39), "belongs to the board: external power sense"),
    ("button", moved("button.0.pin", 39), "sees edges that nobody made"),
    ("button", moved("button.0.pin", 0), "strapping pin: low: waits for flashing"),
    ("button", moved("piezo.pin", 12), "strapping pin: high: the flash gets 1.8 V"),
    ("button", put("button.4.pin", 2), "strapping pin: high: cannot be flashed"),
    ("button", moved("paper.mosi", 9), "is the flash's or the PSRAM's"),
    ("button", without("reserved", "6"), "GPIO6: flash, PSRAM, USB or console, but not in [reserved]"),
    ("button", moved("piezo.pin", 1), "is USB's or the console's"),
    ("button", put("piezo.pin", 24), "GPIO24 (piezo pin): no such pin"),
    ("button", put("reserved.29", "nothing"), "GPIO29: no such pin on ESP32"),
    (
        "button",
        without("reserved", "12"),
        "GPIO12 (ethernet power): is wired on the board but not in [reserved]",
    ),
    ("button", put("board.chip", "esp32c3"), "chip 'esp32c3' is unknown"),
    ("button", lost_wire, "GPIO36 (paper busy): 0 wires go there, not one"),
    ("button", doubled_wire, "GPIO32 (button 1): 2 wires go there, not one"),
    ("button", wire_to_nothing, "GPIO12: a wire goes there, but nothing uses it"),
    ("button", lambda table: table.pop("expander") and None, "there is no [expander]"),
    ("touch", moved("display.sck", 35), "is the flash's or the PSRAM's"),
    ("touch", moved("touch.interrupt", 45), "strapping pin: high: the flash gets 1.8 V"),
    ("touch", moved("piezo.pin", 19), "is USB's or the console's"),
    ("touch", put("touch.scl", 13), "belongs to the board: Ethernet clock"),
    ("battery", moved("button.2.pin", 38), "GPIO38 (button 3): cannot wake the chip from deep sleep"),
    ("battery", moved("button.2.pin", 3), "strapping pin: where JTAG is taken from"),
    ("battery", put("rail.enable", 38), "GPIO38 (rail enable): cannot keep its level in deep sleep"),
    ("battery", gauge(15), "GPIO15 (gauge sense): ADC2 does not work beside Wi-Fi"),
    ("battery", put("lights.pins.0", 28), "is the flash's or the PSRAM's"),
]
CASE_MUTANTS = [
    ("button", "mount_bottom", 1300, "EN 301 549: 380 to 1220"),
    ("button", "mount_bottom", 300, "EN 301 549: 380 to 1220"),
    ("touch", "mount_bottom", 1090, "its draft: 800 to 1100"),
    ("button", "tilt", 60, "mm deep; at most 255"),
    ("button", "pitch", 50, "closer than 12 mm"),
    ("battery", "cap", 18, "smaller than 20 mm"),
    ("battery", "width", 280, "do not fit between the sides"),
    ("battery", "window_up", 110, "covers the question"),
]


def changed(model: str, change: Callable[[Table], None]) -> Board:
    table = copy.deepcopy(load(model).table)
    change(table)
    return Board(model, table)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_keeps_the_rules(model: str) -> None:
    board = load(model)
    assert rules.faults(board) + parts.faults(board) + enclosure.faults(board) == []


@pytest.mark.parametrize(
    ("model", "change", "sentence"), PIN_MUTANTS, ids=[f"{m[0]}: {m[2]}" for m in PIN_MUTANTS]
)
def test_a_wrong_pin_is_refused(model: str, change: Callable[[Table], None], sentence: str) -> None:
    found = rules.faults(changed(model, change))
    assert any(sentence in fault for fault in found), found


@pytest.mark.parametrize(("model", "size", "value", "sentence"), CASE_MUTANTS)
def test_a_case_out_of_reach_or_too_tight_is_refused(
    model: str, size: str, value: int, sentence: str
) -> None:
    found = enclosure.faults(changed(model, put(f"case.{size}", value)))
    assert any(sentence in fault for fault in found), found


def test_a_price_needs_its_date_and_source() -> None:
    assert "without currency, date and source" in parts.faults(changed("touch", put("part.2.price", 20.0)))[0]

    def priced(table: Table) -> None:
        table["part"][2] |= {
            "price": 20,
            "currency": "EUR",
            "price_date": "2026-11-30",
            "price_source": "a shop",
        }

    board = changed("touch", priced)
    assert parts.faults(board) == []
    assert "20.00 EUR (2026-11-30, a shop)" in parts.markdown(board)
    assert "(25.99 USD and 20.00 EUR in all)" in parts.markdown(board)
    assert parts.as_csv(board).count(parts.ASK) == len(board.table["part"]) - 2


def test_a_reference_to_nothing_is_named() -> None:
    with pytest.raises(KeyError, match=r"hardware/button/board.toml has no 'paper.beep'"):
        load("button").at("paper.beep")


def test_a_model_that_can_be_flashed_has_its_board_file_and_one_that_has_none_says_so() -> None:
    from provisioning.firmware_files import boards_of
    from provisioning.models import MODELS as KIOSKS

    named = []
    for model in MODELS:
        about = load(model).table["board"]
        named += about["kiosk_models"]
        if about["firmware_module"]:
            assert (FOLDER.parent / about["firmware_module"]).exists()
        else:
            assert "not built" in about["firmware"]
            assert about["kiosk_models"] == []
    assert set(named) == set(KIOSKS)
    for kiosk in KIOSKS:
        assert sorted(
            load(model).table["board"]["name"]
            for model in MODELS
            if kiosk in load(model).table["board"]["kiosk_models"]
        ) == sorted(boards_of(kiosk))


@pytest.mark.parametrize("name", CHIPS)
def test_the_tables_of_a_chip_speak_of_pins_that_exist_and_name_their_source(name: str) -> None:
    chip = CHIPS[name]
    for pins in (chip.input_only, chip.memory, chip.rtc, chip.adc2, chip.console, chip.usb, chip.ghost_edges):
        assert pins <= chip.pins
    assert set(chip.strapping) <= chip.pins
    assert "Espressif" in chip.source
