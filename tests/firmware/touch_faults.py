"""Three visitors at a touchscreen and one fault of the program somewhere on their way; runs on CPython and MicroPython.

`faultless` plays them without a fault; `survive` with one, and holds what was shown and recorded against that. A
visitor does what a person would: touches again what had no effect, begins anew when told that nothing could be stored.

As a program on MicroPython it lets memory run out in one step of the front, `rounds` times, and prints a line of JSON:

    micropython -X heapsize=768K touch_faults.py FIRMWARE TESTS ASSETS ROUNDS SEED
"""

import json
import sys

if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]

from ballast import Ballast
from kiosk import record
from nor import Rng
from screens.painter import Painter
from touch_stage import Blind, Stage
from touch_views import national

QR = {"text": "https://palaute.example.fi/p/7", "size": 25, "rows": [0x1555555] * 25}
BETWEEN_MS = 600  # longer than a touch at the same place is a repeat
CRASH_PAUSE_MS = 1000  # the supervisor's, after a first crash
ROOM_AGAIN_MS = 12_000  # after "cannot store"
TRIES = 3
MOST_BYTES = 24_576  # of free heap in a step that is short of it: a page with its module takes less
VISITS = (
    # Who has much to say: another language, larger letters, back and forth, several options, a text, the phone.
    (
        ("language", 1),
        ("mode", "large"),
        ("answer", 3),
        ("answer", 1),
        ("back",),
        ("answer", 4),
        ("answer", -1),
        ("answer", 0),
        ("toggle", 0),
        ("toggle", 2),
        ("next",),
        ("key", "H"),
        ("key", "y"),
        ("rub",),
        ("layer", 1),
        ("layer", 0),
        ("phone",),
        ("back",),
        ("next",),
        ("leave",),
    ),
    # Who walks away: the question on the page is recorded as timed out.
    (("answer", 9), ("wait", 40_000)),
    # A child's relative who writes and leaves the rest.
    (("kind", "kin"), ("answer", 1), ("answer", 0), ("leave",), ("wait", 12_000)),
)


class Faulty(Stage):
    """`fault`: `arm(number of the step)` comes before each step of the front, `disarm()` after it: only what the kiosk
    itself does can fail."""

    def __init__(self, assets, fault=None, painter=Blind):
        self.fault = fault
        self.crashes = []
        self.steps = self._noted = 0
        super().__init__(assets, painter=painter, view=national(), qr=QR, stuck_s=3600)

    def step(self):
        """As `TouchFront.run` and the supervisor around it."""
        self.steps += 1
        try:
            if self.fault is not None:
                self.fault.arm(self.steps)
            self.front.step(self.now % (1 << 30))
            self.front.due_ms(self.now % (1 << 30))
        except Exception as error:
            self._stop()
            self.crashes.append(repr(error))
            assert len(self.crashes) == 1, f"crashed again: {self.crashes}"
            self.now += CRASH_PAUSE_MS
            self.front.begin(self.now % (1 << 30))
            self.front.step(self.now % (1 << 30))
        finally:
            self._stop()

    def _stop(self):
        if self.fault is not None:
            self.fault.disarm()

    def seen(self):
        """What a visitor sees of the scene, whichever statement it was whose turn it is."""
        self.wait(BETWEEN_MS)
        if self.front.screen.shown is None:
            self.wait(BETWEEN_MS)  # memory did not suffice to draw just now
        assert self.front.screen.shown is not None, "nothing is shown"
        scene = dict(self.scene)
        scene.pop("left", None)
        scene.pop("caps", None)  # the other letters are one touch away
        if "question" in scene:
            scene["question"] = self.view["questions"][scene["question"]]["type"]
        return scene, self.front.screen.shown[2:]

    def do(self, action):
        """Touch it, or wait; a page on which it is not to be found is told by False."""
        if action[0] == "wait":
            self.wait(action[1])
            return True
        if not self.offers(action) and action[0] == "key" and self.offers(("caps",)):
            self.press("caps")
        if not self.offers(action):
            return False
        self.press(*action)
        return True

    def offers(self, action):
        return action in [widget.action for widget in self.widgets()]

    @property
    def refused(self):
        """How many the kiosk has counted who were told that it could not be stored."""
        return self.recorder._refused + self._noted

    def records(self):
        found = super().records()
        for fields in found:
            if fields[0] == record.KIND_REFUSED:
                self._noted += fields[11][0]
        return found

    def answered(self):
        """[(type, value, flags, body, how many answers after the visit's first)] of all answers in the journal."""
        self.read_to, self._noted, found, seqs = 0, 0, [], []
        kinds = {one["position"]: one["type"] for one in self.view["questions"]}
        for fields in self.records():
            if fields[0] == record.KIND_ANSWER:
                seqs.append(fields[2])
                since = len(seqs) - 1 - seqs.index(fields[2] - fields[6])
                found.append((kinds[fields[7]], fields[9], fields[1] & 3, fields[11], since))
        return found


def faultless(stage):
    """(what is seen at first and after each touch, for each visit; all answers that are recorded by then)."""
    scenes, recorded = [], []
    stage.seen()
    for visit in VISITS:
        scenes.append([stage.seen()])
        recorded.append([stage.answered()])
        for action in visit:
            assert stage.do(action), f"nothing means {action} on {stage.scene}"
            scenes[-1].append(stage.seen())
            recorded[-1].append(stage.answered())
    assert not stage.crashes
    assert not stage.refused
    return scenes, recorded


def survive(stage, expected):
    """Play the visits; AssertionError when one is not led to its end, or there is more or less to show for it."""
    scenes, recorded = expected
    stage.seen()
    refused = None  # (visit, touch, whether the visit began anew)
    for number, visit in enumerate(VISITS):
        stage.seen()  # the same steps as without a fault
        place = tries = 0
        while place < len(visit):
            known = stage.do(visit[place])
            seen = stage.seen()
            told = seen[0]["page"] == "full"
            if told:
                stage.wait(ROOM_AGAIN_MS)
                seen = stage.seen()
            news = stage.refused and refused is None
            assert news or not told, "told that it could not be stored, and not counted"
            there = seen == scenes[number][place + 1]
            if news:
                refused = number, place, not there
            if there:
                place, tries = place + 1, 0
            elif news:
                assert seen == scenes[number][0], f"the next visitor sees {seen}"
                place = tries = 0
            else:
                assert known, f"{visit[place]} is not on {seen}"
                assert seen == scenes[number][place], f"{visit[place]} led to {seen}"
                tries += 1
                assert tries < TRIES, f"{visit[place]} has no effect on {seen}"
    found = stage.answered()
    assert found in _allowed(recorded, refused), f"refused: {refused}; recorded: {found}"


def _allowed(recorded, refused):
    """What may be in the journal: what was thanked for, and at most the one that could not be thanked for."""
    whole = recorded[-1][-1]
    if refused is None:
        return [whole]
    number, place, anew = refused
    begin, least, most = [len(recorded[number][at]) for at in (0, place, place + 1)]
    rest = begin if anew else most
    return [whole[:count] + whole[rest:] for count in range(least, most + 1)]


class Want:
    """In step number `step` no more than `spare` bytes are free; pages are loaded in it as after a start."""

    def __init__(self, step, spare):
        self.step = step
        self._ballast = Ballast(spare)

    def arm(self, step):
        if step == self.step:
            for name in [name for name in sys.modules if name.startswith("screens.page_")]:
                del sys.modules[name]
            self._ballast.fill()

    def disarm(self):
        if self._ballast.held is not None:
            self._ballast.drop()


def out_of_memory(assets, rounds, seed):
    """Returns what was done, and what came of it."""
    stage = Faulty(assets, painter=Painter)
    expected = faultless(stage)
    steps, rng = stage.steps, Rng(seed)
    done = {"rounds": rounds, "steps": steps, "crashes": 0, "refused": 0, "not_drawn": 0, "quiet": 0}
    for _ in range(rounds):
        step, spare = 1 + rng.below(steps), rng.below(MOST_BYTES >> rng.below(8))
        stage = None  # makes room for the next
        stage = Faulty(assets, Want(step, spare), Painter)
        try:
            survive(stage, expected)
        except AssertionError as error:
            raise AssertionError(f"Want({step}, {spare}): {error}; {stage.crashes}") from None
        not_drawn = [line for line in stage.board.lines if "no memory" in line]
        done["crashes"] += len(stage.crashes)
        done["refused"] += stage.refused
        done["not_drawn"] += bool(not_drawn)
        done["quiet"] += not (stage.crashes or stage.refused or not_drawn)
    return done


if __name__ == "__main__":
    print(json.dumps(out_of_memory(sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))))
