"""The power fails, at every flash operation of a life and again at every one of the recovery: no promise breaks.

Runs on CPython and MicroPython. A cut is named by content and seed of its life, the number of the operation and of
the model it is cut in, and, for a second cut, the number of the recovery's operation: what `replay` takes.
"""

from binascii import crc32

from lives import SECTOR_BYTES, STEPS, life
from nor import models, torn
from world import BUDGET, World


class CutFailed(AssertionError):
    """Says which cut broke a promise, which one, and the command that does it again."""


class Sweep:
    """Counts `.cuts`; `.print` is a sum over all that flash held after them: equal for equal behaviour."""

    def __init__(self, most=None):
        self.most = most
        self.cuts = 0
        self.print = 0

    @property
    def done(self):
        return self.most is not None and self.cuts >= self.most

    def over(self, content, seed, steps=STEPS):
        """Cut this life at each operation in every model; each recovery at each operation in one of them."""
        for number, moment in enumerate(life(content, seed, steps)):
            for index in range(len(models(moment[1], seed + number, SECTOR_BYTES))):
                if self.done:
                    return
                again = self._cut(moment, (content, seed, number, index))
                for place, second in enumerate(again):
                    if not self.done:
                        self._cut(second, (content, seed, number, index, place))

    def _cut(self, moment, name):
        model = model_of(moment, name)
        try:
            world = recover(moment, model, turn_of(name), trace=len(name) == 4)
        except Exception as error:  # noqa: BLE001 - whatever it is, it names the cut
            raise CutFailed(described(moment, model, name, error)) from error
        self.cuts += 1
        for data in world.flash.sectors:
            self.print = crc32(data, self.print)
        return world.trace


def model_of(moment, name):
    """The model of the first cut is tried in turn with all others, that of a second one is one of them."""
    found = models(moment[1], name[1] + name[2], SECTOR_BYTES)
    return found[name[3]] if len(name) == 4 else found[(name[2] + name[3] + 5 * name[4]) % len(found)]


def turn_of(name):
    """Which way of recovering this cut is followed by."""
    turn = 0
    for number in name[1:]:
        turn = 31 * turn + number
    return turn % 65536


def replay(content, seed, number, index, place=None, steps=STEPS):
    """One cut again, with nothing else cut; raises what it raised. Returns what it was, in words."""
    moment = life(content, seed, steps)[number]
    name = (content, seed, number, index)
    model = model_of(moment, name)
    words = _words(moment, model)
    if place is not None:
        moment = recover(moment, model, turn_of(name), trace=True).trace[place]
        name += (place,)
        model = model_of(moment, name)
        words += "; recovering, " + _words(moment, model)
    recover(moment, model, turn_of(name))
    return words


def described(moment, model, name, error):
    command = " ".join([repr(part) if " " in str(part) else str(part) for part in name])
    words = f"{_words(moment, model)}: {type(error).__name__}: {error}"
    return f"{words}; again with: .venv/bin/python -m tests.firmware.replay_cut {command}"


def _words(moment, model):
    pos, offset, data = moment[1]
    what = "erasing" if data is None else f"programming {len(data)} bytes at {offset}"
    return f"cut while {what} in sector {pos}, model {model[0]} {model[1]}"


def recover(moment, model, turn, trace=False):
    """Cut the power, start again, go on in one of several ways; every promise must hold. Returns the World."""
    sectors, operation, promises = moment
    sectors = list(sectors)
    sectors[operation[0]] = torn(sectors[operation[0]], operation, model)
    world = World(sectors, turn, promises, trace)
    world.state()
    way = turn % 4
    if turn % 16 == 5:
        epoch = world.journal.epochs()[0][0]
        world.forget(epoch, turn % (1 + world.promises.booked.get(epoch, 0)))
    elif way == 1:
        world.drain(100)
    elif way == 2:
        world.journal.tidy()
    elif way == 3:
        world.send(300, portion=turn)
    if not world.press():
        world.drain()
        world.tidy()
        assert world.press(), "no room although everything is booked"
    if turn % 8 == 4:
        world.text(60)
        world.clock()
    world.mount()
    world.state()
    world.drain(BUDGET if way else 100)
    if way < 2:
        world.tidy()
        limit = 1 / (len(sectors) - 1)
        assert world.journal.fill <= limit, f"sectors are lost: fill {world.journal.fill}"
    world.state()
    assert world.journal.waiting == 0
    if turn % 64 == 0:
        while world.press():
            pass
        assert world.journal.fill == 1.0
        assert world.refusals(), "what says that there is no room has room"
        world.drain()
        assert world.press()
    return world
