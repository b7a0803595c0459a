"""The button kiosk: Olimex ESP32-POE-ISO (16 MB, WROOM), buttons on GPIOs, lights and e-paper by an expander, a piezo.

The only place with this kiosk's pins, network drivers and chips; hardware/button/board.toml holds the same
numbers with their reasons, and a test compares the two. The module is the board, like `boards/unix.py`.
"""

import asyncio
import time

import esp32
import network as net
from drivers import soc
from drivers.links import Link, Wired, Wireless
from drivers.pcf8575 import Pcf8575
from drivers.piezo import Piezo
from drivers.soc import log, raise_clock, random, reset, reset_cause, watchdog
from kiosk.check import lend
from kiosk.store import kept
from kiosk.version import BUILD, VERSION
from machine import I2C, PWM, SPI, Pin

__all__ = ("raise_clock", "random", "reset", "reset_cause", "watchdog")

# Left to right: happiest first. Buttons close to ground.
BUTTON_PINS = (32, 33, 34, 4, 5)
PIEZO_PIN = 15
I2C_SCL_PIN = 16
I2C_SDA_PIN = 13
SPI_SCK_PIN = 14
SPI_MOSI_PIN = 2
PAPER_BUSY_PIN = 36
ETH_MDC_PIN = 23
ETH_MDIO_PIN = 18
ETH_POWER_PIN = 12
ETH_CLOCK_PIN = 17
ETH_PHY_ADDRESS = 0

EXPANDER_ADDRESS = 0x20
# Outputs of the expander. It sinks current: 0 is light.
STATUS_LED_OUTPUT = 5
PAPER_CS_OUTPUT = 8
PAPER_DC_OUTPUT = 9
PAPER_RESET_OUTPUT = 10

_I2C_HZ = 400_000
_I2C_TIMEOUT_US = 10_000  # a wire that is held low: the press path meets the lights' write
_SPI_HZ = 4_000_000
_FAULTS_S = 10

name = "button_poe"
firmware = VERSION
build = BUILD
root = ""
assets = "/assets"
touch = None
tells_targets = False

_identity = soc.blob("identity")
_network = soc.blob("network")
if kept("/state/network"):
    _identity, _network = lend("trial").effective(root, _identity, _network)
model: str = _identity.get("model", "button5")
faces, screen = soc.shape(model)
slot = soc.slot()
journal_flash = soc.journal_partition()

# A pin from 34 on has no pull-up in the chip; the connector's does for all.
_buttons = [Pin(pin, Pin.IN, Pin.PULL_UP) if pin < 34 else Pin(pin, Pin.IN) for pin in BUTTON_PINS[:faces]]
_i2c = I2C(0, scl=Pin(I2C_SCL_PIN), sda=Pin(I2C_SDA_PIN), freq=_I2C_HZ, timeout=_I2C_TIMEOUT_US)
_expander = Pcf8575(_i2c, EXPANDER_ADDRESS)
_piezo = Piezo(PWM(Pin(PIEZO_PIN), freq=2000, duty_u16=0), asyncio.ThreadSafeFlag(), asyncio.sleep)
_edge = asyncio.ThreadSafeFlag()
_latched = 0


def _paper():
    from drivers.ssd1683 import Ssd1683

    # Without `miso` the port takes the bus's default pin, which Ethernet has here; the busy line is an input as well.
    busy = Pin(PAPER_BUSY_PIN, Pin.IN)
    spi = SPI(1, baudrate=_SPI_HZ, sck=Pin(SPI_SCK_PIN), mosi=Pin(SPI_MOSI_PIN), miso=busy)
    cs, dc, reset = [_expander.pin(n) for n in (PAPER_CS_OUTPUT, PAPER_DC_OUTPUT, PAPER_RESET_OUTPUT)]
    # No shadow: 15 kB of this chip's heap are worth more than an update without flicker, and the page seldom changes.
    return Ssd1683(spi, cs, dc, reset, busy, time.sleep_ms, time.ticks_ms, asyncio.sleep)


display = _paper() if screen == "paper" else None


def _watch(face: int) -> None:
    bit = 1 << face

    def touched(pin: Pin) -> None:
        global _latched
        _latched |= bit
        _edge.set()

    # A release is found by polling; only the touch must not be missed while flash or radio are busy.
    _buttons[face].irq(handler=touched, trigger=Pin.IRQ_FALLING)


def start() -> None:
    """Called once inside the running event loop."""
    for face in range(faces):
        _watch(face)
    light_all(False)


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
    _expander.set(1 << face, 0 if on else 1 << face)


def light_all(on: bool) -> None:
    _expander.set((1 << faces) - 1, 0 if on else 0xFF)


def sound(tune: str) -> None:
    _piezo.play(tune)


def show(what: dict) -> None:
    """What there is to see is drawn on `display`, or said by the lights."""


def status_light(on: bool) -> None:
    """The light inside the case: kiosk/signs.py has its pattern."""
    _expander.set(1 << STATUS_LED_OUTPUT, 0 if on else 1 << STATUS_LED_OUTPUT)


def health() -> dict:
    """Supply is not measured on this board; the chip's own sensor tells trends, not degrees."""
    return {"supply": None, "temperature": (esp32.raw_temperature() - 32) * 5 // 9}


def faults() -> list:
    """What is wrong with the chips, a sentence each."""
    return [chip.fault for chip in (_expander, display) if chip is not None and chip.fault]


async def background(beat) -> None:
    """Plays the tunes, so that nothing else waits for them, and says in the log what is wrong with the chips."""
    telling = asyncio.create_task(_tell_faults())
    try:
        await _piezo.run(beat)
    finally:
        telling.cancel()


async def _tell_faults() -> None:
    told: list = []
    while True:
        found = faults()
        if found != told:
            log("chips: " + ("; ".join(found) or "all answer again"))
            told = found
        await asyncio.sleep(_FAULTS_S)


def _lan() -> net.LAN:
    # The stubs know the generic signature only; this port's: docs.micropython.org, esp32/quickref.
    return net.LAN(  # type: ignore[call-arg]
        mdc=Pin(ETH_MDC_PIN),
        mdio=Pin(ETH_MDIO_PIN),
        power=Pin(ETH_POWER_PIN),
        phy_type=net.PHY_LAN8710,
        phy_addr=ETH_PHY_ADDRESS,
        ref_clk=Pin(ETH_CLOCK_PIN),
        ref_clk_mode=Pin.OUT,
    )


link: Link = (
    Wireless(net.WLAN(net.STA_IF), asyncio.sleep, _network)
    if _network.get("ssid")
    else Wired(_lan, asyncio.sleep)
)
