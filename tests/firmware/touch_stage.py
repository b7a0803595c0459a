"""A touch kiosk's front on a board in memory: real pages, fonts, painter and journal; time is a number.

Runs on CPython and MicroPython. `Stage.look` holds what the screen shows against what the journal has.
"""

from kiosk import answers, record
from kiosk.clock import Clock, Uptime
from kiosk.journal import Journal
from kiosk.recorder import Recorder
from kiosk.settings import DEFAULTS
from kiosk.touch_front import TouchFront
from kiosk.touch_screen import Screen
from nor import Nor, Rng
from screens.canvas import BAND_LINES, Canvas
from screens.fonts import load, pictures
from screens.pages import build
from screens.painter import Painter
from screens.raster import RGB565
from screens.widgets import Face
from touch_views import national
from whole import read

SETTLED_MS = 90_000  # without a touch: longer than any page stays
PERIOD = 1 << 30


class Display:
    width, height, format = 480, 320, "rgb565"

    def __init__(self):
        self.fails = 0  # so many writes from now on

    def write(self, x, y, w, h, buf):
        if self.fails:
            self.fails -= 1
            raise MemoryError("made to fail")


class Panel:
    fingers = 0
    fault = None
    point = None

    def read(self):
        return self.point


class Board:
    build = 1
    screen = "touch"
    tells_targets = False

    def __init__(self, rng):
        self.display = Display()
        self.touch = Panel()
        self.random = rng.bytes
        self.sounds = []
        self.shown = {}
        self.lines = []

    def reset_cause(self):
        return 1

    def simulated(self):
        return False

    def sound(self, tune):
        self.sounds.append(tune)

    def show(self, what):
        self.shown.update(what)

    def log(self, line):
        self.lines.append(line)
        del self.lines[:-10]


class Sets:
    def __init__(self, view):
        self.active = view
        self.on_let_go = None

    def switch(self):
        return False


class Settings:
    def __init__(self, **values):
        self.values = dict(DEFAULTS)
        self.values.update(values)

    def get(self, name):
        return self.values[name]


class Blind(Painter):
    """Knows what is shown and draws nothing: for tests of what is written."""

    def _draw(self, x, y, width, height):
        self.bands += 1


_loaded = {}  # folder: its fonts and pictures, which nobody changes


class Stage:
    """`assets`: folder of fonts and pictures. `flash`: outlives a power cut; `start` is power on."""

    def __init__(self, assets, seed=1, sectors=4, view=None, flash=None, painter=Painter, **settings):
        self.rng = Rng(seed)
        if assets not in _loaded:
            _loaded[assets] = load(assets, ("s", "m", "l")), pictures(assets, "touch")
        self.fonts, self.pictures = _loaded[assets]
        self._painter = painter
        self.view = view or national()
        self.settings = Settings(**settings)
        self.flash = flash or Nor(sectors)
        self.canvas = Canvas(Display.width, BAND_LINES, RGB565)
        self.now = 5_000
        self.start()

    def start(self):
        self.board = Board(self.rng)
        self.journal = Journal(self.flash, self.rng.bytes)
        self.uptime = Uptime(lambda: self.now % PERIOD)
        self.clock = Clock(self.uptime)
        self.recorder = Recorder(self.board, self.journal, self.clock, self.uptime)
        self.sets = Sets(self.view)
        self.painter = self._painter(self.board.display, self.canvas)
        self.front = TouchFront(
            self.board, self.recorder, self.sets, self.clock, self.settings,
            Screen(self.board, self.painter, self.page), self.now % PERIOD,
        )  # fmt: skip
        self.last = {}  # position: (value, flags, body) of the present visit
        self.began = None  # seq of its first record
        self.standing = None  # (question, what stands on its page unrecorded) at the last look
        self.read_to = self.journal.next_seq
        self.answers = 0
        self.settle()

    def page(self, scene, view, language, mode):
        return build(scene, view, language, mode, self.fonts, self.pictures, self.painter.page)

    @property
    def scene(self):
        return self.front.screen.shown[0]

    def step(self):
        self.front.step(self.now % PERIOD)

    def settle(self):
        """Until everything is drawn."""
        self.step()
        while self.front.screen.busy:
            self.step()

    def wait(self, ms):
        """Time without a touch."""
        end = self.now + ms
        while self.now < end:
            self.now += min(end - self.now, self.front.due_ms(self.now % PERIOD))
            self.settle()
            self.look()

    def touch(self, x, y, ms=60):
        """A finger comes and goes."""
        self.board.touch.point = (x, y)
        self.board.touch.fingers = 1
        self.settle()
        self.look()
        self.wait(ms)
        self.board.touch.point = None
        self.board.touch.fingers = 0
        self.wait(60)

    def widgets(self):
        return [widget for widget in self.painter.page.widgets if widget.action is not None]

    def press(self, *action):
        """Touch the widget that means this, in its middle; AssertionError when there is none."""
        for widget in self.widgets():
            if widget.action == action:
                x, y, w, h = widget.area
                self.touch(x + w // 2, y + h // 2)
                return
        raise AssertionError(f"nothing means {action} on {self.scene}")

    def release(self):
        """A receipt for everything."""
        self.journal.release(self.journal.epoch, self.journal.next_seq)

    def records(self):
        """Those written since the last call: decoded."""
        journal, found = self.journal, []
        if journal.next_seq == self.read_to:
            return found
        cursor = journal._epochs[-1][1]
        journal._epochs[-1][1] = self.read_to  # as if a receipt had come up to there; put back at once
        _, _, _, raw = read(journal, 4096)
        journal._epochs[-1][1] = cursor
        for one in raw:
            fields = record.decode(one, 0, journal.epoch)
            if fields[2] >= self.read_to:
                found.append(fields)
        self.read_to = journal.next_seq
        return found

    def look(self):
        """What is shown agrees with what is recorded; AssertionError otherwise."""
        if self.front.screen.shown is None:
            return  # memory did not suffice to draw
        scene = self.scene
        for fields in self.records():
            kind, flags, seq, _, _, number, session, position, language, value, _, body = fields
            if kind != record.KIND_ANSWER:
                continue
            self.answers += 1
            assert number == self.view["number"]
            assert language < len(self.view["languages"])
            if self.began is None:
                self.began = seq
                assert (flags & 3, value) != (1, 255), "a visit began with a skipped question"
            assert session == seq - self.began, f"session {session} of {seq}, the visit began at {self.began}"
            before = self.last.get(position)
            assert before != (value, flags, body), f"recorded twice: {fields}"
            self.last[position] = (value, flags, body)
        self._left_behind(scene)
        if scene["page"] not in ("rest", "ask", "text"):
            assert self._marked() == [], scene
            if scene["page"] == "thanks":
                assert self.last, "thanks for nothing"
            if scene["page"] in ("full", "wait", "out", "start"):
                self.last, self.began = {}, None
            return
        if scene["page"] == "rest":
            assert self._marked() == [], "the resting page shows an answer"
            self.last, self.began = {}, None
            return
        question = self.view["questions"][scene["question"]]
        value, flags, body = self.last.get(question["position"], (None, 0, b""))
        if flags & 3:
            value = None
        if scene["page"] == "text":
            self.standing = (question, scene["text"].encode().strip())
        elif answers.several(question):
            marked = sum([1 << i for i in self._marked() if i >= 0])
            self.standing = (question, marked)
            if self._marked() == [-1]:
                assert value == 255, (scene, self.last)
        else:
            marked = [answers.value(question, i) for i in self._marked()]
            if value == answers.CANT_SAY and "left" in scene:
                value = marked[0] if marked else None  # the countdown may stand where "can't say" was
            assert marked == ([] if value is None else [value]), (scene, self.last, marked)

    def _left_behind(self, scene):
        """What stood on a page that is left is recorded as it stood."""
        if self.standing is None or scene["page"] == "phone":
            return
        question, stood = self.standing
        index = self.view["questions"].index(question)
        if scene["page"] in ("ask", "text") and scene.get("question") == index:
            return
        self.standing = None
        if scene["page"] == "full":
            return
        value, flags, body = self.last.get(question["position"], (None, 0, b""))
        if question["type"] == "text":
            assert body == stood, (body, stood)
        elif value != 255:
            assert (value or 0) == stood, (value, stood)

    def _marked(self):
        """Options that the page shows as chosen."""
        found = []
        for widget in self.widgets():
            if widget.action[0] in ("answer", "toggle"):
                face = isinstance(widget, Face)
                if widget.mark[-1] if face else widget.mark[2] == "accent":
                    found.append(widget.action[1])
        return found
