"""Takes the pictures of docs/technician.md from the running thing: `make pictures`. Nothing in them is drawn by hand.

A server with an empty county, its technician in a browser, and the tool on four mock boards, one of which loses its
cable; then the same line again.
"""

import hashlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from click.testing import Result
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "firmware"), str(ROOT / "tools")]

from terminal_picture import photograph  # noqa: E402

from fleet_server.accounts import service as accounts  # noqa: E402
from fleet_server.accounts import sessions  # noqa: E402
from fleet_server.accounts.models import Role  # noqa: E402
from fleet_server.instants import now_ms  # noqa: E402
from fleet_server.places import service as places  # noqa: E402
from fleet_server.questions import service as questions  # noqa: E402
from provisioning.chips import ESP32  # noqa: E402
from tests.browser import launch  # noqa: E402
from tests.e2e.box_of_boards import Bench  # noqa: E402
from tests.e2e.fleet_process import Fleet, running  # noqa: E402
from tests.provisioning import quick_esptool  # noqa: E402
from tests.provisioning.stock_images import list_of, small_file  # noqa: E402

TARGET = ROOT / "docs" / "pictures"
PHONE = {"width": 390, "height": 760}
PLAN = """name;model;place;usb
Kiosk 1;button5;Main door;1-1
Kiosk 2;button4;Ward 3;1-2
Kiosk 3;button5;Laboratory;1-3
Kiosk 4;button5;;1-4
"""


def main() -> None:
    """Write docs/pictures/technician-*.png."""
    folder = Path(tempfile.mkdtemp(prefix="hymio-technician-"))
    try:
        with running(folder / "fleet") as fleet, quick_esptool.ready(), sync_playwright() as playwright:
            browser = launch(playwright)
            context = browser.new_context(
                base_url=fleet.address, locale="en-GB", viewport={"width": 1180, "height": 760}
            )
            context.add_cookies([{"name": "hymio_session", "value": county(fleet), "url": fleet.address}])
            page = context.new_page()
            page.goto("/technician")
            page.click("#token button.primary")
            page.locator(".card.stack").screenshot(path=TARGET / "technician-token.png")
            token = page.locator(".secret").inner_text().rpartition("HYMIO_TOKEN=")[2].strip()
            table = Bench(folder, fleet, token)
            with table.stands():
                for number in range(1, 5):
                    table.plug(number, **({"unplug_at": ("write", 3)} if number == 3 else {}))
                (folder / "plan.csv").write_text(PLAN)
                stock = small_file(folder / "ESP32_GENERIC.bin", ESP32)
                known = list_of(folder / "list.toml", hashlib.sha256(stock.read_bytes()).hexdigest())
                words = (
                    "batch", folder / "plan.csv", "--images", folder / "images", "--stock", stock, "--list", known,
                    "--host", "kiosks.example.fi", "--flash", "--labels", folder / "labels.pdf", "--wait", 30,
                )  # fmt: skip
                shown = "station batch plan.csv --images images --stock ESP32_GENERIC.bin --flash --labels labels.pdf"
                first = aside(table, words)
                assert (first.exit_code, first.stdout != "") == (1, True), first.stderr
                photograph(browser, shown, _told(first, folder), TARGET / "technician-batch.png")
                table.boards[3].plug()
                again = aside(table, words)
                assert again.exit_code == 0, again.stderr
                photograph(browser, shown, _told(again, folder), TARGET / "technician-again.png")
            page.goto("/technician")
            page.screenshot(path=TARGET / "technician-desk.png", full_page=True)
            page.get_by_role("link", name="Kiosk 4").first.click()
            page.get_by_role("link", name="Acceptance report").first.click()
            page.screenshot(path=TARGET / "technician-report.png", full_page=True)
            page.goto("/technician/codes")
            page.screenshot(path=TARGET / "technician-codes.png")
            page.goto("/technician")
            device = page.get_by_role("link", name="Kiosk 4").first.get_attribute("href")
            page.set_viewport_size(PHONE)
            page.goto(str(device))
            page.screenshot(path=TARGET / "technician-phone.png")
            browser.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for picture in sorted(TARGET.glob("technician-*.png")):
        print(f"{picture.relative_to(ROOT)}  {picture.stat().st_size // 1024} KiB")


def county(fleet: Fleet) -> str:
    """Three places and Tuula, the technician; returns the secret of her session."""
    now = now_ms()
    with fleet.database.write() as session:
        questions.add_national(session, now=now)
        unit = places.create_unit(
            session, "pictures", parent_id=None, name_fi="Terveysasema", name_sv="Hälsostation",
            name_en="Health centre", oid=None, sector="health", now=now,
        )  # fmt: skip
        for name in ("Main door", "Ward 3", "Laboratory"):
            places.create_place(session, "pictures", unit_id=unit.id or 0, name=name, demo=False, now=now)
        user = accounts.create_user(
            session, email="tuula@example.org", name="Tuula", language="en", roles=[(Role.TECHNICIAN, None)],
            now=now,
        )  # fmt: skip
        return sessions.begin(session, user, now=now)


def aside(table: Bench, words: tuple[object, ...]) -> Result:
    """The tool, as on a terminal; in a thread without Playwright's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(table.station, *words, FORCE_COLOR="1", COLUMNS="118").result()


def _told(done: Result, folder: Path) -> str:
    """As it came: progress, then the result; without the name of the folder of the pictures."""
    return (done.stderr + done.stdout).replace(f"{folder}/", "").rstrip()


if __name__ == "__main__":
    main()
