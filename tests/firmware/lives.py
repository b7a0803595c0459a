"""What happens to a journal in its life, and in what state its flash may be found at the first start.

Runs on CPython and MicroPython. A life is its content and its seed: the same two give the same operations.
"""

from nor import PATTERNS, Rng, pattern
from world import World

SECTORS = 5
SECTOR_BYTES = 320  # ten presses: every life goes round the ring several times
STEPS = 160

# Behind the plain patterns: another kiosk's journal as it was (it is gone on with), and the same moved by half a
# sector (whole records of an unknown epoch, no header: nothing of it may ever be taken for our own).
CONTENTS = PATTERNS + ("taken over", "moved")

_DECK = (
    ["press"] * 40
    + ["text"] * 4
    + ["clock", "boot"] * 2
    + ["send"] * 7
    + ["part of a batch"] * 3
    + ["restart"] * 3
    + ["idle"] * 6
    + ["refused records"] * 2
    + [
        "until full",
        "until booked",
        "server forgot",
        "server forgets again and again",
        "new epoch",
        "idle until done",
    ]
)


def found(content, seed, sectors=SECTORS, size=SECTOR_BYTES):
    """(sectors, promises or None) at the first start."""
    if content in PATTERNS:
        return pattern(content, sectors, size, seed), None
    other = World(pattern("blank", sectors, size), seed + 5)
    while other.press():
        pass
    other.send(900)
    other.tidy()
    other.press()
    if content == "taken over":
        return other.flash.sectors, other.promises
    stream = b"".join(other.flash.sectors)
    stream = stream[size // 2 :] + stream[: size // 2]
    return [stream[size * n : size * (n + 1)] for n in range(sectors)], None


def life(content, seed, steps=STEPS, sectors=SECTORS, size=SECTOR_BYTES):
    """The trace of a life: all kinds of events, in an order of its own. See World for a trace."""
    start, promises = found(content, seed, sectors, size)
    world = World(start, seed, promises, trace=True)
    rng = Rng(seed + 1000)
    deck = []
    for _ in range(steps):
        if not deck:
            deck = list(_DECK)
        _live(world, deck.pop(rng.below(len(deck))), rng)
        world.state()
    world.drain()
    return world.trace


def _live(world, event, rng):
    if event == "press":
        world.press(1 + rng.below(5))
    elif event == "text":
        world.text(1 + rng.below(120))
    elif event == "clock":
        world.clock()
    elif event == "boot":
        world.boot()
    elif event == "refused records":
        world.refusals()
    elif event == "send":
        world.send(60 + rng.below(400))
    elif event == "part of a batch":
        world.send(300, portion=rng.below(1000))
    elif event == "restart":
        world.mount()
    elif event == "idle":
        world.journal.tidy()
    elif event == "idle until done":
        world.tidy()
    elif event == "until full":
        while world.press():
            pass
        world.refusals()
        assert not world.press()
    elif event == "until booked":
        world.drain()
    elif event == "server forgot":
        epoch = world.journal.epochs()[0][0]
        world.forget(epoch, rng.below(1 + world.promises.booked.get(epoch, 0)))
    elif event == "server forgets again and again":  # until marks are used up, and once more while it is off
        epoch = world.journal.epochs()[0][0]
        for _ in range(2):
            world.forget(epoch, rng.below(1 + world.promises.booked.get(epoch, 0)))
            world.send(60 + rng.below(900))
        for _ in range(rng.below(12)):
            world.press()
        world.drain()
        world.mount()
        world.forget(epoch, rng.below(1 + world.promises.booked.get(epoch, 0)))
    elif event == "new epoch":
        world.journal.new_epoch("fork")
    else:
        raise ValueError(event)
