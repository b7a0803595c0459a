"""Deep sleep of the virtual battery kiosk: the process ends, and is started anew with what woke it.

    HYMIO_RTC=FILE micropython unix_boot.py IMAGE CAUSE[:FACES:AHEAD] [SCREEN]

FILE stands for the memory that a sleeping chip keeps powered. CAUSE 4 is a waking: FACES is the mask of the buttons
that ended it (0: the timer), AHEAD the milliseconds that its clock is ahead of this machine's: slept, but not waited.
"""

import json
import sys
import time

_EXIT_ASLEEP = 76  # unix.py has the others
_DEEP_SLEEP = 4


def plug(board, rtc):
    """Make `board` one that sleeps. rtc: the open file."""
    cause, faces, ahead_ms = ([int(word) for word in sys.argv[2].split(":")] + [0, 0])[:3]

    def kept():
        rtc.seek(0)
        return rtc.read(int.from_bytes(rtc.read(4), "little"))

    def keep(data):
        rtc.seek(0)
        rtc.write(len(data).to_bytes(4, "little"))
        rtc.write(data)

    def deep_sleep(ms, mask):
        print("\x1e", end="")
        print(json.dumps({"sleep": ms, "faces": mask}))
        sys.exit(_EXIT_ASLEEP)

    board.sleeps = True
    board.doze = None
    board.reset_cause = lambda: cause
    board.woken = lambda: faces if cause == _DEEP_SLEEP else None
    board.kept, board.keep, board.deep_sleep = kept, keep, deep_sleep
    board.wall_ms = lambda: time.time_ns() // 1_000_000 + ahead_ms
    board.touched = lambda: board._latched
    board.whole = lambda: None
