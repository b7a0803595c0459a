"""Wakes the battery board by a button on MicroPython, with scripted chips, until it sleeps again; prints what it did.

    micropython run_wake.py FIRMWARE TESTS HOW

HOW: "register" or "wake_pins", by which the image says what ended the sleep. One JSON line: modules there when the
answer was in flash, bytes of heap then, what was done in which order, how it sleeps, what the journal holds.
"""

import gc
import json
import sys
import time
from binascii import crc32
from struct import pack

FIRMWARE, TESTS, HOW = sys.argv[1:]
sys.path[:0] = [FIRMWARE + "/boards", FIRMWARE, TESTS + "/firmware"]

import chips  # noqa: E402

FACE, PIN = 2, 8
KEPT = {
    "layout": 1,
    "uptime": 3_600_000,
    "wall": time.time_ns() // 1_000_000 - 60_000,
    "due": 7_200_000,
    "boot": 3,
    "slept": 0,
    "recorder": [None, 0, 0, None, None],
    "recorded": None,
    "clock": [1_772_438_400_000, 20],
    "cursor": [1, 0],
    "left": 0,
    "failures": 0,
    "ignored": {"lockout": 0, "repeat": 0, "cleaning": 0},
    "stuck": 0,
    "asked": [14, 3],
    "card": None,
    "conn": 65537,
    "paper": None,
    "settings": {
        "lockout_ms": 2000,
        "repeat_ms": 500,
        "stuck_s": 30,
        "thanks_ms": 600,
        "sound": True,
        "language": 0,
    },
}
done, there, heap = [], [], []


class Flash:
    """A journal of four sectors; hears of what is written."""

    sectors = [bytearray(b"\xff" * 4096) for _ in range(4)]

    def readblocks(self, pos, buf, off=0):
        memoryview(buf)[:] = memoryview(self.sectors[pos])[off : off + len(buf)]

    def writeblocks(self, pos, buf, off=0):
        self.sectors[pos][off : off + len(buf)] = buf
        if len(buf) == 28 and buf[2] == 1:  # an answer
            done.append(f"answer {buf[21]}")
            there.extend(sorted(set(sys.modules) - OURS))
            gc.collect()
            heap.append(gc.mem_alloc())

    def ioctl(self, op, pos):
        return {4: 4, 5: 4096}.get(op, 0)


def level(pin, *value):
    if value and pin.number in (39, 40, 41, 42, 37):
        done.append(f"light {pin.number} {value[0]}")
    return plain(pin, *value)


def duty(pwm, value):
    if value:
        done.append("tone")


chips.SETTING["journal"] = Flash()
chips.SETTING["cause"], chips.SETTING["reason"] = 4, 3
chips.SETTING["registers"][0x600080E4] = 1 << PIN
for number in (10, 9, 8, 2, 1, 4, 14):
    chips.Pin.held[number] = "by the sleep before"
text = json.dumps(KEPT).encode()
chips.Rtc.held = pack("<I", crc32(text)) + text
chips.install("button_battery", '{"model": "button5"}')
OURS = set(sys.modules)
plain = chips.Pin.__call__
chips.Pin.__call__ = level
chips.PWM.duty_u16 = duty
if HOW == "wake_pins":
    chips.SETTING["registers"].clear()
    sys.modules["machine"].wake_pins = lambda: (PIN,)
gc.collect()
before = gc.mem_alloc()

import button_battery as board  # noqa: E402
from kiosk.doze import wake  # noqa: E402

asleep = None
try:
    wake(board)
except chips.Asleep as error:
    asleep = error.args
held = chips.Pin.held
print(
    json.dumps(
        {
            "modules": there,
            "heap": heap[0] - before,
            "done": done,
            "asleep": asleep,
            "held": {pin: list(held[pin]) for pin in held},
            "pressed": board.doze.journal.pressed,
            "memory": len(chips.Rtc.held),
            "radio": board.link._nic is not None,
        }
    )
)
