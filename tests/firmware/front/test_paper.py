"""The e-paper shows what is asked, is drawn between visits only, keeps nobody waiting and leaves nothing in memory."""

import asyncio
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kiosk.clock import Clock, Uptime
from kiosk.compat import crc32
from kiosk.paper import Paper
from kiosk.sets import Sets
from kiosk.settings import Settings

from tests.firmware.front.kiosk_rig import QUESTION_SET, view_bytes

ROOT = Path(__file__).resolve().parents[3]
ASSETS = ROOT / "firmware" / "assets"
DAY_MS = 86_400_000
# Bytes of heap on the unix port, where a word has eight bytes; a chip's has four.
LEAST_HEAP = "92K"
KEPT = 8192


class Glass:
    """An e-paper that remembers what it was told, in order."""

    width, height, format = 400, 300, "mono"

    def __init__(self) -> None:
        self.pixels = bytearray(b"\xff" * 15_000)
        self.told: list[Any] = []
        self.broken = False

    def write(self, x: int, y: int, width: int, height: int, band: Any) -> None:
        if self.broken:
            raise OSError(5)
        assert (x, width) == (0, 400)
        self.pixels[y * 50 : (y + height) * 50] = band
        self.told.append("write")

    def refresh(self, full: bool) -> None:
        self.told.append("full" if full else "part")

    async def ready(self) -> None:
        self.told.append("ready")

    def sleep(self) -> None:
        self.told.append("sleep")

    @property
    def refreshes(self) -> list[str]:
        return [what for what in self.told if what in ("full", "part")]


class World:
    """A kiosk's e-paper with everything around it; time is in milliseconds."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.assets = str(ASSETS)
        self.display = Glass()
        self.lines: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.now_ms = 1_000_000
        self.nobody = True
        self.settings = Settings()
        self.uptime = Uptime(lambda: self.now_ms % (1 << 30))
        self.sets = Sets(self.root, Clock(self.uptime), 5)
        self.paper = Paper(self, self.sets, self.settings, self.uptime, lambda: self.nobody)

    def show(self, what: dict[str, Any]) -> None:
        self.seen.append(what)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def ask(self, view: dict[str, Any]) -> None:
        body = view_bytes(view)
        hash = hashlib.sha256(body).hexdigest()
        entry = {"number": view["number"], "hash": hash, "from": None, "to": None, "hours": None}
        self.sets.plan([entry])
        if self.sets.want():
            assert self.sets.begin(len(body)) is None
            self.sets.write(body)
            assert self.sets.finish() is None
        self.sets.switch()
        self.sets.forget_texts()

    def screen(self, name: str) -> None:
        self.show({"screen": name})

    def look(self) -> float:
        """What Paper.run does when nobody is there; seconds until it looks again."""
        return asyncio.run(self.paper._look())


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.ask(QUESTION_SET)
    return world


def test_the_question_that_is_asked_is_drawn_from_its_file(world: World) -> None:
    world.screen("ready")
    world.look()
    assert world.seen == [{"screen": "ready"}], "the board hears what it heard before"
    assert world.display.told == [*["write"] * 15, "full", "ready", "sleep"]
    assert world.display.pixels == expected(QUESTION_SET)
    world.look()
    assert len(world.display.refreshes) == 1, "drawn once"


def expected(view: dict[str, Any], page: str = "ready", language: int = 0) -> bytearray:
    """The page as the server draws it, band by band of another height."""
    from screens import fonts, page_paper

    from fleet_server.screens.png import frame

    files = fonts.load(str(ASSETS), ("p20", "p30", "p44")), fonts.pictures(str(ASSETS), "paper")
    return bytearray(
        frame(page_paper.build({"page": page}, view, language, (), *files), 400, 300, mono=True).pixels
    )


def test_another_set_or_language_is_drawn_with_the_long_waveform_and_a_state_with_the_short_one(
    world: World,
) -> None:
    world.screen("ready")
    world.look()
    world.screen("wait")
    world.look()
    assert world.display.pixels == expected(QUESTION_SET, "wait")
    world.screen("ready")
    world.look()
    assert world.display.refreshes == ["full", "part", "part"]
    other = {**QUESTION_SET, "number": 15}
    other["questions"] = [
        {**QUESTION_SET["questions"][0], "text": {"fi": "Entä nyt?", "sv": "Och nu?", "en": "And now?"}}
    ]
    world.ask(other)
    world.look()
    assert world.display.pixels == expected(other)
    world.settings.update({"language": 1})
    world.look()
    assert world.display.pixels == expected(other, language=1)
    assert world.display.refreshes[3:] == ["full", "full"]


def test_thanks_are_not_drawn(world: World) -> None:
    world.screen("ready")
    world.look()
    world.screen("thanks")
    world.look()
    assert world.display.refreshes == ["full"]


def test_without_a_set_it_says_that_the_kiosk_is_not_in_use(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.screen("out")
    world.look()
    assert world.display.pixels == expected({}, "out")


def test_shadows_are_cleared_after_five_short_updates_and_once_a_day(world: World) -> None:
    for number in range(14):
        world.screen(("ready", "full")[number % 2])
        world.look()
    assert world.display.refreshes == ["full", *["part"] * 5, "full", *["part"] * 5, "full", "part"]
    told = len(world.display.told)
    for _ in range(25):
        world.now_ms += DAY_MS // 24
        world.uptime.ms()
        world.look()
    assert [what for what in world.display.told[told:] if what in ("full", "part")] == ["full"]


def test_nothing_is_drawn_while_somebody_is_there(world: World) -> None:
    async def minutes() -> None:
        task = asyncio.ensure_future(world.paper.run(lambda: None))
        await asyncio.sleep(0)
        task.cancel()

    world.nobody = False
    world.screen("ready")
    asyncio.run(minutes())
    assert world.display.told == []


def test_others_run_between_any_two_steps_of_a_drawing(world: World) -> None:
    """A press is answered within a band: the drawing takes a turn of the loop for each."""
    turns: list[int] = []

    async def story() -> None:
        drawing = asyncio.ensure_future(world.paper._look())
        while not drawing.done():
            turns.append(len([what for what in world.display.told if what == "write"]))
            await asyncio.sleep(0)

    world.screen("ready")
    asyncio.run(story())
    assert max(later - earlier for earlier, later in zip(turns, turns[1:], strict=False)) == 1
    assert len(turns) >= 15 + 4


def test_a_display_that_fails_is_tried_again_soon_and_then_seldom(world: World) -> None:
    world.screen("ready")
    world.display.broken = True
    settled = [(world.look(), world.paper.settled()) for _ in range(3)]
    assert settled == [(20, False), (600, True), (600, True)], "a kiosk that sleeps waits for the second try"
    assert "not drawn" in world.lines[-1]
    assert world.display.told == ["sleep"] * 3, "and the panel is never left awake"
    world.display.broken = False
    world.look()
    assert world.paper.settled()
    assert world.display.pixels == expected(QUESTION_SET)


@pytest.mark.parametrize("damage", ["set", "font"])
def test_damaged_files_are_no_crash(world: World, damage: str, tmp_path: Path) -> None:
    world.screen("ready")
    if damage == "set":
        path = world.sets.asked_path()
        assert path is not None
        Path(path).write_bytes(b'{"number": 14')
    else:
        copied = tmp_path / "assets"
        copied.mkdir()
        for file in ASSETS.glob("p*.bin"):
            (copied / file.name).write_bytes(file.read_bytes())
        (copied / "p44.font.bin").write_bytes(b"nothing")
        world.assets = str(copied)
    assert world.look() == 20
    assert world.display.refreshes == []


def test_the_drawing_code_is_let_go(world: World) -> None:
    world.screen("ready")
    world.look()
    assert not [name for name in sys.modules if name.split(".")[0] == "screens"]


@pytest.fixture
def held_set(tmp_path: Path) -> Path:
    """A folder with the largest set a kiosk takes, in words of usual length, asked last."""
    from tests.firmware.front.kiosk_rig import largest_set

    view = largest_set()
    size = len(view_bytes(view))
    for number, language in enumerate(view["languages"]):
        length = len(view["thanks"][language])
        view["thanks"][language] = (f"Miten {number} kaikki meni tänään " * 20)[: length - 4].strip()
        view["questions"][0]["labels"][language] = [f"Melko samaa mieltä {number}{face}" for face in range(5)]
    view["name"] += "x" * (size - len(view_bytes(view)))
    folder = tmp_path / "state" / "sets"
    folder.mkdir(parents=True)
    hash = hashlib.sha256(view_bytes(view)).hexdigest()
    (folder / f"15-{hash}").write_bytes(view_bytes(view))
    (folder / "last").write_text(hash)
    return tmp_path


def test_micropython_draws_the_same_in_little_memory_and_keeps_nothing_of_it(
    held_set: Path, micropython_program: Callable[..., Any]
) -> None:
    import json

    told = micropython_program("front/paper_probe.py", LEAST_HEAP, 60, ASSETS, held_set, 40)
    assert told["left"] == []
    kept = told["kept"]
    assert kept[1] - kept[0] <= KEPT, "names and letters stay for good"
    assert max(kept[5:]) - kept[5] == 0, kept
    (file,) = (held_set / "state" / "sets").glob("15-*")
    crcs = [
        crc32(bytes(expected(json.loads(file.read_text()), page)), 0)
        for page in ("ready", "wait", "full", "out")
    ]
    assert [shown[0] for shown in told["shown"]] == crcs


def test_a_sign_waits_for_ten_minutes_or_goes_along_with_the_next_page(world: World) -> None:
    """The glass is refreshed for what has lasted, and seldom."""
    world.screen("ready")
    world.look()
    asked = bytes(world.display.pixels)
    world.paper.sign = 1
    for _ in range(9):
        world.now_ms += 60_000
        world.look()
    world.paper.sign = None
    world.look()
    assert len(world.display.refreshes) == 1, "a state that passed was never drawn"
    world.paper.sign = 1
    world.look()
    world.now_ms += 601_000
    world.look()
    assert world.display.refreshes == ["full", "part"]
    assert bytes(world.display.pixels) != asked
    world.paper.sign = None
    world.screen("wait")
    world.look()
    world.screen("ready")
    world.look()
    assert bytes(world.display.pixels) == asked, "what is drawn for another reason has the sign of now"
    assert len(world.display.refreshes) == 4


def test_the_service_page_is_drawn_of_the_facts_and_leaves_no_code_behind(world: World) -> None:
    from screens import paper_service

    from fleet_server.screens import drawing
    from fleet_server.screens.png import frame
    from tests.screens.scenes import ILL

    world.screen("ready")
    world.look()
    world.paper.facts = lambda: dict(ILL)
    world.paper.sign = 5
    world.screen("service")
    world.look()
    page = paper_service.build(ILL, drawing.fonts("paper"), drawing.pictures("paper"))
    assert world.display.pixels == bytearray(frame(page, 400, 300, mono=True).pixels)
    world.now_ms += 3_600_000
    world.look()
    assert len(world.display.refreshes) == 2, "it stands still"
