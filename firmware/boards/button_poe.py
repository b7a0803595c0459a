"""The button kiosk: Olimex ESP32-POE-ISO (16 MB, WROOM), buttons on GPIOs, lights on I2C, a piezo.

The only place with this kiosk's pins, network drivers and chips; hardware/button/board.toml holds the same
numbers with their reasons, and a test compares the two. The module is the board, like `boards/unix.py`.
"""

import asyncio
import json
import os

import esp32
import machine
import network as net
from kiosk.version import BUILD, VERSION
from machine import I2C, PWM, Pin

# Left to right: happiest first. Buttons close to ground.
BUTTON_PINS = (32, 33, 14, 4, 5)
STATUS_LED_PIN = 2
PIEZO_PIN = 15
I2C_SCL_PIN = 16
I2C_SDA_PIN = 13
LIGHTS_ADDRESS = 0x20
ETH_MDC_PIN = 23
ETH_MDIO_PIN = 18
ETH_POWER_PIN = 12
ETH_CLOCK_PIN = 17
ETH_PHY_ADDRESS = 0

_I2C_HZ = 100_000
_BLOB_BYTES = 1024
_CONNECT_S = 20
_POLL_S = 0.2
_DNS_PORT = 53
# (Hz, ms); 2.7 kHz is where a small piezo is loudest, the refusal is low so that nobody takes it for thanks.
_TUNES = {
    "thanks": ((2093, 60), (2637, 90)),
    "refused": ((440, 250),),
    "fault": ((440, 120), (0, 80), (440, 120)),
}

name = "button_poe"
firmware = VERSION
build = BUILD
root = ""


def _blob(key: str) -> dict:
    """A JSON blob of NVS namespace `hymio`; {} when it was never written."""
    buf = bytearray(_BLOB_BYTES)
    try:
        length = esp32.NVS("hymio").get_blob(key, buf)
    except OSError:
        return {}
    found: dict = json.loads(bytes(buf[:length]))
    return found


_identity = _blob("identity")
_network = _blob("network")
model: str = _identity.get("model", "button5")
faces = int(model[-1])
# The stubs know labels only; RUNNING is a number.
_running = esp32.Partition(esp32.Partition.RUNNING)  # type: ignore[arg-type]
slot = "b" if _running.info()[4] == "ota_1" else "a"


def _journal_partition() -> esp32.Partition:
    found: list[esp32.Partition] = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")
    if not found:
        raise RuntimeError("no partition 'journal': flash the kiosk's partition table")
    return found[0]


journal_flash = _journal_partition()

_buttons = [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in BUTTON_PINS[:faces]]
_status_led = Pin(STATUS_LED_PIN, Pin.OUT, value=0)
_i2c = I2C(0, scl=Pin(I2C_SCL_PIN), sda=Pin(I2C_SDA_PIN), freq=_I2C_HZ)
_edge = asyncio.ThreadSafeFlag()
_sounds = asyncio.ThreadSafeFlag()
_latched = 0
_lit = 0
_tune: tuple = ()


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


def random(size: int) -> bytes:
    return os.urandom(size)


def reset_cause() -> int:
    """The contract's numbers are this port's: 1 power on, 2 hard, 3 watchdog, 4 deep sleep, 5 soft."""
    return machine.reset_cause()


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
    _light(_lit | 1 << face if on else _lit & ~(1 << face))


def light_all(on: bool) -> None:
    _light((1 << faces) - 1 if on else 0)


def _light(mask: int) -> None:
    """The expander sinks current: 0 is light. A dead one must not stop the press path."""
    global _lit
    _lit = mask
    try:
        _i2c.writeto(LIGHTS_ADDRESS, bytes((~mask & 0xFF,)))
    except OSError as error:
        log("lights: expander at 0x%02x does not answer (%s)" % (LIGHTS_ADDRESS, error))


def sound(tune: str) -> None:
    global _tune
    _tune = _TUNES[tune]
    _sounds.set()


def show(what: dict) -> None:
    """There is no display: the light inside the case says whether the server is reached."""
    if "status" in what:
        _status_led.value(what["status"] == "online")


def health() -> dict:
    """Supply is not measured on this board; the chip's own sensor tells trends, not degrees."""
    return {"supply": None, "temperature": (esp32.raw_temperature() - 32) * 5 // 9}


def watchdog(timeout_ms: int) -> machine.WDT:
    return machine.WDT(timeout=timeout_ms)


def reset() -> None:
    machine.reset()


def log(line: str) -> None:
    print(line)


def raise_clock(utc_ms: int) -> None:
    """Set the chip's clock when it is behind: certificates are checked against it, and it starts in 2000."""
    import time

    year, month, day, hour, minute, second, weekday, _ = time.gmtime(utc_ms // 1000 - _EPOCH_2000)
    if time.time() < utc_ms // 1000 - _EPOCH_2000:
        machine.RTC().datetime((year, month, day, weekday, hour, minute, second, 0))


# Seconds from 1970 to 2000, where this port's clock begins.
_EPOCH_2000 = 946_684_800


async def background(beat) -> None:
    """Plays the tunes, so that nothing else waits for them."""
    piezo = PWM(Pin(PIEZO_PIN), freq=2000, duty_u16=0)
    while True:
        await _sounds.wait()
        beat()
        for hertz, milliseconds in _tune:
            if hertz:
                piezo.freq(hertz)
            piezo.duty_u16(32768 if hertz else 0)
            await asyncio.sleep(milliseconds / 1000)
        piezo.duty_u16(0)


class _Link:
    """The network interface; `_start` of the subclasses asks the driver to connect."""

    kind = ""
    _nic: net.LAN | net.WLAN | None

    def up(self) -> bool:
        raise NotImplementedError

    def signal(self) -> int | None:
        return None

    def name_servers(self) -> list[tuple[str, int]]:
        """[(address, port)]: the first one that DHCP gave; the port tells of no other. [] when it gave none."""
        if self._nic is None:
            return []
        address: str = self._nic.ifconfig()[3]
        return [] if address == "0.0.0.0" else [(address, _DNS_PORT)]

    def _start(self) -> None:
        raise NotImplementedError

    async def connect(self) -> None:
        """Returns when there is an address; OSError when it takes too long."""
        if self.up():
            return
        self._start()
        waited = 0.0
        while not self.up():
            if waited >= _CONNECT_S:
                raise OSError("no address from the network (%s)" % self.kind)
            await asyncio.sleep(_POLL_S)
            waited += _POLL_S


class _Ethernet(_Link):
    kind = "eth"
    _nic: net.LAN | None = None

    def up(self) -> bool:
        return self._nic is not None and self._nic.isconnected()

    def _start(self) -> None:
        """Made when it is needed: a PHY that does not answer (OSError) must not keep the kiosk from starting."""
        if self._nic is None:
            # The stubs know the generic signature only; this port's: docs.micropython.org, esp32/quickref.
            self._nic = net.LAN(  # type: ignore[call-arg]
                mdc=Pin(ETH_MDC_PIN),
                mdio=Pin(ETH_MDIO_PIN),
                power=Pin(ETH_POWER_PIN),
                phy_type=net.PHY_LAN8710,
                phy_addr=ETH_PHY_ADDRESS,
                ref_clk=Pin(ETH_CLOCK_PIN),
                ref_clk_mode=Pin.OUT,
            )
        if not self._nic.active():
            self._nic.active(True)


class _Wifi(_Link):
    kind = "wifi"

    _nic: net.WLAN

    def __init__(self) -> None:
        self._nic = net.WLAN(net.STA_IF)

    def up(self) -> bool:
        return self._nic.isconnected()

    def signal(self) -> int | None:
        return int(self._nic.status("rssi")) if self.up() else None

    def _start(self) -> None:
        self._nic.active(True)
        self._nic.disconnect()
        self._nic.connect(_network["ssid"], _network.get("key") or None)


link: _Link = _Wifi() if _network.get("ssid") else _Ethernet()
