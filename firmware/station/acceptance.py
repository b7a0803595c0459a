"""Hands and eyes of `station test` on a board: a function for each thing to try. Judges nothing, and runs no kiosk.

Sent over the REPL, never in an image. Invariant: the board module is made with a model and nothing else; identity,
network settings and journal are out of its reach, and of this module's. Flash is written in one place, `flash`, and
only in a partition that holds the radio's start values, which MicroPython has in its program instead.
"""

import asyncio
import json
import sys
import time
from binascii import hexlify

_BOARD = "board"
_PROGRAM = "kiosk.app"
_PHY_SUBTYPE = 0x01
_PHY_MAGIC = b"PHYINIT"  # ESP-IDF's, before start values that somebody put there
_SECTOR = 4096
_PART = 256
_ERASE = 6  # MicroPython's block protocol
_POLL_MS = 10
_TUNE_S = 1.2  # longer than any tune
_STRIP = 8  # lines a write: little memory, whatever the screen

board = None


def tell(name, *arguments):
    """Call a function of this module and print what it gives, marked, among what drivers may print."""
    print("\x1d" + json.dumps(globals()[name](*arguments)))


def begin(model):
    """Make the board module for a model; -> what it is. RuntimeError when the kiosk's program has run here."""
    global board
    if _PROGRAM in sys.modules:
        raise RuntimeError("the kiosk's program has run since power came on")
    if _BOARD in sys.modules and sys.modules[_BOARD].model != model:
        del sys.modules[_BOARD]
    try:
        from drivers import soc
    except ImportError:
        pass  # a board without a chip: MicroPython on a computer
    else:
        soc.blob = lambda key: {"model": model} if key == "identity" else {}
        soc.journal_partition = lambda: None
    board = __import__(_BOARD)
    if getattr(board, "sleeps", False):
        board.whole()  # its display too
    asyncio.run(_start())  # some boards need a running loop for it
    return {
        "board": board.name,
        "model": board.model,
        "faces": board.faces,
        "screen": board.screen,
        "link": board.link.kind,
        "firmware": board.firmware,
    }


async def _start():
    board.start()


def who():
    """What can be said without the board module; `program`: whether a kiosk's has run since power came on."""
    try:
        import machine

        serial = hexlify(machine.unique_id()).decode()
    except (ImportError, AttributeError):
        serial = ""
    try:
        import esp32

        room = bytearray(4000)
        size = esp32.NVS("hymio").get_blob("identity", room)
        kiosk = json.loads(bytes(room[:size])).get("id", "?")
    except (ImportError, AttributeError, OSError):
        kiosk = ""
    return {
        "micropython": ".".join(str(part) for part in sys.implementation.version[:3]),
        "machine": getattr(sys.implementation, "_machine", ""),
        "serial": serial,
        "kiosk": kiosk,
        "program": _PROGRAM in sys.modules,
    }


def faults():
    return board.faults()


def held(wait_ms):
    """Faces that are down and stay down for so long although nobody was asked to press. Lights go off."""
    board.light_all(False)
    board.pressed()
    until = time.ticks_add(time.ticks_ms(), wait_ms)
    down = board.pressed()
    while down and time.ticks_diff(until, time.ticks_ms()) > 0:
        time.sleep_ms(_POLL_MS)
        down &= board.pressed()
    return _faces(down)


def button(face, ignored, wait_ms, hold_ms):
    """Light a face and wait for a press. ignored: faces known to be stuck.

    -> {"pressed": faces, "let_go": bool}; no faces when the time was over. All lights are off again.
    """
    board.light_all(False)
    board.pressed()  # before the light: what comes after it counts, however quick
    board.light(face, True)
    without = ~sum(1 << one for one in ignored)
    until = time.ticks_add(time.ticks_ms(), wait_ms)
    mask = 0
    while not mask and time.ticks_diff(until, time.ticks_ms()) > 0:
        time.sleep_ms(_POLL_MS)
        mask = board.pressed() & without
    down = mask
    until = time.ticks_add(time.ticks_ms(), hold_ms)
    while down and time.ticks_diff(until, time.ticks_ms()) > 0:
        time.sleep_ms(_POLL_MS)
        down &= board.pressed()
    board.light_all(False)
    return {"pressed": _faces(mask), "let_go": not down}


def _faces(mask):
    return [face for face in range(board.faces) if mask >> face & 1]


def lights(on):
    board.light_all(on)


def sound(tune):
    asyncio.run(_play(tune))


async def _play(tune):
    player = asyncio.create_task(board.background(lambda: None))
    await asyncio.sleep_ms(0)  # it listens from here on
    board.sound(tune)
    await asyncio.sleep(_TUNE_S)
    player.cancel()
    try:
        await player
    except asyncio.CancelledError:
        pass


def bars(colours):
    """Upright bars over the whole screen, left to right. colours: [red, green, blue] each; e-paper: 0 or white."""
    asyncio.run(_bars(colours))


async def _bars(colours):
    display = board.display
    mono = display.format == "mono"
    # Whole bytes on e-paper; the last bar takes what is left.
    wide = display.width // len(colours) & ~7
    for number, colour in enumerate(colours):
        x = number * wide
        _fill(x, 0, display.width - x if number == len(colours) - 1 else wide, display.height, colour)
    if mono:
        display.refresh(True)
        await display.ready()
        display.sleep()


def _fill(x, y, wide, high, colour):
    display = board.display
    if display.format == "mono":
        line = (b"\xff" if any(colour) else b"\x00") * (wide // 8)
    else:
        red, green, blue = colour
        value = (red & 0xF8) << 8 | (green & 0xFC) << 3 | blue >> 3
        line = bytes((value >> 8, value & 0xFF)) * wide
    strip = line * _STRIP
    for top in range(y, y + high, _STRIP):
        display.write(x, top, wide, min(_STRIP, y + high - top), strip)


def corner(number, side, wait_ms):
    """Show a square in a corner (0 top left, 1 top right, 2 bottom right, 3 bottom left) and wait for a finger.

    side: of the square, in pixels.
    -> {"at": [x, y] or null, "let_go": bool, "size": of the screen, "fault": the panel's}
    """
    display, touch = board.display, board.touch
    _fill(0, 0, display.width, display.height, (0, 0, 0))
    x = display.width - side if number in (1, 2) else 0
    y = display.height - side if number in (2, 3) else 0
    _fill(x, y, side, side, (255, 255, 255))
    point, last = _finger(None, wait_ms), None
    if point is not None:
        last = _finger(point, wait_ms)
    _fill(0, 0, display.width, display.height, (0, 0, 0))
    size = [display.width, display.height]
    return {"at": point, "let_go": point is None or last is None, "size": size, "fault": touch.fault}


def _finger(before, wait_ms):
    until = time.ticks_add(time.ticks_ms(), wait_ms)
    point = before
    while (point is None) == (before is None) and time.ticks_diff(until, time.ticks_ms()) > 0:
        time.sleep_ms(_POLL_MS)
        point = board.touch.read()
    return point


def network():
    """Connect by the board's own interface: {"ms": until there is an address} or {"error": why there is none}."""
    before = time.ticks_ms()
    try:
        asyncio.run(board.link.connect())
    except OSError as error:
        return {"error": str(error)}
    return {"ms": time.ticks_diff(time.ticks_ms(), before), "signal": board.link.signal()}


def radio(ssid):
    """The strongest network of that name, of any name when it is "": [name, dBm]; null when none is heard."""
    import network as net

    station = net.WLAN(net.STA_IF)
    was = station.active()
    station.active(True)
    heard = [(found[3], found[0]) for found in station.scan() if ssid in ("", found[0].decode())]
    station.active(was)
    if not heard:
        return None
    signal, name = max(heard)
    return [name.decode(), signal]


def supply():
    return board.health()["supply"]


def partitions():
    """[type, subtype, address, size, label] of each, as the running MicroPython knows them; null without flash."""
    try:
        from esp32 import Partition
    except ImportError:
        return None
    kinds = (Partition.TYPE_APP, Partition.TYPE_DATA)
    return [list(one.info()[:5]) for kind in kinds for one in Partition.find(kind)]


def flash(address):
    """Erase and write the first sector of the partition at an address, twice, and read back; it ends erased.

    -> {"bad": {"erased": bytes, "written": bytes}, "ms": time taken}, or {"held": true} when there is something in it.
    ValueError when the partition there is none that nothing needs.
    """
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, _PHY_SUBTYPE)
    found = [one for one in found if one.info()[2] == address and one.info()[3] >= _SECTOR]
    if not found or address < 0x9000:
        raise ValueError("no scratch sector at 0x%x" % address)
    sector = found[0]
    back = bytearray(_PART)
    sector.readblocks(0, back, 0)
    if back[: len(_PHY_MAGIC)] == _PHY_MAGIC:
        return {"held": True}
    bad = {"erased": 0, "written": 0}
    before = time.ticks_ms()
    for inverted in (0, 0xFF):  # each bit is cleared once, and once left alone
        bad["erased"] += _erased(sector, back)
        for at in range(0, _SECTOR, _PART):
            sector.writeblocks(0, _pattern(at, inverted), at)
        for at in range(0, _SECTOR, _PART):
            sector.readblocks(0, back, at)
            bad["written"] += _differ(back, _pattern(at, inverted))
    bad["erased"] += _erased(sector, back)
    return {"bad": bad, "ms": time.ticks_diff(time.ticks_ms(), before)}


def _erased(sector, back):
    sector.ioctl(_ERASE, 0)
    bad = 0
    for at in range(0, _SECTOR, _PART):
        sector.readblocks(0, back, at)
        bad += _differ(back, b"\xff" * _PART)
    return bad


def _differ(one, other):
    return 0 if one == other else sum(a != b for a, b in zip(one, other))


def _pattern(at, inverted):
    """Each part of a sector its own, so that a wrong address shows as well."""
    return bytes((at // _PART * 17 + i * 7 + 0x55 & 0xFF) ^ inverted for i in range(_PART))


def end():
    board.light_all(False)
