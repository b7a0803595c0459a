"""Scripted chip modules of MicroPython's ESP32 port: what a board file imports, for programs that run it elsewhere.

`install(board, identity)` puts them where `import` finds them; OUTCOME tells what was done with them.
"""

import sys

OUTCOME = {"pins": {}, "log": []}
POINT = bytearray(b"\x01\x80\x64\x01\x2c")  # registers 2-6 of the touch panel: one finger at (100, 300)
SETTING = {
    "board": "",
    "identity": "{}",
    "journal": "the partition journal",
    "cause": 1,
    "reason": 4,
    "registers": {},
    "wakers": [],
    "gauge": b"\xd8\x0e\x53",
}


class Module:
    """What `sys.modules` takes for a module."""


class Pin:
    IN, OUT, PULL_UP, IRQ_FALLING = "in", "out", "up", "falling"
    levels = {}
    held = {}  # pin -> (mode, pull, level) as a sleep keeps it
    handlers = {}
    busy = None  # a function for the busy line of the e-paper
    busy_pin = 36

    def __init__(self, number, mode=None, pull=None, value=None, hold=None):
        self.number = number
        if number in Pin.held and hold is None:
            raise ValueError(f"pin {number} is held: it does not hear this")
        Pin.held.pop(number, None)
        if mode is not None:
            OUTCOME["pins"][number] = mode
        if pull is not None and number >= 34 and SETTING["board"] == "button_poe":
            raise ValueError(f"pin {number} has no pull-up")
        if value is not None:
            self(value)
        if hold:
            Pin.held[number] = (mode, pull, value)

    def __call__(self, *level):
        if not level:
            return Pin.busy() if Pin.busy and self.number == Pin.busy_pin else Pin.levels.get(self.number, 1)
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
    def __init__(self, number, scl, sda, freq, timeout):
        OUTCOME["pins"][scl.number] = "scl"
        OUTCOME["pins"][sda.number] = "sda"

    def writeto(self, address, data):
        OUTCOME["log"].append(("i2c", address, list(data)))

    def writeto_mem(self, address, register, data):
        OUTCOME["log"].append(("i2c", address, [register] + list(data)))

    def readfrom_mem_into(self, address, register, buf):
        buf[:] = {0xA8: b"\x11", 0xA3: b"\x64", 0x02: POINT}[register]

    def readfrom_mem(self, address, register, size):
        return SETTING["gauge"]


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
        blob = SETTING.get(key)
        if blob is None:
            raise OSError(4354)
        buf[: len(blob)] = blob.encode()
        return len(blob)


class Partition:
    RUNNING, TYPE_DATA = "running", 1

    def __init__(self, which):
        pass

    def info(self):
        return (0, 0, 0, 0, "ota_1", False)

    @staticmethod
    def find(kind, label):
        return [SETTING["journal"]] if label == "journal" else []


class Rtc:
    held = b""

    def memory(self, *data):
        if not data:
            return Rtc.held
        Rtc.held = bytes(data[0])
        return None


class Asleep(BaseException):
    """The chip went to sleep; (milliseconds, pins that may wake it)."""


def wake_on_ext1(pins, level):
    if level != "low":
        raise ValueError("the buttons close to ground")
    SETTING["wakers"] = [pin.number for pin in pins]


def deepsleep(ms):
    raise Asleep(ms, SETTING["wakers"])


class Wdt:
    def __init__(self, timeout):
        pass

    def feed(self):
        pass


def module(name, **content):
    made = Module()
    for key, value in content.items():
        setattr(made, key, value)
    sys.modules[name] = made


def install(board, identity):
    SETTING["board"] = board
    Pin.busy_pin = 17 if board == "button_battery" else 36
    SETTING["identity"] = identity
    if board == "button_battery":
        SETTING["network"] = '{"ssid": "x"}'
    module(
        "machine",
        Pin=Pin,
        PWM=PWM,
        SPI=SPI,
        I2C=I2C,
        WDT=Wdt,
        RTC=Rtc,
        DEEPSLEEP_RESET=4,
        EXT1_WAKE=3,
        wake_reason=lambda: SETTING["reason"],
        mem32=SETTING["registers"],
        deepsleep=deepsleep,
        reset_cause=lambda: SETTING["cause"],
        reset=sys.exit,
    )
    module("network", LAN=Nic, WLAN=Nic, STA_IF=0, PHY_LAN8710=0, PHY_W5500=102)
    module(
        "esp32",
        NVS=Nvs,
        Partition=Partition,
        raw_temperature=lambda: 122,
        mcu_temperature=lambda: 41,
        WAKEUP_ALL_LOW="low",
        wake_on_ext1=wake_on_ext1,
    )
    module("kiosk.version", VERSION="0.0.0", BUILD=1)
