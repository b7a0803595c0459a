"""Power may fail at any flash operation, in any way that NOR flash is known to tear: no promise breaks."""

import sys

from kiosk.journal import JournalFull  # noqa: F401 - the journal is what is under test
from nor import PATTERNS, Rng, models, pattern
from whole import read
from world import World, check

SECTORS = 5
SECTOR_BYTES = 320  # ten presses: every life goes round the ring several times
ON_DEVICE = sys.implementation.name == "micropython"


def life(seed, content, steps, sectors=SECTORS, size=SECTOR_BYTES):
    """A traced life: presses, texts, batches, partial receipts, restarts, restores, new epochs, idle work."""
    world = World(pattern(content, sectors, size, seed), seed, trace=True)
    rng = Rng(seed + 1000)
    for _ in range(steps):
        dice = rng.below(100)
        if dice < 62:
            world.press(1 + rng.below(5))
        elif dice < 67:
            world.text(1 + rng.below(120))
        elif dice < 70:
            world.clock()
        elif dice < 80:
            world.send(60 + rng.below(400))
        elif dice < 84:
            epoch, start, to, _ = read(world.journal, 300)
            world.send(300, through=start + rng.below(to - start + 1))
        elif dice < 88:
            world.mount()
        elif dice < 96:
            world.journal.tidy()
        elif dice < 98:
            epoch = world.journal.epochs()[0][0]
            world.forget(epoch, rng.below(1 + world.promises.booked.get(epoch, 0)))
        elif dice < 99:
            world.journal.new_epoch("fork")
        else:
            world.drain()
        world.state()
    world.drain()
    return world.trace


def sweep(seed, content, steps, second_every=0):
    """Cut one life at each operation in every way; returns how many cuts were made."""
    cuts = 0
    for number, (sectors, operation, promises) in enumerate(life(seed, content, steps)):
        for model in models(operation, seed + number, SECTOR_BYTES):
            trace = bool(second_every) and cuts % second_every == 0
            again = check(sectors, operation, promises, model, cuts, trace)
            cuts += 1
            for place, (sectors2, operation2, promises2) in enumerate(again):
                model2 = models(operation2, place + cuts, SECTOR_BYTES)[-1 - place % 6]
                check(sectors2, operation2, promises2, model2, cuts)
                cuts += 1
    return cuts


def test_a_thanked_answer_survives_a_cut_at_every_flash_operation():
    cuts = 0
    for seed, content in enumerate(PATTERNS[:1] if ON_DEVICE else PATTERNS):
        cuts += sweep(seed, content, 60 if ON_DEVICE else 330)
    assert cuts > (500 if ON_DEVICE else 15000), cuts


def test_a_thanked_answer_survives_a_second_cut_while_the_first_is_being_recovered_from():
    cuts = sweep(77, "blank", 40 if ON_DEVICE else 150, second_every=20)
    assert cuts > (300 if ON_DEVICE else 3000), cuts
