"""The steps of the acceptance test: what each asks of board and person, and what passes. Knows no port and no file.

The names are those that the server has words for (fleet_server/technician/steps.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from provisioning.acceptance.bench import Bench
from provisioning.acceptance.record import FAILED, PASSED, SKIPPED, Measure, Result
from provisioning.acceptance.scratch import scratch_sector
from provisioning.errors import Lost, ProvisioningError
from provisioning.flash_layout import SECTOR_BYTES, Partition

# A finger that stays longer than this has not let go: the firmware calls a button stuck after 10 s of it.
_HELD_MS = 2000
_LET_GO_MS = 3000
_CORNER_PIXELS = 64
_CORNERS = ("top left", "top right", "bottom right", "bottom left")
_BLACK, _WHITE = [0, 0, 0], [255, 255, 255]
_COLOURS = [[255, 0, 0], [0, 255, 0], [0, 0, 255], _WHITE, _BLACK]
# Below that a kiosk's link is known to break; an estimate, to be measured where kiosks stand.
_WEAKEST_DBM = -75.0
_CONNECT_S = 20.0  # what the firmware gives an interface
_PAPER_S = 20.0
# 5 V of USB 2.0 at the board's socket; PoE boards make the same rail.
_SUPPLY_V = (4.75, 5.25)

Check = Callable[[Bench], Result]


def plan(facts: Mapping[str, Any]) -> list[str]:
    """The names of the steps that a board has parts for, in the order in which they are done."""
    pages = {"paper": ["paper"], "touch": ["touch", "screen"]}.get(facts["screen"], [])
    front = ["buttons", "lights"] if facts["faces"] else []
    return [*front, "sound", *pages, "radio", "ethernet", "flash", "supply"]


def buttons(bench: Bench) -> Result:
    """Each button, while its light shines: stuck, never pressed and wrong are told apart."""
    faces = bench.facts["faces"]
    held: list[int] = bench.call("held", _HELD_MS, wait_s=_HELD_MS / 1000)
    faults = []
    for face in held:
        faults.append(f"{face + 1} stuck from the start")
        bench.say.failed(f"button {face + 1} is stuck: down though nobody presses", bench.step)
    for face in range(faces):
        if face not in held:
            faults += _button(bench, face, faces, held)
    if faults:
        return Result(FAILED, "button " + "; ".join(faults))
    return Result(PASSED, f"{faces} of {faces}, each under its own light")


def _button(bench: Bench, face: int, faces: int, held: list[int]) -> list[str]:
    """What is wrong with one button, in few words. A wrong one is asked for once more: it may have been the finger."""
    wait_ms = int(bench.press_s * 1000)
    wrong: list[int] = []
    for attempt in range(2):
        bench.doing(f"press the button whose light shines ({face + 1} of {faces})")
        got = bench.call("button", face, held, wait_ms, _LET_GO_MS, wait_s=(wait_ms + _LET_GO_MS) / 1000)
        pressed: list[int] = got["pressed"]
        if not pressed:
            bench.say.failed(f"button {face + 1} did not answer: button, light or plug", bench.step)
            return [f"{face + 1} no answer in {bench.press_s:g} s"]
        if not got["let_go"]:
            held.extend(pressed)
            bench.say.failed(f"button {_named(pressed)} is stuck: it did not come up again", bench.step)
            return [f"{_named(pressed)} stuck after a press"]
        if pressed == [face]:
            return []
        wrong = pressed
        if attempt == 0:
            bench.say.hint(f"that was button {_named(wrong)}; once more", bench.step)
    bench.say.failed(f"button {_named(wrong)} again: are two plugs exchanged?", bench.step)
    return [f"{face + 1} lit, {_named(wrong)} answered"]


def _named(faces: list[int]) -> str:
    return " and ".join(str(face + 1) for face in faces)


def lights(bench: Bench) -> Result:
    """All lights at once: a dark one shows, and an expander that does not answer says so itself."""
    result = bench.judged(
        lambda: bench.call("lights", True),
        f"Do all {bench.facts['faces']} lights shine?",
        "not all lights shone",
    )
    bench.call("lights", False)
    faults = bench.call("faults")
    return Result(FAILED, "; ".join(faults)) if faults else result


def sound(bench: Bench) -> Result:
    """The tune of thanks, to a person's ear."""
    return bench.judged(
        lambda: bench.call("sound", "thanks", wait_s=3), "Was a tune heard?", "no tune was heard"
    )


def touch(bench: Bench) -> Result:
    """A square in each corner: a finger on it, and the panel's own word where it was."""
    faults: list[str] = []
    for number, name in enumerate(_CORNERS):
        fault = _corner(bench, number, name)
        if fault:
            bench.say.failed(fault, bench.step)
            faults.append(fault)
    return (
        Result(FAILED, "; ".join(faults)) if faults else Result(PASSED, "four corners, each under the finger")
    )


def _corner(bench: Bench, number: int, name: str) -> str:
    wait_ms = int(bench.press_s * 1000)
    place = ""
    for attempt in range(2):
        bench.doing(f"touch the white square, {name} ({number + 1} of 4)")
        got = bench.call("corner", number, _CORNER_PIXELS, wait_ms, wait_s=2 * wait_ms / 1000)
        if got["fault"]:
            raise ProvisioningError(got["fault"])
        if got["at"] is None:
            return f"{name}: no touch in {bench.press_s:g} s"
        if not got["let_go"]:
            return f"{name}: the touch does not end"
        x, y = got["at"]
        place = f"{x}, {y}"
        width, height = got["size"]
        across = width - 1 - x if number in (1, 2) else x
        down = height - 1 - y if number in (2, 3) else y
        if max(across, down) < _CORNER_PIXELS:
            return ""
        if attempt == 0:
            bench.say.hint(f"the touch was seen at {place}; once more", bench.step)
    return f"{name}: seen at {place}"


def screen(bench: Bench) -> Result:
    """Five bars: exchanged colours, lost lines and a dark backlight show."""
    return bench.judged(
        lambda: bench.call("bars", _COLOURS, wait_s=5),
        "Five bars, from left to right red, green, blue, white, black, without stripes?",
        "the screen did not show the five bars",
    )


def paper(bench: Bench) -> Result:
    """Half black, half white."""
    return bench.judged(
        lambda: bench.call("bars", [_BLACK, _WHITE], wait_s=_PAPER_S),
        "Is the left half black and the right half white, without stripes?",
        "the e-paper did not show its halves",
    )


def radio(bench: Bench) -> Result:
    """How strongly a network is heard. Names nobody's network but the one that was asked for."""
    if bench.facts["link"] != "wifi" and not bench.ssid:
        return Result(SKIPPED, "a wired kiosk; --ssid NAME tries its radio")
    heard = bench.call("radio", bench.ssid, wait_s=15)
    if heard is None:
        return Result(FAILED, f"network '{bench.ssid}' is not heard" if bench.ssid else "no network is heard")
    signal = Measure("signal", float(heard[1]), "dBm", low=_WEAKEST_DBM)
    what = f"network '{bench.ssid}'" if bench.ssid else "the strongest network here"
    return Result(PASSED if signal.kept else FAILED, what, (signal,))


def ethernet(bench: Bench) -> Result:
    """An address by the cable. MicroPython does not tell the speed of a link; the time is what can be measured."""
    if bench.facts["link"] == "wifi":
        return Result(SKIPPED, "a kiosk with a radio has no network socket")
    bench.doing("network cable in? waiting for an address")
    got = bench.call("network", wait_s=_CONNECT_S + 10)
    if "error" in got:
        return Result(FAILED, got["error"])
    taken = Measure("seconds", round(got["ms"] / 1000, 1), "s", high=_CONNECT_S)
    return Result(
        PASSED if taken.kept else FAILED, "an address; the speed is not told by MicroPython", (taken,)
    )


def flash(bench: Bench) -> Result:
    """Erase, write and read one sector that nothing needs. The journal's flash is the same chip, and is not touched."""
    rows = bench.call("partitions")
    if rows is None:
        return Result(SKIPPED, "this MicroPython has no flash partitions")
    found = scratch_sector([Partition(label, *row) for *row, label in rows])
    if found is None:
        return Result(SKIPPED, "the partition table has no sector that nothing needs")
    got = bench.call("flash", found.offset, wait_s=10)
    where = f"{found.label} at {found.offset:#x}"
    if got.get("held"):
        return Result(SKIPPED, f"{where} holds the radio's start values")
    taken = Measure("seconds", round(got["ms"] / 1000, 2), "s")
    bad = got["bad"]
    if bad["erased"] or bad["written"]:
        wrong = f"{bad['erased']} bytes wrong after erasing, {bad['written']} after writing"
        return Result(FAILED, f"{where}: {wrong}", (taken,))
    return Result(PASSED, f"{where}: {SECTOR_BYTES} bytes erased, written and read twice", (taken,))


def supply(bench: Bench) -> Result:
    """The supply's voltage: the board's own measurement, else a meter's."""
    low, high = _SUPPLY_V
    found = bench.call("supply")
    volt, how = (
        (found / 1000, "measured by the board") if found is not None else (bench.supply, "read from a meter")
    )
    if volt is None:
        return Result(
            SKIPPED, "this board cannot measure it: read its 5 V with a meter; --only supply --supply VOLT"
        )
    measured = Measure("voltage", volt, "V", low, high)
    return Result(PASSED if measured.kept else FAILED, how, (measured,))


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (buttons, lights, sound, touch, screen, paper, radio, ethernet, flash, supply)
}


def done(bench: Bench, name: str) -> Result:
    """One step. What the board itself could not do is a failure of that step; a broken line is not (Lost)."""
    bench.step = name
    try:
        return CHECKS[name](bench)
    except Lost:
        raise
    except ProvisioningError as error:
        return Result(FAILED, str(error))
