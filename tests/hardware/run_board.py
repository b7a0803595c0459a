"""Starts a board file on MicroPython with scripted chip modules and prints, as JSON, what it did with its pins.

    micropython run_board.py FIRMWARE BOARD IDENTITY

The chip is not here, the board file is: every name in it is looked up and every function of the contract is called.
"""

import asyncio
import json
import sys

from chips import OUTCOME, Pin, install

FIRMWARE, BOARD, IDENTITY = sys.argv[1:]


async def soon(seconds):
    await asyncio.sleep_ms(0)


async def life(board):
    """One call of everything that the program above a board calls."""
    if getattr(board, "sleeps", False):
        board.whole()
    board.start()
    answers = {"log": 0}
    for pin, handler in Pin.handlers.items():
        Pin.levels[pin] = 0
        handler(None)
        await board.wait_edge()
        answers[pin] = board.pressed() if board.touch is None else board.touch.read()
        Pin.levels[pin] = 1
    Pin.levels[Pin.busy_pin] = 0
    beats = []
    player = asyncio.create_task(board.background(lambda: beats.append(1)))
    board.light(0, True)
    board.light_all(False)
    board.show({"status": "online"})
    if hasattr(board, "status_light"):
        board.status_light(True)
    board.show({"page": "ask"})
    board.sound("thanks")
    for _ in range(20):
        await asyncio.sleep_ms(1)
    player.cancel()
    if board.display is not None:
        band = bytearray(board.display.width * 2 * 8)
        board.display.write(0, 0, board.display.width, 8, band)
        if board.display.format == "mono":
            Pin.levels[Pin.busy_pin] = 1
            board.display.refresh(False)
            Pin.levels[Pin.busy_pin] = 0
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


install(BOARD, IDENTITY)
asyncio.sleep = soon
sys.path[:0] = [FIRMWARE + "/boards", FIRMWARE]
asyncio.run(life(__import__(BOARD)))
for bus in ("spi1", "spi2"):
    if bus in OUTCOME:
        OUTCOME[bus] = OUTCOME[bus].sent
print(json.dumps(OUTCOME))
