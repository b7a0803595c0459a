"""The main job, as a newcomer does it with `make run`: press, pull, cut, publish."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fleet_server.db import Database
from fleet_server.instants import now_ms
from tests.e2e.conftest import sign_in
from tests.e2e.demo import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.xdist_group("demo")]

LOCK_OUT_S = 2.0
# For a machine that does three other things; alone it takes a moment.
PATIENCE_MS = 20_000


def open_kiosk(page: Page, number: int) -> str:
    """Opens "Try a kiosk" for the n-th kiosk; returns its device id."""
    page.goto("/try")
    page.locator(".try-tab").nth(number).click()
    expect(page.locator(".try-tab").nth(number)).to_have_attribute("aria-current", "page")
    expect(page.locator("#led")).to_have_attribute("data-status", "online", timeout=PATIENCE_MS)
    expect(page.locator("#front")).to_have_attribute("data-screen", "ready", timeout=PATIENCE_MS)
    return page.locator("#try").get_attribute("data-device")


def press(page: Page, face: int) -> int:
    """Presses a face as soon as the kiosk is ready again; returns when (UTC ms)."""
    expect(page.locator("#front")).to_have_attribute(
        "data-screen", re.compile("ready|full"), timeout=PATIENCE_MS
    )
    at = now_ms()
    page.locator(".press").nth(face).click()
    expect(page.locator("#front")).to_have_attribute("data-screen", "thanks", timeout=PATIENCE_MS)
    return at


def number(page: Page, name: str) -> int:
    return int(re.sub(r"\D", "", page.locator(f"#n-{name}").inner_text()))


def test_a_press_is_thanked_for_and_counted_on_the_places_page(page: Page, demo: Demo):
    open_kiosk(page, 0)
    place = page.context.new_page()
    place.goto(page.locator(".bench a[href^='/places/']").get_attribute("href"))
    before = number(page, "counted")
    place_before = int(place.locator("[data-figure=today]").inner_text())
    page.bring_to_front()
    press(page, 0)
    expect(page.locator("#n-counted")).to_have_text(str(before + 1), timeout=PATIENCE_MS)
    place.bring_to_front()
    expect(place.locator("[data-figure=today]")).to_have_text(str(place_before + 1), timeout=PATIENCE_MS)
    place.close()


def test_ten_presses_without_cable_and_through_a_power_cut_arrive_exactly_once_at_the_right_times(
    page: Page, demo: Demo
):
    device = open_kiosk(page, 2)
    press(page, 1)
    expect(page.locator("#n-counted")).to_have_text("1", timeout=PATIENCE_MS)
    page.click("#net button")
    expect(page.locator("#net")).to_have_attribute("data-on", "no")
    times = []
    for face in (0, 1, 2, 3, 4, 0, 0, 1, 4, 0):
        times.append(press(page, face))
        time.sleep(LOCK_OUT_S)
    assert number(page, "received") == 1
    page.click("#power button")
    expect(page.locator("#power")).to_have_attribute("data-on", "no")
    page.click("#power button")
    expect(page.locator("#front")).to_have_attribute("data-screen", "ready", timeout=PATIENCE_MS)
    assert number(page, "counted") == 1
    page.click("#net button")
    expect(page.locator("#n-counted")).to_have_text("11", timeout=30_000)
    expect(page.locator("#n-waiting")).to_have_text("0", timeout=PATIENCE_MS)
    rows = answers(demo, device)
    assert [row["value"] for row in rows] == [4, 5, 4, 3, 2, 1, 5, 5, 4, 1, 5]
    for row, at in zip(rows[1:], times, strict=True):
        assert row["from_at"] - 1_500 <= at <= row["to_at"] + 1_500, (row, at)


def test_another_question_set_reaches_the_three_kiosks_and_each_reports_it(page: Page, demo: Demo):
    page.goto("/question-sets/3")
    for box in page.locator("input[name=device]").all():
        box.check()
    page.click("form[action='/question-sets/3/publish'] button")
    page.wait_for_url("**/question-sets/3")
    expect(page.locator("table .badge.ok")).to_have_count(3, timeout=PATIENCE_MS)
    open_kiosk(page, 0)
    expect(page.locator("#question .first")).to_have_text("Koin oloni turvalliseksi hoidon aikana")


def test_a_press_too_soon_after_another_is_not_thanked_and_leaves_no_record(page: Page, demo: Demo):
    open_kiosk(page, 2)
    before = number(page, "pressed")
    press(page, 0)
    page.locator(".press").nth(1).click()
    time.sleep(1)
    assert number(page, "pressed") == before + 1


def test_a_stop_and_a_new_start_go_on_where_it_was(tmp_path: Path, browser):
    demo = Demo(tmp_path, "--no-patients", "--no-history").start()
    assert demo.stop() == 0
    first_sign_in = demo.sign_in
    demo.start()
    assert demo.sign_in == first_sign_in
    context = browser.new_context(base_url=demo.address, java_script_enabled=False, locale="sv-SE")
    page = context.new_page()
    sign_in(page, demo)
    page.goto("/try")
    reload_until(page, lambda: page.locator("#front").get_attribute("data-screen") == "ready")
    page.locator(".press").first.click()  # without JavaScript it is a form
    reload_until(page, lambda: number(page, "counted") == 1)
    context.close()
    assert demo.stop() == 0
    assert not leftovers(tmp_path), "every process of the demonstration must end with it"


@pytest.mark.parametrize("setting", ["HTTP_PORT", "MQTT_PORT"])
def test_a_taken_port_gets_one_clear_line(tmp_path: Path, demo: Demo, setting: str):
    with pytest.raises(AssertionError) as stopped:
        Demo(tmp_path, **{setting: demo.environment[setting]}).start()
    lines = str(stopped.value).splitlines()[1:]
    assert len(lines) == 1
    assert "is not free" in lines[0]
    assert setting in lines[0]


def test_a_folder_that_cannot_be_written_gets_one_clear_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AssertionError) as stopped:
        Demo(tmp_path / "file" / "data").start()
    lines = str(stopped.value).splitlines()[1:]
    assert len(lines) == 1
    assert "cannot be written" in lines[0]


def reload_until(page: Page, true: Callable[[], bool]) -> None:
    """Without JavaScript a person reloads the page to see what has changed."""
    for _ in range(50):
        if true():
            return
        time.sleep(0.2)
        page.reload()
    raise AssertionError("nothing changed within ten seconds")


def answers(demo: Demo, device: str) -> list[dict]:
    """The answers of a device as they lie in the database, in the order of their seq."""
    database = Database(f"sqlite:///{demo.folder / 'hymio.db'}")
    with database.read() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT seq, value, from_at, to_at FROM record WHERE device_id = ? AND kind = 1 ORDER BY seq",
            (device,),
        )
        found = [dict(row) for row in rows.mappings()]
    database.close()
    return found


def leftovers(folder: Path) -> list[str]:
    """Command lines of processes that still name the demonstration's folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found
