"""What befalls a whole server or a whole kiosk: a restored backup, a flash that went back, a twin with the same id.

The kiosks run the firmware's own journal and sync; the server is restored as docs/operations.md says.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet_server.answers import books, check, quarantine
from fleet_server.answers.books import Books
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation
from tests import evidence, postgres
from tests.conftest import MONDAY_10, ROOT
from tests.firmware.net.support import run
from tests.fleet_server.answers.conftest import furnish
from tests.fleet_server.commands import typed
from tests.fleet_server.faults.kiosk import TEXT, WholeKiosk

TEST = "tests/fleet_server/faults/test_restored_backup.py"
ID = "restored000a"


class Server:
    """A database that is backed up and restored, with the commands of the operations page."""

    def __init__(self, folder: Path, cluster: postgres.Cluster | None) -> None:
        self.folder, self.cluster = folder, cluster
        self.copy = folder / "backup"
        self.name = "" if cluster is None else cluster.create(cluster.migrated)
        self.database = self._open()
        if cluster is None:
            migrate(self.database)
        furnish(self.database)
        with self.database.write() as session:
            # Virtual: these kiosks are pressed a hundred times in an instant, which no misuse rule would count.
            row = Device(
                id=ID, name="a", model="button5", secret_sha256="", created_at=MONDAY_10, virtual=True
            )
            session.add(row)
            session.flush()
            session.add(Installation(place_id=1, device_id=ID, from_at=MONDAY_10))

    @property
    def url(self) -> str:
        if self.cluster is None:
            return f"sqlite:///{self.folder / 'data' / 'hymio.db'}"
        return self.cluster.url(self.name)

    def _open(self) -> Database:
        (self.folder / "data").mkdir(exist_ok=True)
        return Database(self.url)

    def back_up(self) -> None:
        """While it runs."""
        if self.cluster is None:
            assert self.fleet("backup", str(self.copy)).returncode == 0
        else:
            self._program("pg_dump", "--format=custom", f"--file={self.copy}", self.name)

    def restore(self, *, told: bool = True) -> None:
        """Stopped, restored, told so, started."""
        self.database.close()
        if self.cluster is None:
            for part in ("-wal", "-shm"):
                (self.folder / "data" / f"hymio.db{part}").unlink(missing_ok=True)
            shutil.copy(self.copy, self.folder / "data" / "hymio.db")
        else:
            self.name = self.cluster.create("template0")
            self._program("pg_restore", "--no-owner", f"--dbname={self.name}", str(self.copy))
        if told:
            done = self.fleet("restored", "--yes")
            assert done.returncode == 0, done.stderr
        self.database = self._open()

    def fleet(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {"DATA_DIR": str(self.folder / "data"), "DATABASE_URL": self.url}
        return typed.fleet(*arguments, environment={**os.environ, **environment}, folder=ROOT)

    def _program(self, program: str, *arguments: str) -> None:
        assert self.cluster is not None
        where = ("-h", str(self.cluster.folder), "-U", "postgres")
        subprocess.run([str(postgres.PROGRAMS / program), *where, *arguments], check=True)

    def books(self) -> Books:
        with self.database.read() as session:
            assert check.faults(session, ID) == []
            return books.of_devices(session, [ID])[ID]


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    cluster = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    server = Server(tmp_path, cluster)
    yield server
    server.database.close()


def noted(fault: str, test: Callable[..., None], result: str = "") -> None:
    evidence.note(fault, 1, "stories", f"{TEST}::{test.__name__}", result)


def test_yesterdays_backup_costs_nothing_that_the_flash_still_holds(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        kiosk.answer(40)
        await kiosk.exchange(server.database)
        server.back_up()
        kiosk.answer(60)
        await kiosk.exchange(server.database)
        assert server.books().received == kiosk.answers == 100
        server.restore()
        assert server.books().balanced is None, "unknown until the kiosk is heard"
        kiosk.answer(7)
        await kiosk.exchange(server.database)
        after = server.books()
        assert (after.received, after.counted, after.lost, after.waiting) == (107, 107, 0, 0)
        assert after.balanced
        assert server.fleet("check").returncode == 0

    run(story)
    noted("server restored from yesterday's backup, all still in flash",
          test_yesterdays_backup_costs_nothing_that_the_flash_still_holds)  # fmt: skip


def test_what_the_flash_no_longer_holds_shows_as_lost(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        kiosk.answer(40)
        await kiosk.exchange(server.database)
        server.back_up()
        kiosk.answer(60, TEXT)
        kiosk.answer(200)
        await kiosk.exchange(server.database)
        for _ in range(10):
            kiosk.journal.tidy()  # booked texts are erased from flash
        assert server.books().received == 300
        server.restore()
        await kiosk.exchange(server.database)
        kiosk.report(server.database)
        after = server.books()
        assert after.lost > 30
        assert after.received + after.lost == after.next >= 300
        assert (after.waiting, after.balanced) == (0, True), after.faults

    run(story)
    noted("server restored from yesterday's backup, texts erased from flash meanwhile",
          test_what_the_flash_no_longer_holds_shows_as_lost, "the rest shown as lost, books balanced")  # fmt: skip


def test_a_restore_that_nobody_told_the_server_of_heals_with_the_next_batch(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        kiosk.answer(10)
        await kiosk.exchange(server.database)
        server.back_up()
        kiosk.answer(25)
        await kiosk.exchange(server.database)
        server.restore(told=False)
        kiosk.answer(1)
        await kiosk.exchange(server.database)
        assert server.books().received == kiosk.answers == 36

    run(story)
    noted("server restored without a new generation",
          test_a_restore_that_nobody_told_the_server_of_heals_with_the_next_batch)  # fmt: skip


def test_receipts_that_do_not_arrive_for_days_double_nothing(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        for _ in range(5):
            kiosk.answer(20)
            await kiosk.exchange(server.database, deaf=True)
        assert kiosk.journal.waiting == 100
        await kiosk.exchange(server.database)
        assert kiosk.journal.waiting == 0
        assert server.books().counted == kiosk.answers == 100

    run(story)
    noted("no receipt arrives, connection after connection",
          test_receipts_that_do_not_arrive_for_days_double_nothing)  # fmt: skip


def test_a_flash_that_went_back_begins_a_new_epoch_and_loses_nothing_new(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        kiosk.answer(30)
        await kiosk.exchange(server.database)
        yesterday = kiosk.copy_of_flash()
        kiosk.answer(20)
        await kiosk.exchange(server.database)
        back = WholeKiosk(ID, yesterday, seed=2)
        await back.exchange(server.database)  # it hears that more was seen than it has written
        back.answer(5)
        await back.exchange(server.database)
        after = server.books()
        assert (after.counted, after.lost, after.waiting) == (55, 0, 0)
        assert after.balanced, after.faults
        assert len(back.journal.epochs()) == 2

    run(story)
    noted("flash rolled back", test_a_flash_that_went_back_begins_a_new_epoch_and_loses_nothing_new)


def test_two_kiosks_with_one_id_and_one_flash_lose_nothing_silently(server: Server) -> None:
    async def story() -> None:
        kiosk = WholeKiosk(ID)
        kiosk.answer(30)
        await kiosk.exchange(server.database)
        twin = WholeKiosk(ID, kiosk.copy_of_flash(), seed=2)
        kiosk.answer(3)
        twin.answer(4)  # under the same seqs as the other's, before either hears of it
        twin.answer(1, TEXT)
        await kiosk.exchange(server.database)
        await twin.exchange(server.database)
        kiosk.answer(6)
        twin.answer(6)
        await kiosk.exchange(server.database)
        await twin.exchange(server.database)
        after = server.books()
        with server.database.read() as session:
            forks = sum("fork" in fault for fault in after.faults)
            kept = sum(row.evidence for row in quarantine.list_of(session, ID))
        # Three of the twin's answers met others under their keys: kept as evidence, and an alarm.
        assert after.counted + kept == 30 + 3 + 5 + 6 + 6
        assert (forks > 0) == (kept > 0)
        assert after.waiting == 0

    run(story)
    noted("two kiosks with one id and the same flash",
          test_two_kiosks_with_one_id_and_one_flash_lose_nothing_silently, "counted or kept, alarm")  # fmt: skip
