"""The touch kiosk: Waveshare ESP32-S3-ETH (PoE, W5500, octal PSRAM) and the LCDWIKI module MSP4031, a piezo.

The only place with this kiosk's pins, network drivers and chips; hardware/touch/board.toml holds the same
numbers with their reasons, and a test compares the two. The module is the board, like `boards/unix.py`.
"""

import asyncio
import time

import esp32
import network as net
from drivers import soc
from drivers.ft6x36 import Ft6x36
from drivers.links import Link, Wired, Wireless
from drivers.piezo import Piezo
from drivers.soc import log, raise_clock, random, reset, reset_cause, watchdog
from drivers.st7796 import St7796
from kiosk.check import lend
from kiosk.store import kept
from kiosk.version import BUILD, VERSION
from machine import I2C, PWM, SPI, Pin

__all__ = ("raise_clock", "random", "reset", "reset_cause", "watchdog")

LCD_SCK_PIN = 38
LCD_MISO_PIN = 39
LCD_MOSI_PIN = 40
LCD_CS_PIN = 41
LCD_RESET_PIN = 42
LCD_DC_PIN = 47
LCD_LIGHT_PIN = 48
TOUCH_INT_PIN = 15
TOUCH_SDA_PIN = 16
TOUCH_SCL_PIN = 17
TOUCH_RESET_PIN = 18
PIEZO_PIN = 1
ETH_RESET_PIN = 9
ETH_INT_PIN = 10
ETH_MOSI_PIN = 11
ETH_MISO_PIN = 12
ETH_SCK_PIN = 13
ETH_CS_PIN = 14
ETH_PHY_ADDRESS = 0

_LCD_HZ = 40_000_000
_I2C_HZ = 400_000
_I2C_TIMEOUT_US = 10_000  # a wire that is held low: pages go on
_ETH_HZ = 20_000_000
_LIGHT_HZ = 5000
_TURNED = False  # whether the case holds the module with its connector to the right
_TOUCH_RESET_MS = 10
_FAULTS_S = 10

name = "touch_s3"
firmware = VERSION
build = BUILD
root = ""
assets = "/assets"
tells_targets = False

_identity = soc.blob("identity")
_network = soc.blob("network")
if kept("/state/network"):
    _identity, _network = lend("trial").effective(root, _identity, _network)
model: str = _identity.get("model", "touch")
faces, screen = soc.shape(model)
slot = soc.slot()
journal_flash = soc.journal_partition()

_piezo = Piezo(PWM(Pin(PIEZO_PIN), freq=2000, duty_u16=0), asyncio.ThreadSafeFlag(), asyncio.sleep)
_edge = asyncio.ThreadSafeFlag()


def _panel() -> Ft6x36:
    """Reset now; the controller reports 300 ms later, while the display starts, and is set up at the first reading."""
    pin = Pin(TOUCH_RESET_PIN, Pin.OUT, value=0)
    time.sleep_ms(_TOUCH_RESET_MS)
    pin(1)
    bus = I2C(0, scl=Pin(TOUCH_SCL_PIN), sda=Pin(TOUCH_SDA_PIN), freq=_I2C_HZ, timeout=_I2C_TIMEOUT_US)
    return Ft6x36(bus, St7796.width, St7796.height, _TURNED)


touch = _panel()
# All three pins are named: the bus's default pins are those of the Ethernet chip.
display = St7796(
    SPI(1, baudrate=_LCD_HZ, sck=Pin(LCD_SCK_PIN), mosi=Pin(LCD_MOSI_PIN), miso=Pin(LCD_MISO_PIN)),
    Pin(LCD_CS_PIN, Pin.OUT, value=1),
    Pin(LCD_DC_PIN, Pin.OUT, value=1),
    Pin(LCD_RESET_PIN, Pin.OUT, value=1),
    PWM(Pin(LCD_LIGHT_PIN), freq=_LIGHT_HZ, duty_u16=0),
    time.sleep_ms,
    turned=_TURNED,
)
_touch_line = Pin(TOUCH_INT_PIN, Pin.IN, Pin.PULL_UP)


def _touched(pin: Pin) -> None:
    _edge.set()


def start() -> None:
    """Called once inside the running event loop."""
    # The line falls when a finger comes and stays low until it goes: the end is found by reading.
    _touch_line.irq(handler=_touched, trigger=Pin.IRQ_FALLING)


def identity() -> dict:
    return _identity


def network() -> dict:
    return _network


def pressed() -> int:
    """There are no buttons."""
    return 0


def simulated() -> bool:
    return False


async def wait_edge() -> None:
    await _edge.wait()


def light(face: int, on: bool) -> None:
    """There are no lights: the page answers a touch."""


def light_all(on: bool) -> None:
    """There are no lights."""


def sound(tune: str) -> None:
    _piezo.play(tune)


def show(what: dict) -> None:
    """What there is to see is drawn on `display`."""


def health() -> dict:
    """Supply is not measured on this board; the chip's own sensor tells trends, not the room's degrees."""
    # The stubs are those of the first ESP32, which has another sensor.
    return {"supply": None, "temperature": esp32.mcu_temperature()}  # type: ignore[attr-defined]


def faults() -> list:
    """What is wrong with the chips, a sentence each; the display cannot say."""
    return [touch.fault] if touch.fault else []


async def background(beat) -> None:
    """Plays the tunes, so that nothing else waits for them, and says in the log what is wrong with the touch panel."""
    telling = asyncio.create_task(_tell_faults())
    try:
        await _piezo.run(beat)
    finally:
        telling.cancel()


async def _tell_faults() -> None:
    told = None
    while True:
        if touch.fault != told:
            told = touch.fault
            log(told or "touch: answers again")
        await asyncio.sleep(_FAULTS_S)


def _lan() -> net.LAN:
    spi = SPI(2, baudrate=_ETH_HZ, sck=Pin(ETH_SCK_PIN), mosi=Pin(ETH_MOSI_PIN), miso=Pin(ETH_MISO_PIN))
    # The stubs know the generic signature only; this port's: docs.micropython.org, esp32/quickref.
    return net.LAN(  # type: ignore[call-arg]
        phy_type=net.PHY_W5500,
        phy_addr=ETH_PHY_ADDRESS,
        spi=spi,
        cs=Pin(ETH_CS_PIN),
        int=Pin(ETH_INT_PIN),
        reset=Pin(ETH_RESET_PIN),
    )


link: Link = (
    Wireless(net.WLAN(net.STA_IF), asyncio.sleep, _network)
    if _network.get("ssid")
    else Wired(_lan, asyncio.sleep)
)
