"""The board of a virtual kiosk: buttons, lights, touches, network switch and power as JSON lines on stdin and stdout.

It runs on MicroPython's unix port from a flash image; `unix_boot.py` opens the image and calls `attach`
before the program starts. One command a line comes in, one event a line (after an \x1e) goes out; everything
else on stdout is log. The module is the board: its names are the interface that every board file has.
"""

import asyncio
import json
import os
import sys

from kiosk.check import lend
from kiosk.compat import const, ticks_add, ticks_diff, ticks_ms
from kiosk.store import kept
from kiosk.version import BUILD, VERSION

name = "unix"
firmware = VERSION
build = BUILD
slot = "a"
root = ""
model = "button5"
faces = 5
screen = "none"
display = touch = None  # `unix_display.plug` puts them in; a card kiosk need not carry what they take
journal_flash = None

_EXIT_RESTART = const(75)
# Any other exit counts as a crash; the runner tells the next start that the watchdog bit.
_EXIT_WATCHDOG = const(70)
# A visitor's finger stays about this long.
_TOUCH_MS = const(120)
_CONNECT_S = const(20)

_identity = {}
_network = {}
_down = 0
_latched = 0
_simulated = 0
_simulated_now = False
_release_at = {}
_edge = None
_net = True
_net_back = None
_lights = []


def attach(flash, nvs):
    """Plug in the journal's block device and the reader of NVS: nvs(namespace, key) -> bytes or None."""
    global journal_flash, model, faces, _lights, _identity, _network
    journal_flash = flash
    _identity = json.loads(nvs("hymio", "identity") or b"{}")
    _network = json.loads(nvs("hymio", "network") or b"{}")
    if kept("/state/network"):
        _identity, _network = lend("trial").effective(root, _identity, _network)
    model = _identity.get("model", model)
    faces = int(model[-1]) if model[-1].isdigit() else 0
    _lights = [0] * faces


def identity():
    return _identity


def network():
    return _network


def random(size):
    return os.urandom(size)


def reset_cause():
    return int(sys.argv[2]) if len(sys.argv) > 2 else 1


def pressed():
    """Mask of the faces down now or touched since the last call."""
    global _latched, _simulated, _simulated_now
    mask = _down | _latched
    _simulated_now = bool(_simulated & _latched)
    _latched = 0
    return mask


def simulated():
    """True when what `pressed` or `touch.read` gave last came from a simulated patient, or this kiosk has no others."""
    return _simulated_now or _identity.get("simulated", False)


async def wait_edge():
    await _edge.wait()
    _edge.clear()


def light(face, on):
    if _lights[face] != int(on):
        _lights[face] = int(on)
        _emit({"light": _lights})


def light_all(on):
    if _lights != [int(on)] * faces:
        for face in range(faces):
            _lights[face] = int(on)
        _emit({"light": _lights})


def sound(tune):
    _emit({"sound": tune})


def show(what):
    """Screens, questions and states go to the host as they are; the journal's figures as an event."""
    _emit(what if "journal" in what else {"show": what})


def health():
    return {"supply": None, "temperature": None}


def faults():
    return []


def log(line):
    print(line)


def reset():
    sys.exit(_EXIT_RESTART)


class _Link:
    """The network interface: up as long as the host says so."""

    kind = "sim"

    def up(self):
        return _net

    async def connect(self):
        """Returns when the cable is in; OSError when that takes too long."""
        if not _net:
            try:
                await asyncio.wait_for(_net_back.wait(), _CONNECT_S)
            except asyncio.TimeoutError:
                raise OSError("no cable")

    def signal(self):
        return None

    def name_servers(self):
        """[(address, port)] of the host, whose files are out of reach for everything else here."""
        from vfs import VfsPosix

        with VfsPosix("/").open("/etc/resolv.conf", "r") as file:
            return [(line[11:].strip(), 53) for line in file if line.startswith("nameserver ")]


link = _Link()


class _Watchdog:
    """Ends the process when it was not fed in time; unlike the chip's it cannot end a blocked interpreter."""

    def __init__(self, timeout_ms):
        self._timeout_ms = timeout_ms
        self.feed()
        self._task = asyncio.create_task(self._watch())

    def feed(self):
        self._until = ticks_add(ticks_ms(), self._timeout_ms)

    async def _watch(self):
        while ticks_diff(ticks_ms(), self._until) < 0:
            await asyncio.sleep(1)
        log("watchdog: not fed in time")
        sys.exit(_EXIT_WATCHDOG)


def watchdog(timeout_ms):
    return _Watchdog(timeout_ms)


def start():
    """Called once inside the running event loop, before anything waits for an edge."""
    global _edge, _net_back
    _edge = asyncio.Event()
    _net_back = asyncio.Event()


async def background(beat):
    """Read the host's commands; the end of stdin is the end of the host, and of this process."""
    releases = asyncio.create_task(_release_touches())
    stdin = asyncio.StreamReader(sys.stdin)
    try:
        while True:
            line = await stdin.readline()
            beat()
            if not line:
                sys.exit(0)
            try:
                command(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                log("command not understood: %r: %r" % (line, error))
    finally:
        releases.cancel()


def command(order):
    """Do what one line of the host says; ValueError names what is wrong with it."""
    if "press" in order:
        face = _face(order["press"])
        _touch(face, order.get("simulated", False))
        _release_at[face] = ticks_add(ticks_ms(), int(order.get("ms", _TOUCH_MS)))
        _edge.set()
    elif "hold" in order:
        _release_at.pop(_face(order["hold"]), None)
        _touch(order["hold"], False)
        _edge.set()
    elif "release" in order:
        _release(_face(order["release"]))
    elif "net" in order:
        _switch_net(bool(order["net"]))
    elif touch is not None:
        touch.command(order)
    else:
        raise ValueError("no such command")


def _touch(face, simulated):
    global _down, _latched, _simulated
    bit = 1 << face
    _down |= bit
    _latched |= bit
    _simulated = _simulated | bit if simulated else _simulated & ~bit


def _release(face):
    global _down
    _release_at.pop(face, None)
    _down &= ~(1 << face)
    _edge.set()


async def _release_touches():
    while True:
        now = ticks_ms()
        for face in [face for face in _release_at if ticks_diff(now, _release_at[face]) >= 0]:
            _release(face)
        if display is not None:
            display.tick()
        await asyncio.sleep(0.01 if _release_at else 0.05)


def _switch_net(on):
    global _net
    _net = on
    if on:
        _net_back.set()
    else:
        _net_back.clear()


def _face(face):
    if not isinstance(face, int) or not 0 <= face < faces:
        raise ValueError("no face %r (there are %d)" % (face, faces))
    return face


def _emit(event):
    print("\x1e", end="")
    json.dump(event, sys.stdout)  # no text of it in memory: a question has kilobytes
    print()
