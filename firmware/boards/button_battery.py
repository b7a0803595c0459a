"""The battery button kiosk: PowerFeather ESP32-S3, buttons, lights and piezo on GPIOs, e-paper on a switched supply.

NEVER RUN ON A BOARD YET. The only place with this kiosk's pins and chips; hardware/battery/board.toml holds the same
numbers with their reasons, and a test compares the two. Importing it must stay cheap: it stands between a visitor's
press and its record, so radio, display and gauge are made when the whole program asks for them (`whole`).
"""

import asyncio
import time

import esp32
import machine
from drivers import soc
from drivers.links import Wireless
from drivers.piezo import Piezo
from drivers.soc import log, raise_clock, random, reset, reset_cause, watchdog
from kiosk.version import BUILD, VERSION
from machine import PWM, Pin

__all__ = ("log", "raise_clock", "random", "reset", "reset_cause", "watchdog")

# Left to right: happiest first. Buttons close to ground; all are RTC pins, which have the same numbers there.
BUTTON_PINS = (10, 9, 8, 2, 1)
LIGHT_PINS = (39, 40, 41, 42, 37)
PIEZO_PIN = 16
RAIL_PIN = 4
SPI_SCK_PIN = 36
SPI_MOSI_PIN = 35
PAPER_CS_PIN = 12
PAPER_DC_PIN = 11
PAPER_RESET_PIN = 18
PAPER_BUSY_PIN = 17
GAUGE_SDA_PIN = 47
GAUGE_SCL_PIN = 48
GAUGE_RAIL_PIN = 14

_SPI_HZ = 4_000_000
_I2C_HZ = 100_000
_I2C_TIMEOUT_US = 10_000
_LOW_MV = 3450
_GAUGE_WAKES_MS = 2
# Which pins ended the sleep, as the RTC noted it: the button may be up again before the first line of Python runs.
# ESP32-S3 Technical Reference Manual, RTC_CNTL_EXT_WAKEUP1_STATUS_REG; for images before `machine.wake_pins`.
_WOKEN_BY_REGISTER = 0x600080E4

name = "button_battery"
firmware = VERSION
build = BUILD
root = ""
assets = "/assets"
touch = None
tells_targets = False
sleeps = True
doze = None
display = None

_identity = soc.blob("identity")
_network = soc.blob("network")
model: str = _identity.get("model", "button5")
faces, screen = soc.shape(model)
slot = soc.slot()
journal_flash = soc.journal_partition()


def _pin(number: int, mode: int, hold: bool, **more) -> Pin:
    """A pin that keeps its pad over a sleep, or no longer does."""
    # The stubs do not know it; docs.micropython.org, esp32/quickref, deep-sleep mode.
    return Pin(number, mode, hold=hold, **more)  # type: ignore[call-arg]


# The sleep held them: their pull-ups stayed on in it.
_buttons = [_pin(pin, Pin.IN, False, pull=Pin.PULL_UP) for pin in BUTTON_PINS[:faces]]
_lights = [Pin(pin, Pin.OUT, value=0) for pin in LIGHT_PINS[:faces]]
_piezo = Piezo(PWM(Pin(PIEZO_PIN), freq=2000, duty_u16=0), asyncio.ThreadSafeFlag(), asyncio.sleep)
_rail = _pin(RAIL_PIN, Pin.OUT, False, value=1)  # of the piezo too
_edge = asyncio.ThreadSafeFlag()
_latched = 0
_gauge = None


class _Radio(Wireless):
    """The station, made when the first session begins: it costs time and charge, and most wakings need none."""

    def __init__(self, settings: dict) -> None:
        super().__init__(None, asyncio.sleep, settings)

    def _start(self) -> None:
        if self._nic is None:
            import network as net

            self._nic = net.WLAN(net.STA_IF)
        super()._start()

    def off(self) -> None:
        if self._nic is not None:
            self._nic.active(False)


link = _Radio(_network)


def _watch(face: int) -> None:
    bit = 1 << face

    def touched(pin: Pin) -> None:
        global _latched
        _latched |= bit
        _edge.set()

    _buttons[face].irq(handler=touched, trigger=Pin.IRQ_FALLING)


for _face in range(faces):
    _watch(_face)  # from here on: what is touched while the program loads is not lost


def woken() -> int | None:
    """Mask of the faces that ended the sleep, 0: the timer did, None: it was no sleep."""
    if reset_cause() != machine.DEEPSLEEP_RESET:
        return None
    if machine.wake_reason() != machine.EXT1_WAKE:
        return 0
    if hasattr(machine, "wake_pins"):
        pins = machine.wake_pins()
    else:
        status = machine.mem32[_WOKEN_BY_REGISTER]
        pins = tuple([pin for pin in BUTTON_PINS if status >> pin & 1])
    mask = 0
    for face in range(faces):
        if BUTTON_PINS[face] in pins:
            mask |= 1 << face
    return mask


def kept() -> bytes:
    """What `keep` was given before the sleep."""
    return bytes(machine.RTC().memory())


def keep(data: bytes) -> None:
    machine.RTC().memory(data)


def wall_ms() -> int:
    """A clock that runs on in deep sleep, by the chip's RC oscillator."""
    return time.time_ns() // 1_000_000


def touched() -> int:
    """Mask of the faces touched since the last call of `pressed`."""
    return _latched


def deep_sleep(ms: int, mask: int) -> None:
    """Sleep until a button of the mask goes down, at most so long. Does not return."""
    link.off()
    if display is not None:
        # Low or open before the supply goes, or the display is fed through its wires.
        for pin in (SPI_SCK_PIN, SPI_MOSI_PIN, PAPER_CS_PIN, PAPER_DC_PIN, PAPER_RESET_PIN):
            Pin(pin, Pin.OUT, value=0)
    _pin(RAIL_PIN, Pin.OUT, True, value=0)
    _pin(GAUGE_RAIL_PIN, Pin.OUT, True, value=0)
    # Held, the pads keep their pull-ups although the RTC's peripherals lose their supply.
    buttons = [_pin(pin, Pin.IN, True, pull=Pin.PULL_UP) for pin in BUTTON_PINS[:faces]]
    # On the ESP32-S3 ext1 at low level means any of them, whatever the name says.
    wakers = tuple([buttons[face] for face in range(faces) if mask >> face & 1])
    esp32.wake_on_ext1(wakers, esp32.WAKEUP_ALL_LOW)
    machine.deepsleep(ms)


def whole() -> None:
    """The whole program is to run: make what only it needs."""
    global display
    if screen == "paper" and display is None:
        from drivers.ssd1683 import Ssd1683

        busy = Pin(PAPER_BUSY_PIN, Pin.IN)
        spi = machine.SPI(1, baudrate=_SPI_HZ, sck=Pin(SPI_SCK_PIN), mosi=Pin(SPI_MOSI_PIN), miso=busy)
        cs, dc, reset_pin = [
            Pin(pin, Pin.OUT, value=1) for pin in (PAPER_CS_PIN, PAPER_DC_PIN, PAPER_RESET_PIN)
        ]
        display = Ssd1683(spi, cs, dc, reset_pin, busy, time.sleep_ms, time.ticks_ms, asyncio.sleep)


def start() -> None:
    """Called once inside each running event loop: everything is armed since the import."""


def identity() -> dict:
    return _identity


def network() -> dict:
    return _network


def pressed() -> int:
    """Mask of the faces down now or touched since the last call."""
    global _latched
    mask = _latched
    _latched = 0
    for face in range(faces):
        if not _buttons[face].value():
            mask |= 1 << face
    return mask


def simulated() -> bool:
    return False


async def wait_edge() -> None:
    await _edge.wait()


def light(face: int, on: bool) -> None:
    _lights[face](int(on))


def light_all(on: bool) -> None:
    for pin in _lights:
        pin(int(on))


def sound(tune: str) -> None:
    _piezo.play(tune)


def show(what: dict) -> None:
    """What there is to see is drawn on `display`; there is no light for the technician."""


def health() -> dict:
    """The battery's voltage by the gauge; the chip's own sensor tells trends, not the room's degrees."""
    # The stubs are those of the first ESP32, which has another sensor.
    return {"supply": _supply(), "temperature": esp32.mcu_temperature()}  # type: ignore[attr-defined]


def faults() -> list:
    """What is wrong with the chips, a sentence each."""
    found = [display.fault] if display is not None and display.fault else []
    supply = _supply()
    if supply is not None and supply < _LOW_MV:
        found.append("battery: %d mV, charge it" % supply)
    return found


async def background(beat) -> None:
    """Plays the tunes, so that nothing else waits for them."""
    await _piezo.run(beat)


def _supply() -> int | None:
    global _gauge
    from drivers.lc709204f import millivolts

    if _gauge is None:
        _pin(GAUGE_RAIL_PIN, Pin.OUT, False, value=1)
        time.sleep_ms(_GAUGE_WAKES_MS)
        _gauge = machine.I2C(
            0, scl=Pin(GAUGE_SCL_PIN), sda=Pin(GAUGE_SDA_PIN), freq=_I2C_HZ, timeout=_I2C_TIMEOUT_US
        )
    found: int | None = millivolts(_gauge)
    return found
