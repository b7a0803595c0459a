"""A kiosk without a network is harvested over USB; when it connects at last, each press is there exactly once."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from kiosk.sector import RECORDS_AT
from sqlmodel import select
from typer.testing import CliRunner

from fleet_server.accounts import tokens
from fleet_server.accounts.models import Role
from fleet_server.answers import check
from fleet_server.answers.models import Quarantine, Record
from fleet_server.db import Database
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.places import service as places
from fleet_server.places.models import Unit
from fleet_server.questions import service as questions
from fleet_server.serving import build, uvicorn_server
from fleet_server.settings import Settings
from provisioning.cli import app
from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.identity import Identity
from provisioning.kiosk_journal import KioskJournal, answers_waiting
from provisioning.server import Server
from provisioning.virtual.client import VirtualKiosk
from tests.e2e.rough_kiosk import hasty_firmware
from tests.fleet_server.link.wire import free_port
from tests.provisioning.flash_rig import quick
from tests.provisioning.kiosk_flash import image, journal, kiosk_id, with_journal
from tests.provisioning.mock_boards import MockBoard

__all__ = ["quick"]  # a fixture
pytestmark = pytest.mark.usefixtures("quick")
SOON_S = 60


@dataclass
class County:
    """A whole server with its own broker, and a technician's token."""

    database: Database
    url: str
    mqtt_port: int
    token: str
    place: int

    def seqs(self, device_id: str) -> list[int]:
        """The answers' seqs, each time that one is booked."""
        with self.database.read() as session:
            query = select(Record.seq).where(Record.device_id == device_id, Record.kind == 1)
            return sorted(session.exec(query).all())

    def station(self, *words: object, token: str | None = None) -> Result:
        environment = {"HYMIO_TOKEN": token or self.token, "HYMIO_SERVER": self.url}
        return CliRunner().invoke(app, ["harvest", *map(str, words)], env=environment)


@pytest.fixture(scope="module")
def county(empty_database_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    folder = tmp_path_factory.mktemp("county")
    (folder / "hymio.db").write_bytes(empty_database_file.read_bytes())
    database = Database(f"sqlite:///{folder / 'hymio.db'}")
    settings = Settings(data_dir=folder, http_port=free_port(), mqtt_port=free_port())
    now = now_ms()
    with database.write() as session:
        questions.add_national(session, now=now)
        unit = Unit(path="", name_fi="a", name_sv="a", name_en="a")
        session.add(unit)
        session.flush()
        unit.path = f"/{unit.id}/"
        session.flush()
        place = places.create_place(session, "test", unit_id=unit.id or 0, name="Exit", demo=False, now=now)
        token = tokens.create(session, "test", name="t", role=Role.TECHNICIAN, unit_id=None, days=1, now=now)
    server = uvicorn_server(build(settings, database), settings)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    end = time.monotonic() + SOON_S
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.02)
    yield County(database, f"http://127.0.0.1:{settings.http_port}", settings.mqtt_port, token, place.id or 0)
    server.should_exit = True
    thread.join(SOON_S)
    database.close()


def wait(kiosk: VirtualKiosk, true: Any) -> dict[str, Any]:
    end = time.monotonic() + SOON_S
    while True:
        status = kiosk.status()
        if true(status):
            return status
        assert time.monotonic() < end, (status, kiosk.folder.log.read_text()[-1500:])
        time.sleep(0.05)


def press(kiosk: VirtualKiosk, face: int) -> None:
    """One visitor, thanked for."""
    before = wait(kiosk, lambda s: s["show"].get("screen") == "ready")["journal"]["pressed"]
    kiosk.press(face)
    wait(kiosk, lambda s: s["journal"]["pressed"] == before + 1)


def test_presses_offline_are_harvested_and_counted_once_when_the_kiosk_connects_later(
    county: County, tmp_path: Path
) -> None:
    with county.database.write() as session:
        device, secret = credentials.create(
            session, name="Exit", model="button5", virtual=False, now=now_ms()
        )
        places.install(session, "test", device_id=device.id, place_id=county.place, now=now_ms())
        assert questions.publish(session, 5, [device.id], actor="test", now=now_ms()) == []
        device_id = device.id
    who = Identity(device_id, secret, "127.0.0.1", county.mqtt_port, model="button5")
    kiosk = VirtualKiosk.create(
        tmp_path / "kiosks", "exit", who, model="button5", firmware=hasty_firmware(tmp_path)
    )
    kiosk.start(attached=True)
    try:
        press(kiosk, 0)
        wait(kiosk, lambda s: s["journal"]["waiting"] == 0)
        assert len(county.seqs(device_id)) == 1
        kiosk.unplug()
        for face in (1, 2, 4):
            press(kiosk, face)
        kiosk.cut()

        flash = tmp_path / "flash.img"  # as esptool reads it
        flash.write_bytes(kiosk.folder.flash.read_bytes())
        done = county.station("--dump", flash, "--dir", tmp_path / "station")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == f"{device_id}: 3 answers were new, 1 were known"
        assert len(county.seqs(device_id)) == 4
        assert flash.exists(), "a file of somebody else's stays"
        again = json.loads(county.station("--dump", flash, "--dir", tmp_path / "station", "--json").stdout)
        assert (again["new"], again["known"], again["device_id"]) == (0, 4, device_id)

        kiosk.on()
        kiosk.plug()
        press(kiosk, 3)
        wait(kiosk, lambda s: s["journal"]["waiting"] == 0 and s["journal"]["pressed"] == 5)
    finally:
        kiosk.stop()
    seqs = county.seqs(device_id)
    assert len(seqs) == len(set(seqs)) == 5
    with county.database.read() as session:
        assert list(check.differences(session, device_id)) == []
    # Taken as it is now, the server knows all of it.
    held = kiosk.folder.flash
    done = county.station("--dump", held, "--dir", tmp_path / "station")
    assert f"{device_id}: 0 answers were new" in done.stdout


def test_over_usb_the_dump_stays_until_the_server_has_confirmed_and_then_the_board_may_be_flashed(
    county: County, tmp_path: Path
) -> None:
    with county.database.write() as session:
        session.add(
            Device(id=kiosk_id(9), name="nine", model="button5", secret_sha256="", created_at=now_ms())
        )
    text = "Kiitos, hyvä palvelu".encode()
    board = MockBoard(content=with_journal(image(9), journal(30, text=text)))
    before = bytes(board.flash.data)
    away = replace(county, url=f"http://127.0.0.1:{free_port()}")
    failed = away.station("--port", board.port, "--dir", tmp_path)
    assert failed.exit_code == 1
    (dump,) = tmp_path.glob("*.journal")
    assert failed.stderr.splitlines()[-1] == (
        f"station: server {away.url} cannot be reached (Connection refused); look at address and network, then go on; "
        f"nothing is lost, go on with: station harvest --dump {dump}"
    )
    assert county.seqs(kiosk_id(9)) == []
    assert not Dumps(tmp_path).is_confirmed(journal(30, text=text))
    wrong = county.station("--dump", dump, "--dir", tmp_path, token="hymio_wrong")
    assert "the token is wrong or has expired" in wrong.stderr
    done = county.station("--dump", dump, "--dir", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert f"{kiosk_id(9)}: 30 answers were new, 0 were known" in done.stdout
    assert len(county.seqs(kiosk_id(9))) == 30
    assert list(tmp_path.glob("*.journal")) == []
    assert Dumps(tmp_path).is_confirmed(journal(30, text=text))
    assert bytes(board.flash.data) == before, "a harvest only reads"
    board.close()


def test_a_flash_harvests_first_when_told_to(county: County, tmp_path: Path) -> None:
    with county.database.write() as session:
        session.add(
            Device(id=kiosk_id(8), name="eight", model="button5", secret_sha256="", created_at=now_ms())
        )
    board = MockBoard(content=with_journal(image(8), journal(12, seed=8)))
    (tmp_path / "1.img").write_bytes(image(1))
    done = CliRunner().invoke(
        app,
        ["flash", str(tmp_path / "1.img"), "--port", board.port, "--dir", str(tmp_path), "--harvest"],
        env={"HYMIO_TOKEN": county.token, "HYMIO_SERVER": county.url},
    )
    assert done.exit_code == 0, done.stderr
    assert len(county.seqs(kiosk_id(8))) == 12
    assert bytes(board.flash.data) == image(1)
    board.close()


def test_a_copied_flash_is_told_and_its_dump_stays(county: County, tmp_path: Path) -> None:
    with county.database.write() as session:
        session.add(
            Device(id=kiosk_id(7), name="seven", model="button5", secret_sha256="", created_at=now_ms())
        )
    first = Dumps(tmp_path).keep(kiosk_id(7), journal(4, text=b"a"))
    assert county.station("--dump", first, "--dir", tmp_path).exit_code == 0
    twin = Dumps(tmp_path).keep(kiosk_id(7), journal(6, text=b"b"))
    done = county.station("--dump", twin, "--dir", tmp_path)
    assert done.exit_code == 1
    assert f"{kiosk_id(7)}: 2 answers were new\n" in done.stdout
    assert "another kiosk has sent other answers under the same numbers (a copied flash?)" in done.stderr
    assert f"the dump stays in {twin}" in done.stderr
    assert twin.exists()
    assert not Dumps(tmp_path).is_confirmed(twin.read_bytes())
    with county.database.read() as session:
        kept = session.exec(select(Quarantine).where(Quarantine.device_id == kiosk_id(7))).all()
    assert len(kept) == 4, "the twin's other answers are kept, not lost"


def test_a_labels_name_comes_from_the_server(county: County, tmp_path: Path) -> None:
    with county.database.write() as session:
        device, _ = credentials.create(session, name="Pääovi", model="touch", virtual=False, now=now_ms())
        device_id = device.id
    words = ["label", device_id, "--out", str(tmp_path / "a.png"), "--json"]
    done = CliRunner().invoke(app, words, env={"HYMIO_TOKEN": county.token, "HYMIO_SERVER": county.url})
    assert done.exit_code == 0, done.stderr
    (told,) = json.loads(done.stdout)["labels"]
    assert told == {"id": device_id, "name": "Pääovi", "address": f"{county.url}/devices/{device_id}"}
    words[1] = "pääovi"
    done = CliRunner().invoke(app, words, env={"HYMIO_TOKEN": county.token, "HYMIO_SERVER": county.url})
    assert json.loads(done.stdout)["labels"] == [told], done.stderr
    with county.database.write() as session:
        credentials.create(session, name="laboratorium", model="touch", virtual=False, now=now_ms())
    words[1] = "laboratorium"
    done = CliRunner().invoke(app, words, env={"HYMIO_TOKEN": county.token, "HYMIO_SERVER": county.url})
    assert json.loads(done.stdout)["labels"][0]["name"] == "laboratorium", "a name that looks like an id"
    words[1] = "no such kiosk"
    done = CliRunner().invoke(app, words, env={"HYMIO_TOKEN": county.token, "HYMIO_SERVER": county.url})
    assert (done.exit_code, done.stderr) == (
        1,
        "station: there is no device 'no such kiosk' that you may see\n",
    )


def test_whose_journal_it_is_must_be_known(county: County, tmp_path: Path) -> None:
    lost = tmp_path / "found-in-a-drawer.bin"
    lost.write_bytes(journal(3))
    for words, said in (
        (("--dump", lost), "whose journal is it? Its identity cannot be read; give --device ID"),
        (("--dump", lost, "--device", "X"), "--device X: an id has 12 characters a-z, 0-9"),
        (("--dump", lost, "--device", "nosuchdevice"), "device nosuchdevice does not exist"),
        (("--dump", lost, "--port", "1-1"), "--port and --dump: give one of them"),
        (("--dump", tmp_path / "no"), "No such file"),
    ):
        done = county.station(*words, "--dir", tmp_path)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert said in done.stderr
    whole = tmp_path / "whole.img"
    whole.write_bytes(with_journal(image(6), journal(3)))
    done = county.station("--dump", whole, "--device", kiosk_id(5), "--dir", tmp_path)
    assert f"--device {kiosk_id(5)}: this is the journal of kiosk {kiosk_id(6)}" in done.stderr


def test_what_is_no_journal_is_never_said_to_be_confirmed(county: County, tmp_path: Path) -> None:
    noise = tmp_path / "wrong.bin"
    noise.write_bytes(bytes(range(256)) * 48)
    done = county.station("--dump", noise, "--device", kiosk_id(4), "--dir", tmp_path / "kept")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "nothing in it can be read as a kiosk's journal; is it the right file or board?" in done.stderr
    assert not (tmp_path / "kept").exists()
    (tmp_path / "notes.txt").write_text("a list of places")
    done = county.station("--dump", tmp_path / "notes.txt", "--dir", tmp_path)
    assert "notes.txt: journal: 16 bytes are no journal" in done.stderr
    assert "a dump or a whole flash image is needed" in done.stderr
    new = tmp_path / "new.img"
    begun = bytearray(b"\xff" * 4096 * 3)
    begun[:4096] = journal(1)[:4096]
    begun[RECORDS_AT:4096] = b"\xff" * (
        4096 - RECORDS_AT
    )  # a header alone: the power went at the first start
    for held in (b"\xff" * 4096 * 3, bytes(begun)):
        new.write_bytes(with_journal(image(4), held))
        done = county.station("--dump", new, "--dir", tmp_path, token="expired")
        assert (done.exit_code, done.stdout) == (
            0,
            f"{kiosk_id(4)}: its journal holds no record; there is nothing to hand over\n",
        )


def test_a_kiosk_of_another_server_is_said_to_be_one_and_its_page_is_named(
    county: County, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.img"
    whole.write_bytes(with_journal(image(3), journal(2)))
    done = county.station("--dump", whole, "--dir", tmp_path)
    assert done.exit_code == 1
    assert f"on {county.url}, or is not yours to see: is that the server it belongs to?" in done.stderr
    with county.database.write() as session:
        session.add(
            Device(id=kiosk_id(3), name="three", model="button5", secret_sha256="", created_at=now_ms())
        )
    done = county.station("--dump", whole, "--dir", tmp_path)
    assert done.stdout.splitlines()[-1] == f"  its page: {county.url}/devices/{kiosk_id(3)}"


def test_a_token_is_never_sent_where_others_read_it() -> None:
    for url, said in (
        ("http://hymio.example.fi", "the token would go over the network unencrypted; use https://"),
        ("hymio.example.fi", "is no address; give --server https://"),
        ("ftp://127.0.0.1", "is no address"),
    ):
        with pytest.raises(ProvisioningError, match=said):
            Server(url, "t")
    with pytest.raises(ProvisioningError, match="it must be one word"):
        Server("https://hymio.example.fi", "two words")
    done = CliRunner().invoke(
        app, ["harvest", "--dump", "x", "--server", "https://x.fi"], env={"HYMIO_TOKEN": ""}
    )
    assert (
        done.stderr == "station: there is no token: make one at https://x.fi/technician and set HYMIO_TOKEN\n"
    )


def test_a_journal_of_many_sectors_is_handed_over_in_full_batches_and_its_bytes_stay() -> None:
    content = journal(1000, sectors=12)
    kept = KioskJournal(content)
    batches = list(kept.batches())
    assert [batches[0].start, batches[-1].to] == [0, 1001]
    assert all(a.to == b.start for a, b in zip(batches, batches[1:], strict=False))
    assert max(len(batch.payload) for batch in batches) <= 4096
    assert answers_waiting(content) == 1000
    assert answers_waiting(b"\xff" * 4096 * 4) == 0
    with pytest.raises(ProvisioningError, match="100 bytes are no journal"):
        KioskJournal(bytes(100))
