"""A technician's day: the real server, the real tool, virtual kiosks for boards. Provision, swap, a whole plan."""

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result
from kiosk.record import KIND_ANSWER
from sqlmodel import col, func, select
from typer.testing import CliRunner

from fleet_server.accounts import service as accounts
from fleet_server.accounts import sessions
from fleet_server.accounts.models import AuditEntry, Role
from fleet_server.answers.check import faults
from fleet_server.answers.models import Record
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from fleet_server.technician.models import Acceptance
from provisioning.cli import app
from provisioning.field.state import StateFile
from provisioning.virtual.client import VirtualKiosk
from tests.e2e.fleet_process import Fleet, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PATIENCE_S = 60


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A county with two demo places and Tuula, its technician; virtual kiosks that still run are stopped."""
    folder = tmp_path_factory.mktemp("fleet")
    with running(folder) as fleet:
        now = now_ms()
        with fleet.database.write() as session:
            questions.add_national(session, now=now)
            unit = places.create_unit(
                session, "test", parent_id=None, name_fi="alue", name_sv="område", name_en="county", oid=None,
                sector="health", now=now,
            )  # fmt: skip
            for name in ("Main door", "Ward 3", "Yard", "Lab"):
                places.create_place(session, "test", unit_id=unit.id, name=name, demo=True, now=now)
            accounts.create_user(
                session,
                email="tuula@example.org",
                name="Tuula",
                language="en",
                roles=[(Role.TECHNICIAN, None)],
                now=now,
            )
        yield fleet
        names = [path.parent.name for path in (folder / "virtual").glob("[!.]*/kiosk.json")]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: end(VirtualKiosk(folder / "virtual", name)), names))


def end(kiosk: VirtualKiosk) -> None:
    if kiosk.running:
        kiosk.stop()


@pytest.fixture(scope="module")
def token(fleet: Fleet) -> str:
    """Made by Tuula on her page, in which she is signed in."""
    with fleet.database.write() as session:
        secret = sessions.begin(session, accounts.by_email(session, "tuula@example.org"), now=now_ms())
    with httpx.Client(base_url=fleet.address, cookies={"hymio_session": secret}) as browser:
        made = browser.post("/technician/token", data={"hours": "2"})
    lines = html.unescape(made.text)
    assert f"export HYMIO_SERVER={fleet.address}\n" in lines
    return re.search(r"export HYMIO_TOKEN=(hymio_[\w-]+)", lines)[1]


@pytest.fixture
def station(fleet: Fleet, token: str) -> Callable[..., Result]:
    """The tool, as in her terminal."""

    def run(*words: object, **environment: str) -> Result:
        kept = {"DATA_DIR": str(fleet.settings.data_dir), "HYMIO_SERVER": fleet.address, "HYMIO_TOKEN": token}
        return CliRunner().invoke(app, [str(word) for word in words], env=kept | environment)

    return run


def ok(done: Result) -> dict[str, Any]:
    assert done.exit_code == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def until(true: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def counted(fleet: Fleet, device: str) -> list[int | None]:
    """The places of a device's booked answers."""
    with fleet.database.read() as session:
        answers = select(Record.place_id).where(Record.device_id == device, Record.kind == KIND_ANSWER)
        return list(session.exec(answers.order_by(col(Record.seq))))


def devices(fleet: Fleet, **where: Any) -> int:
    with fleet.database.read() as session:
        found = select(func.count()).select_from(Device)
        for name, value in where.items():
            found = found.where(getattr(Device, name) == value)
        return session.exec(found).one()


def test_an_interrupted_provisioning_goes_on_and_makes_one_device_and_a_swap_loses_no_waiting_answer(
    fleet: Fleet, station: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby = (
        "provision",
        "Lobby",
        "--model",
        "button5",
        "--place",
        "Main door",
        "--virtual",
        "lobby",
        "--json",
    )
    # The cable is pulled when the server has made the device and its answer is on the way.
    save, saves = StateFile.save, []

    def cut(self: StateFile) -> None:
        saves.append(self.path)
        if len(saves) == 2:
            raise KeyboardInterrupt
        save(self)

    monkeypatch.setattr(StateFile, "save", cut)
    assert station(*lobby).exit_code != 0
    monkeypatch.setattr(StateFile, "save", save)
    assert devices(fleet, name="Lobby") == 1
    first = ok(station(*lobby, "--wait", PATIENCE_S))
    assert ok(station(*lobby))["id"] == first["id"], "and once more changes nothing"
    assert devices(fleet, name="Lobby") == 1
    assert (first["seen"], first["firmware"][:1]) == (True, "0")
    state = fleet.settings.data_dir / "station.json"
    assert state.stat().st_mode & 0o077 == 0
    assert "secret" not in state.read_text(), "the server has seen it: the secret is in the kiosk alone"

    old = first["id"]
    with fleet.database.write() as session:
        assert questions.publish(session, 5, [old], actor="test", now=now_ms()) == []
    kiosk = VirtualKiosk(fleet.settings.data_dir / "virtual", "lobby")
    kiosk.cut()
    kiosk.on()  # it reports, and hears the wish
    until(lambda: kiosk.status()["show"].get("screen") == "ready", "the set has come")

    def press(face: int) -> None:
        before = kiosk.status()["journal"]["pressed"]
        until(lambda: kiosk.status()["show"].get("screen") == "ready", "the lock-out is over")
        kiosk.press(face)
        until(lambda: kiosk.status()["journal"]["pressed"] == before + 1, "the press is in flash")

    press(0)
    until(lambda: len(counted(fleet, old)) == 1, "the first answer is here")
    kiosk.unplug()
    for face in (1, 2, 3):
        press(face)
    spare = ok(station("provision", "Spare", "--model", "button5", "--virtual", "spare", "--json"))
    swapped = ok(station("swap", "lobby", "Spare", "--json"))
    assert (swapped["old"], swapped["new"], swapped["question_set"]) == (old, spare["id"], 5)
    assert ok(station("swap", old, spare["id"], "--json")) == swapped, "sent twice, done once"
    assert counted(fleet, old) == [swapped["place_id"]]

    kiosk.plug()  # in the workshop
    until(lambda: len(counted(fleet, old)) == 4, "what waited has come")
    assert counted(fleet, old) == [swapped["place_id"]] * 4
    kiosk.cut()
    kiosk.on()  # it says again what it has; nothing is counted twice
    until(lambda: kiosk.status()["show"].get("status") == "online", "it is back once more")
    heir = VirtualKiosk(fleet.settings.data_dir / "virtual", "spare")
    until(lambda: heir.status()["show"].get("screen") == "ready", "the new one asks what the old one asked")
    heir.press(0)
    until(
        lambda: counted(fleet, spare["id"]) == [swapped["place_id"]], "the new one's answer counts there, too"
    )
    with fleet.database.read() as session:
        assert faults(session, old) == []
        assert len(counted(fleet, old)) == 4
        done = set(session.exec(select(AuditEntry.action, AuditEntry.actor)).all())
        assert {("swap device", "token:tuula@example.org (station)")} <= done
        report = session.exec(select(Acceptance).where(Acceptance.device_id == old)).one()
        assert (report.by, report.verdict) == ("Tuula", "partial")


PLAN = """name;model;place
Ward left;button4;Ward 3
Ward right;button5;Ward 3
Yard;card5;Yard
Nowhere;button5;Wrad 4
Taken;button5;
Lab;touch;Lab
"""


def test_a_plan_of_six_says_which_two_are_left_and_a_second_run_does_those_alone(
    fleet: Fleet, station: Callable[..., Result], tmp_path: Path
) -> None:
    with fleet.database.write() as session:
        taken, _secret = credentials.create(session, name="Taken", model="touch", virtual=False, now=now_ms())
        taken_id = taken.id
    before = devices(fleet)
    plan = tmp_path / "plan.csv"
    plan.write_text(PLAN)
    done = station("batch", plan, "--virtual", "--wait", PATIENCE_S, "--json")
    assert done.exit_code == 1, done.stderr
    said = json.loads(done.stdout)
    assert [one["name"] for one in said["devices"]] == ["Ward left", "Ward right", "Yard", "Lab"]
    assert all(one["seen"] and one["report"] for one in said["devices"])
    (nowhere, duplicate) = said["left"]
    assert (nowhere["line"], nowhere["why"]) == (5, "there is no place 'Wrad 4' that you may see")
    text = f"name: There is a device of this name already: Taken ({taken_id}). Choose another name."
    assert (duplicate["line"], duplicate["name"], duplicate["why"]) == (6, "Taken", text)
    assert devices(fleet) == before + 4

    plan.write_text(PLAN.replace("Wrad 4", "Ward 3").replace("Taken;", "Taken 2;"))
    again = station("batch", plan, "--virtual", "--wait", PATIENCE_S)
    assert again.exit_code == 0, again.stderr
    assert again.stdout == "6 of 6 done\n"
    assert "made" not in "\n".join(line for line in again.stderr.splitlines() if "Ward left" in line)
    assert devices(fleet) == before + 6
