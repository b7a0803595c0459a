"""Starts a board file on MicroPython with scripted chip modules and prints, as JSON, what it did with its pins.

    micropython run_board.py FIRMWARE BOARD IDENTITY

The chip is not here, the board file is: every name in it is looked up and every function of the contract is called.
"""

import asyncio
import json
import sys

FIRMWARE, BOARD, IDENTITY = sys.argv[1:]
OUTCOME = {"pins": {}, "log": []}


class Module:
    """What `sys.modules` takes for a module."""


class Pin:
    IN, OUT, PULL_UP, IRQ_FALLING = "in", "out", "up", "falling"
    levels = {}
    handlers = {}

    def __init__(self, number, mode=None, pull=None, value=None):
        self.number = number
        if mode is not None:
            OUTCOME["pins"][number] = mode
        if pull is not None and number >= 34 and BOARD == "button_poe":
            raise ValueError(f"pin {number} has no pull-up")
        if value is not None:
            self(value)

    def __call__(self, *level):
        if not level:
            return Pin.levels.get(self.number, 1)
        Pin.levels[self.number] = level[0]
        return None

    value = __call__

    def irq(self, handler, trigger):
        Pin.handlers[self.number] = handler


class PWM:
    def __init__(self, pin, freq, duty_u16):
        OUTCOME["pins"][pin.number] = "pwm"
        self.number = pin.number
        self.freq(freq)
        self.duty_u16(duty_u16)

    def freq(self, hertz):
        self.hertz = hertz

    def duty_u16(self, duty):
        OUTCOME["log"].append(("pwm", self.number, self.hertz, duty))


class SPI:
    def __init__(self, number, baudrate, sck, mosi, miso):
        for role, pin in (("sck", sck), ("mosi", mosi), ("miso", miso)):
            OUTCOME["pins"].setdefault(pin.number, f"spi{number} {role}")
        self.sent = 0
        OUTCOME[f"spi{number}"] = self

    def write(self, data):
        self.sent += len(data)


class I2C:
    def __init__(self, number, scl, sda, freq):
        OUTCOME["pins"][scl.number] = "scl"
        OUTCOME["pins"][sda.number] = "sda"

    def writeto(self, address, data):
        OUTCOME["log"].append(("i2c", address, list(data)))

    def writeto_mem(self, address, register, data):
        OUTCOME["log"].append(("i2c", address, [register] + list(data)))

    def readfrom_mem_into(self, address, register, buf):
        buf[:] = {0xA8: b"\x11", 0xA3: b"\x64", 0x02: b"\x01\x80\x64\x01\x2c"}[register]


class Nic:
    up = False

    def __init__(self, *arguments, **named):
        for role, what in named.items():
            if isinstance(what, Pin):
                OUTCOME["pins"].setdefault(what.number, "lan " + role)

    def active(self, on=None):
        Nic.up = Nic.up or bool(on)
        return Nic.up

    def isconnected(self):
        return Nic.up

    def ifconfig(self):
        return ("192.0.2.7", "", "", "192.0.2.53")

    def disconnect(self):
        pass

    def connect(self, ssid, key):
        OUTCOME["log"].append(("join", ssid, key))

    def status(self, what):
        return -60


class Nvs:
    def __init__(self, space):
        pass

    def get_blob(self, key, buf):
        if key != "identity":
            raise OSError(4354)
        buf[: len(IDENTITY)] = IDENTITY.encode()
        return len(IDENTITY)


class Partition:
    RUNNING, TYPE_DATA = "running", 1

    def __init__(self, which):
        pass

    def info(self):
        return (0, 0, 0, 0, "ota_1", False)

    @staticmethod
    def find(kind, label):
        return ["the partition " + label]


def module(name, **content):
    made = Module()
    for key, value in content.items():
        setattr(made, key, value)
    sys.modules[name] = made


async def soon(seconds):
    await asyncio.sleep_ms(0)


async def life(board):
    """One call of everything that the program above a board calls."""
    board.start()
    answers = {"log": 0}
    for pin, handler in Pin.handlers.items():
        Pin.levels[pin] = 0
        handler(None)
        await board.wait_edge()
        answers[pin] = board.pressed() if board.touch is None else board.touch.read()
        Pin.levels[pin] = 1
    Pin.levels[36] = 0
    beats = []
    player = asyncio.create_task(board.background(lambda: beats.append(1)))
    board.light(0, True)
    board.light_all(False)
    board.show({"status": "online"})
    board.show({"page": "ask"})
    board.sound("thanks")
    for _ in range(20):
        await asyncio.sleep_ms(1)
    player.cancel()
    if board.display is not None:
        band = bytearray(board.display.width * 2 * 8)
        board.display.write(0, 0, board.display.width, 8, band)
        if board.display.format == "mono":
            board.display.refresh(False)
            await board.display.ready()
        board.display.sleep()
        OUTCOME["display"] = [board.display.width, board.display.height, board.display.format]
    await board.link.connect()
    OUTCOME["link"] = [board.link.kind, board.link.up(), board.link.signal(), board.link.name_servers()]
    OUTCOME["health"] = board.health()
    OUTCOME["beats"] = len(beats)
    OUTCOME["answers"] = answers
    for name in (
        "name",
        "model",
        "faces",
        "screen",
        "slot",
        "root",
        "assets",
        "tells_targets",
        "journal_flash",
    ):
        OUTCOME[name] = getattr(board, name)
    OUTCOME["calls"] = [board.simulated(), len(board.random(4)), board.identity(), board.network()]
    for name in ("reset", "reset_cause", "watchdog", "log", "raise_clock"):
        if not callable(getattr(board, name)):
            raise TypeError(name)


module("machine", Pin=Pin, PWM=PWM, SPI=SPI, I2C=I2C)
module("network", LAN=Nic, WLAN=Nic, STA_IF=0, PHY_LAN8710=0, PHY_W5500=102)
module("esp32", NVS=Nvs, Partition=Partition, raw_temperature=lambda: 122, mcu_temperature=lambda: 41)
module("kiosk.version", VERSION="0.0.0", BUILD=1)
asyncio.sleep = soon
sys.path[:0] = [FIRMWARE + "/boards", FIRMWARE]
asyncio.run(life(__import__(BOARD)))
for bus in ("spi1", "spi2"):
    if bus in OUTCOME:
        OUTCOME[bus] = OUTCOME[bus].sent
print(json.dumps(OUTCOME))
