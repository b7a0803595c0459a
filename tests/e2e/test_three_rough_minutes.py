"""The promise, whole: what the kiosks thanked for is what the pages show, to the last press, whatever was cut.

Real things only: the compiled firmware on MicroPython, `fleet serve` with its embedded broker, SQLite. Power cuts, some
of them in the middle of a press, pulled cables, and SIGKILL for the server while people press.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.db import Database
from fleet_server.demo.seed import sign_in
from fleet_server.devices import credentials
from fleet_server.instants import now_ms
from fleet_server.migrations import migrate
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from provisioning.identity import Identity
from provisioning.virtual.client import VirtualKiosk
from tests import effort
from tests.e2e.demo import ROOT, free_port
from tests.e2e.rough_kiosk import Press, RoughKiosk, Trouble, explained, hasty_firmware
from tests.evidence import note

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.scales]

KIOSKS = 8
MINUTES, PRESSES = effort.pick((3, 2_000), (3, 2_000), (20, 15_000))
SERVER_KILLS = effort.pick(2, 2, 8)
AWAY_S = 2.0  # how long a killed server stays away
PATIENCE_S = 240.0  # until all is booked, once nothing is broken any more; much on a busy machine
TEST = "tests/e2e/test_three_rough_minutes.py::test_the_pages_show_what_was_thanked_for_to_the_last_press"


class Server:
    """`fleet serve` in a process of its own, on a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.database = f"sqlite:///{folder / 'hymio.db'}"
        self.mqtt_port = free_port()
        self._environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "HTTP_PORT": str(free_port()),
            "MQTT_PORT": str(self.mqtt_port),
        }
        self.address = f"http://127.0.0.1:{self._environment['HTTP_PORT']}"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    async def start(self) -> None:
        """Returns when it says that it is ready; raises with the end of its log otherwise."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fleet_server", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        async with httpx.AsyncClient(base_url=self.address) as client:
            while time.monotonic() < until and self._process.poll() is None:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/health/ready")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise AssertionError("the server is not ready:\n" + self.log()[-3_000:])

    def kill(self) -> None:
        """No farewell, nothing put away."""
        assert self._process
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        """As an operator does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(30)

    def log(self) -> str:
        """All it said, over all its lives."""
        return self._log.read_text("utf-8", "replace")


class County(NamedTuple):
    """What was prepared: the kiosks, the place of each, a sign-in and a token."""

    kiosks: list[RoughKiosk]
    places: list[int]
    email: str
    password: str
    token: str


def prepare(folder: Path, server: Server) -> County:
    """Kiosks at places of their own, asking a national question."""
    database = Database(server.database)
    migrate(database)
    firmware = hasty_firmware(folder)
    kiosks, place_ids = [], []
    now = now_ms()
    with database.write() as session:
        questions.add_national(session, now=now)
        email, password = sign_in(session, folder, now=now)
        token = accounts.create_token(
            session, name="counter", role=Role.SUPERVISOR, unit_id=None, days=1, now=now
        )
        unit = places.create_unit(
            session, "test", parent_id=None, name_fi="alue", name_sv="område", name_en="county", oid=None,
            sector="health", now=now,
        )  # fmt: skip
        for number in range(KIOSKS):
            name = f"rough-{number}"
            device, secret = credentials.create(session, name=name, model="button5", virtual=True, now=now)
            place = places.create_place(session, "test", unit_id=unit.id, name=name, demo=True, now=now)
            places.install(session, "test", device_id=device.id, place_id=place.id, now=now)
            assert questions.publish(session, 1, [device.id], actor="test", now=now) == []
            identity = Identity(id=device.id, secret=secret, host="127.0.0.1", port=server.mqtt_port)
            VirtualKiosk.create(folder / "virtual", name, identity, firmware=firmware)
            kiosk = VirtualKiosk(folder / "virtual", name, firmware=firmware)
            kiosks.append(RoughKiosk(kiosk, device.id, effort.SEED * KIOSKS + number, Trouble()))
            place_ids.append(place.id)
    database.close()
    return County(kiosks, place_ids, email, password, token)


def test_the_pages_show_what_was_thanked_for_to_the_last_press(tmp_path: Path) -> None:
    if shutil.which("micropython", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("no MicroPython for this platform")
    server = Server(tmp_path)
    county = prepare(tmp_path, server)
    try:
        asyncio.run(rough_time(server, county))
    finally:
        server.stop()
        for one in county.kiosks:
            if one.kiosk.running:
                one.kiosk.stop()
    check_records(server, county)
    kiosks = county.kiosks
    thanked, perhaps = (sum(one.count(outcome) for one in kiosks) for outcome in ("thanked", "cut"))
    pressed = sum(sum(one.pressed.values()) for one in kiosks)
    result = f"{thanked} thanked for and {pressed - thanked} of {perhaps} cut off before it: {pressed} on the pages"
    for fault, count in (
        ("power cut of a virtual kiosk while people press", sum(one.cuts for one in kiosks)),
        ("cable of a virtual kiosk pulled while people press", sum(one.unplugs for one in kiosks)),
        ("server and broker killed while people press", server.kills),
    ):
        note(fault, count, "times", TEST, result)


async def rough_time(server: Server, county: County) -> None:
    """Press and break until the time is over and the presses are made; then mend all, wait, and compare."""
    await server.start()
    kiosks = county.kiosks
    for one in kiosks:
        await asyncio.to_thread(one.kiosk.start, attached=True, broker=("127.0.0.1", server.mqtt_port))
    async with asyncio.TaskGroup() as group:
        following = [group.create_task(one.follow()) for one in kiosks]
        rough = [group.create_task(part()) for one in kiosks for part in (one.visitors, one.troubles)]
        await until_pressed_enough(server, kiosks)
        for one in kiosks:
            one.enough.set()
        await asyncio.gather(*rough)
        for one in kiosks:
            await one.calm()
        await compare(server, county)
        for task in following:
            task.cancel()
    assert [one.crashes for one in kiosks] == [[]] * KIOSKS, "the firmware must not fall over"


async def until_pressed_enough(server: Server, kiosks: list[RoughKiosk]) -> None:
    """At least so long and at least so many; on the way the server is killed every now and then."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(0.2)
        made = sum(one.count("thanked") for one in kiosks)
        if made * (SERVER_KILLS + 1) >= PRESSES * (server.kills + 1) and server.kills < SERVER_KILLS:
            server.kill()
            await asyncio.sleep(AWAY_S)
            await server.start()
        if made >= PRESSES and server.kills == SERVER_KILLS and time.monotonic() - began >= 60 * MINUTES:
            return


async def compare(server: Server, county: County) -> None:
    """API and pages against what the kiosks say, once all is booked."""
    async with httpx.AsyncClient(base_url=server.address, timeout=30) as client:
        client.headers["authorization"] = f"Bearer {county.token}"
        until = time.monotonic() + PATIENCE_S
        devices = [await until_booked(client, one, until) for one in county.kiosks]
    async with httpx.AsyncClient(base_url=server.address, timeout=30, follow_redirects=True) as browser:
        signed_in = await browser.post("/sign-in", data={"email": county.email, "password": county.password})
        assert signed_in.status_code == 200
        await browser.post("/language", data={"language": "en"})
        for one, device, place_id in zip(county.kiosks, devices, county.places, strict=True):
            books = device["books"]
            assert books["balanced"], books["faults"]
            assert books["received"] == books["pressed"] == books["counted"] + books["filtered"]
            assert (books["lost"], books["rejected"], books["waiting"]) == (0, 0, 0)
            assert {epoch["epoch"]: epoch["pressed"] for epoch in device["epochs"]} == one.pressed
            sure, perhaps = one.count("thanked"), one.count("cut")
            assert sure <= books["received"] <= sure + perhaps, (sure, perhaps, books)
            page = (await browser.get(f"/devices/{one.device_id}")).text
            for name in ("Pressed", "Received", "Counted", "Filtered"):
                assert (
                    figure(page, rf'<th scope="row">(?:<i[^>]*></i>)?{name}\b.*?<td>') == books[name.lower()]
                ), name
            assert await shown_at_place(browser, place_id) == books["counted"]


async def until_booked(client: httpx.AsyncClient, one: RoughKiosk, until: float) -> dict[str, Any]:
    """The device as the API gives it as soon as the server has all that the kiosk counted."""
    while True:
        answer = await client.get(f"/api/v1/devices/{one.device_id}")
        assert answer.status_code == 200
        device: dict[str, Any] = answer.json()
        books = device["books"]
        total = sum(one.pressed.values())
        if books and books["waiting"] == 0 and books["pressed"] == total == books["received"]:
            return device
        assert time.monotonic() < until, f"{one.kiosk.name}: pressed {one.pressed}, the server has {books}"
        await asyncio.sleep(0.5)


async def shown_at_place(browser: httpx.AsyncClient, place_id: int) -> int:
    """All counted presses that the page of a place shows: of the week, and what is known less finely than a day."""
    page = (await browser.get(f"/places/{place_id}")).text
    found = figure(page, r'<span>yesterday</span></p>\s*<p class="stat"><b>')
    for text in (
        r"(\d+) press(?:es)? (?:is|are) known to the month",
        r"of (\d+) press(?:es)? from the kiosk here",
    ):
        found += sum(int(number) for number in re.findall(text, page))
    return found


def figure(page: str, before: str) -> int:
    """The number that stands behind this in a page."""
    found = re.search(before + r"([\d\s\u00a0\u202f,]+)", page, re.DOTALL)
    assert found, before
    return int(re.sub(r"\D", "", found[1]))


def check_records(server: Server, county: County) -> None:
    """Record by record: the thanked presses in their order, each once; of those that were cut any; no other."""
    database = Database(server.database)
    for one in county.kiosks:
        with database.read() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT r.value FROM record r JOIN journal_epoch e ON e.device_id = r.device_id AND e.epoch = r.epoch"
                " WHERE r.device_id = ? AND r.kind = 1 ORDER BY e.age, r.seq",
                (one.device_id,),
            )
            recorded = [row[0] for row in rows]
        assert explained(one.presses, recorded), (one.kiosk.name, one.presses, recorded)
    database.close()


def test_a_missing_a_doubled_and_a_foreign_record_are_noticed() -> None:
    presses = [Press(5, "thanked"), Press(4, "cut"), Press(3, "thanked"), Press(2, "ignored")]
    assert explained(presses, [5, 3])
    assert explained(presses, [5, 4, 3])
    for wrong in ([5, 4], [5, 3, 3], [3, 5], [5, 3, 2], [5, 5, 3], []):
        assert not explained(presses, wrong)
