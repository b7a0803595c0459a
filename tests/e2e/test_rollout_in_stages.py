"""Rollouts to real kiosks: one goes on by itself, one halts at a kiosk that refuses, one finds a kiosk that was off.

One of the three kiosks has a firmware that takes smaller sets than the others': it refuses, as one in the field would
whose flash holds an older program.
"""

import re
import shutil
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from fleet_server.db import Database
from fleet_server.rollouts.plan import lot
from provisioning.firmware_files import firmware_root
from provisioning.virtual.client import VirtualKiosk, list_kiosks
from tests.e2e.demo import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

ONE_QUESTION = 5  # 677 bytes for a button kiosk
OWN_LANGUAGE = 4  # 848
SAFETY = 3  # 830
TAKES_BYTES = 700
SECOND = 2  # number of the rollout that the kiosk refuses
SOON_MS = 40_000  # a busy machine may take its time; nothing is judged by it
STAGES = {"kind1": "places", "count1": "1", "hours1": "0", "kind2": "all", "hours2": "0", "kind3": ""}
RUNNING = "SELECT id, running_set FROM device"
AT_ONCE = {"kind1": "all", "hours1": "0", "kind2": "", "kind3": ""}


class Kiosks(NamedTuple):
    """The button kiosks: `fussy` has the firmware that takes less, and the second rollout's lot lets it be first."""

    fussy: VirtualKiosk
    other: VirtualKiosk
    place: str  # at which `other` stands


@pytest.fixture(scope="module")
def kiosks(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosks]:
    buttons = [one for one in list_kiosks(demo.folder / "virtual") if one.facts.model == "button5"]
    standing = {
        device: (place, name)
        for device, place, name in rows(
            demo, "SELECT i.device_id, p.id, p.name FROM installation i JOIN place p ON p.id = i.place_id"
        )
    }
    fussy, other = sorted(buttons, key=lambda one: lot(SECOND, standing[one.facts.id][0]))
    fussy.stop()
    firmware = tmp_path_factory.mktemp("smaller") / "firmware"
    shutil.copytree(firmware_root(), firmware)
    sets = firmware / "kiosk" / "sets.py"
    text = sets.read_text("utf-8")
    assert text.count("_MOST_BYTES = const(4096)") == 1
    sets.write_text(text.replace("_MOST_BYTES = const(4096)", f"_MOST_BYTES = const({TAKES_BYTES})"), "utf-8")
    fussy = VirtualKiosk(demo.folder / "virtual", fussy.name, firmware)
    fussy.start(attached=True)
    yield Kiosks(fussy, other, standing[other.facts.id][1])
    fussy.stop()


def test_stages_go_on_by_themselves_halt_at_a_refusal_and_find_who_was_off(
    page: Page, demo: Demo, kiosks: Kiosks
) -> None:
    page.set_default_timeout(SOON_MS)
    fussy, other, place = kiosks
    wait_until_here(page)

    # A place first; when its kiosk has said that it asks the set, all others follow, and nobody has touched anything.
    first = begin(page, ONE_QUESTION)
    expect(state(page)).to_have_text("done", timeout=SOON_MS)
    expect(page.locator("tbody .badge.ok", has_text="asks it")).to_have_count(3, timeout=SOON_MS)
    assert happened(page) == ["done", "next stage begun", "begun"]
    parts = rows(demo, "SELECT stage, wished_at, reported_at FROM rollout_device WHERE rollout_id = ?", first)
    assert sorted(stage for stage, _wished, _reported in parts) == [0, 1, 1]
    told_at = next(reported for stage, _wished, reported in parts if stage == 0)
    assert all(wished >= told_at for stage, wished, _reported in parts if stage == 1)

    # The first kiosk of the next one refuses: it halts, says why, and the other kiosk is spared.
    other.cut()
    assert begin(page, OWN_LANGUAGE, "button5") == SECOND
    expect(state(page)).to_have_text("halted by its stop rule", timeout=SOON_MS)
    expect(page.locator(".notice.bad")).to_contain_text("1 of 1 kiosks refused the set")
    expect(row(page, fussy.name)).to_contain_text("refused it")
    expect(row(page, fussy.name)).to_contain_text(f"848 bytes, this kiosk takes {TAKES_BYTES}")
    expect(row(page, fussy.name).locator("[data-label='Asks now']")).to_have_text(str(ONE_QUESTION))
    expect(row(page, other.name)).to_contain_text("comes in a later stage")
    assert fussy.status()["show"]["screen"] == "ready", "it asks on what it asked"

    # She goes on all the same, changes her mind, and goes on: a kiosk that is off is wished it and gets it when it is
    # back, unless it is wished something newer by then.
    page.get_by_role("button", name="Go on all the same").click()
    expect(state(page)).to_have_text("under way")
    expect(page.locator(".history")).to_contain_text("No longer a reason to halt: kiosks that refuse the set")
    expect(page.locator("#waits")).to_contain_text("fewer than half of this stage's kiosks have the set yet")
    page.get_by_role("button", name="Pause").click()
    expect(state(page)).to_have_text("paused")
    expect(page.get_by_role("button", name="Begin the next stage now")).to_have_count(0)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_role("button", name="Begin the next stage now").click()
    expect(row(page, other.name)).to_contain_text("not heard since", timeout=SOON_MS)
    begin(page, SAFETY, place=place, stages=AT_ONCE)
    expect(row(page, other.name)).to_contain_text("not heard since", timeout=SOON_MS)
    other.on()
    expect(row(page, other.name)).to_contain_text("asks it", timeout=SOON_MS)
    expect(state(page)).to_have_text("done", timeout=SOON_MS)
    [(report,)] = rows(demo, "SELECT report FROM device WHERE id = ?", other.facts.id)
    assert f"[{SAFETY}," in report
    assert f"[{OWN_LANGUAGE}," not in report, "what was wished meanwhile never came to it"


def test_one_that_a_kiosk_refuses_goes_back_by_itself_where_that_was_chosen(
    page: Page, demo: Demo, kiosks: Kiosks
) -> None:
    page.set_default_timeout(SOON_MS)
    devices = (kiosks.fussy.facts.id, kiosks.other.facts.id)
    wait_until_here(page)
    begin(page, ONE_QUESTION, "button5", stages=AT_ONCE)
    expect(page.locator("tbody .badge.ok", has_text="asks it")).to_have_count(2, timeout=SOON_MS)
    begin(page, OWN_LANGUAGE, "button5", stages=AT_ONCE | {"hours1": "1"}, go_back=True)
    expect(state(page)).to_have_text("rolled back", timeout=SOON_MS)
    expect(page.locator(".notice.bad")).to_contain_text("1 of 2 kiosks refused the set")
    expect(page.locator("tbody .badge.ok", has_text="asks again what it asked before")).to_have_count(
        2, timeout=SOON_MS
    )
    assert happened(page) == ["rolled back", "halted", "begun"]
    # A kiosk may still be at the set that was taken back, when its last report was from before: it comes round.
    deadline = time.monotonic() + SOON_MS / 1000
    while (asked := [dict(rows(demo, RUNNING))[device] for device in devices]) != [
        ONE_QUESTION,
        ONE_QUESTION,
    ]:
        assert time.monotonic() < deadline, asked
        time.sleep(0.2)


def begin(
    page: Page,
    number: int,
    model: str = "",
    place: str = "",
    stages: dict[str, str] = STAGES,
    go_back: bool = False,
) -> int:
    """Fill in the form, see the plan, begin; returns the rollout's number."""
    page.goto(f"/rollouts/new?set={number}")
    if model:
        page.get_by_label(model, exact=True).check()
    if place:
        page.get_by_text("Single places").click()
        page.get_by_label(place).check()
    for name, value in stages.items():
        if name.startswith("kind"):
            page.locator(f"#{name}").select_option(value)
        else:
            page.locator(f"#{name}").fill(value)
    if go_back:
        page.get_by_label("When it halts, go back by itself").check()
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_role("button", name="Begin the rollout").click()
    page.wait_for_url(re.compile(r"/rollouts/\d+$"))
    return int(page.url.rpartition("/")[2])


def wait_until_here(page: Page) -> None:
    page.goto("/devices")
    expect(page.locator("tbody .badge", has_text="Here")).to_have_count(3, timeout=SOON_MS)


def state(page: Page) -> Any:
    return page.locator("h2 .badge")


def row(page: Page, kiosk: str) -> Any:
    return page.locator("tbody tr", has=page.get_by_role("link", name=kiosk))


def happened(page: Page) -> list[str]:
    """What the page says, newest first."""
    return [text.strip() for text in page.locator(".history strong").all_inner_texts()]


def rows(demo: Demo, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    database = Database(f"sqlite:///{demo.folder / 'hymio.db'}")
    try:
        with database.read() as session:
            return [tuple(row) for row in session.connection().exec_driver_sql(sql, values)]
    finally:
        database.close()
