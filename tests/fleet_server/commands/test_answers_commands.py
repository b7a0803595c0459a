"""`fleet check`, `fleet quarantine`, `fleet backup`, `fleet restored`, as an operator types them."""

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from fleet_server.accounts.models import AuditEntry
from fleet_server.answers import check
from fleet_server.answers.models import Quarantine, ServerState
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.link.collector import Collector, Incoming
from tests.fleet_server.answers.conftest import furnish
from tests.fleet_server.answers.messages import batch, press
from tests.fleet_server.commands.test_fleet_commands import fleet
from tests.fleet_server.faults import story

__all__ = ["fleet"]

IDS = ("operated000a", "operated000b", "operated000c")
A, B, C = IDS
Fleet = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def county(fleet: Fleet, tmp_path: Path) -> Database:
    """The story of three kiosks in the database of `fleet`."""
    fleet("migrate")
    database = Database(f"sqlite:///{tmp_path / 'data' / 'hymio.db'}")
    furnish(database)
    with database.write() as session:
        story.devices(session, IDS)
    collector = Collector(database, lambda *_: None, Changes(), clock=lambda: story.NOW)
    for mails in story.told(IDS):
        collector.process([mail.incoming for mail in mails])
    return database


def audited(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
        return [(entry.actor, entry.action, entry.object_id) for entry in entries]


def kept(database: Database, *more: object) -> list[Quarantine]:
    with database.read() as session:
        return list(session.exec(select(Quarantine).where(*more).order_by(col(Quarantine.id))))  # type: ignore[arg-type]


def test_check_looks_and_repairs_only_when_told(county: Database, fleet: Fleet) -> None:
    sound = fleet("check")
    assert (sound.returncode, sound.stdout) == (0, "3 devices, 37 records: all is as the records say\n")
    with county.write() as session:
        run = session.connection().execute
        run(text(f"UPDATE press_count SET counted = 77 WHERE device_id = '{C}'"))
        run(text(f"UPDATE record SET value = 1 WHERE device_id = '{A}' AND seq = 1"))
    for _ in range(2):
        looked = fleet("check")
        assert looked.returncode == 1
        assert f"{C}: count of place_id 0, grain unknown, start_at 0: counted is kept as 77" in looked.stdout
        assert looked.stdout.endswith("37 records: 2 differences\n")
    assert audited(county) == []
    assert fleet("check", "--device", B).returncode == 0
    repaired = fleet("check", "--repair")
    assert repaired.returncode == 1
    assert f"\nrepaired: {C}: count" in repaired.stdout
    assert f"cannot be repaired: {A}: record of epoch 000000a1, seq 1" in repaired.stdout
    assert repaired.stdout.endswith("2 differences, 1 repaired, 1 left\n")
    assert audited(county) == [("fleet", "repair books", C)]
    with county.read() as session:
        assert check.faults(session, C) == []
    assert fleet("check", "--device", "nobody").stderr == "fleet: device 'nobody' does not exist\n"


def test_the_list_names_what_is_kept_and_no_answer(county: Database, fleet: Fleet) -> None:
    listed = fleet("quarantine", "list").stdout.splitlines()
    assert len(kept(county)) == 7
    assert listed[-1] == "7 kept"
    assert listed[0].split() == ["id", "when", "device", "what", "epoch", "seq", "reason"]
    fork = next(line for line in listed if "fork" in line)
    assert f"2026-03-02 13:00  {B}  record    000000b2         1  fork: this key holds another record" in fork
    assert [line for line in listed[1:-1] if "(booked nothing)" in line][0].split()[3:5] == [C, "message"]
    assert not any("Kiitos" in line for line in listed)
    for options, count in (
        (("--device", C), 3),
        (("--what", "message"), 2),
        (("--evidence",), 5),
        (("--no-evidence",), 2),
        (("--device", A), 0),
        (("--device", B, "--what", "record", "--evidence"), 3),
    ):
        assert fleet("quarantine", "list", *options).stdout.splitlines()[-1] == f"{count} kept", options
    assert audited(county) == []
    assert "--what is 'all'" in fleet("quarantine", "list", "--what", "all").stderr


def test_showing_one_is_written_down(county: Database, fleet: Fleet) -> None:
    record = kept(county, Quarantine.what == "record", Quarantine.seq == 2, Quarantine.device_id == B)[0]
    shown = fleet("quarantine", "show", str(record.id)).stdout
    assert shown.startswith("This may hold an answer or a visitor's own words")
    assert "answer: flags 0, seq 2, boot 4, uptime 20, set_number 7" in shown
    assert "value 9" in shown
    assert f"000000  {record.raw[:16].hex(' ')}" in shown
    batches = kept(county, Quarantine.what == "message")
    unknown, noise = (next(row for row in batches if row.evidence is wanted) for wanted in (True, False))
    shown = fleet("quarantine", "show", str(unknown.id)).stdout
    assert "batch: version 2, epoch b1b1b1b1, nonce" in shown
    assert (
        "not a whole batch: the CRC of the message is wrong"
        in fleet("quarantine", "show", str(noise.id)).stdout
    )
    looked = [("fleet", "look at quarantine", str(row.id)) for row in (record, unknown, noise)]
    assert audited(county) == looked
    assert fleet("quarantine", "show", "999").stderr == "fleet: nothing is kept in quarantine under 999\n"
    with county.write() as session:
        row = Quarantine(
            device_id=A, at=0, source="mqtt", what="message", reason="x\x1b[2J", raw=b"\x1b[2J\xff"
        )
        session.add(row)
    shown = fleet("quarantine", "show", str(row.id)).stdout
    assert "\x1b" not in shown + fleet("quarantine", "list").stdout, (
        "nothing that a kiosk sends steers a terminal"
    )


def test_replay_books_what_it_can_and_a_failure_stops_nothing(county: Database, fleet: Fleet) -> None:
    with county.write() as session:
        body = '{"number": 7, "questions": [{"type": "nps"}, {"type": "text"}]}'
        session.connection().execute(
            text("UPDATE question_set SET body = :body WHERE number = 7"), {"body": body}
        )
        session.add(Quarantine(device_id=A, at=0, source="mqtt", what="record", reason="?", raw=b"xx"))
    before = len(kept(county))
    done = fleet("quarantine", "replay", "--all")
    assert done.returncode == 1
    rows = kept(county)
    possible = next(line for line in done.stdout.splitlines() if "booked: 1 received" in line)
    assert int(possible.split(":")[0]) not in [row.id for row in rows]
    assert "failed: quarantine 8: a record without epoch and seq" in done.stdout
    assert "stays: version 2 is still unknown" in done.stdout
    assert "stays: fork, its key holds another record" in done.stdout
    assert "stays: the CRC of the message is wrong" in done.stdout
    assert (
        done.stdout.splitlines()[-1]
        == f"{before} replayed: {before - len(rows)} booked, {len(rows) - 1} stay, 1 failed"
    )
    assert len(rows) < before
    with county.read() as session:
        assert [fault for device_id in IDS for fault in check.faults(session, device_id)] == []
    assert [action for _, action, _ in audited(county)] == ["replay quarantine"] * (before - 1)
    again = fleet("quarantine", "replay", str(rows[0].id), "999")
    assert again.returncode == 1
    assert "999: failed: nothing is kept in quarantine under 999" in again.stdout
    assert fleet("quarantine", "replay", "--device", C).stdout.splitlines()[-1].endswith(" 0 failed")
    assert fleet("quarantine", "replay").stderr == "fleet: say which: ids, --device ID, or --all\n"


def test_a_backup_is_whole_while_the_server_writes(county: Database, fleet: Fleet, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    with county.write() as session:  # a transaction under way is not in it
        session.connection().execute(text("DELETE FROM press_count"))
        done = fleet("backup", str(copy))
        session.rollback()
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("bytes, checked\n")
    assert copy.stat().st_mode & 0o077 == 0, "answers are nobody else's to read"
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT sum(counted) > 0 FROM press_count").fetchone() == (1,)
    assert "exists already" in fleet("backup", str(copy)).stderr
    assert "pg_dump" in fleet("backup", str(tmp_path / "x"), DATABASE_URL="postgresql+psycopg://x@/x").stderr
    missing = fleet("backup", str(tmp_path / "x"), DATA_DIR=str(tmp_path / "elsewhere"))
    assert "is DATA_DIR right?" in missing.stderr


def test_restored_asks_says_what_it_means_and_is_written_down(
    county: Database, fleet: Fleet, tmp_path: Path
) -> None:
    def generation() -> int:
        with county.read() as session:
            return session.exec(select(ServerState.generation)).one()

    before = generation()
    refused = fleet("restored")
    assert refused.returncode == 1
    assert "sends again what its flash still holds" in refused.stdout
    assert generation() == before
    done = fleet("restored", "--yes")
    assert done.returncode == 0
    assert f"generation {generation()}: the server can be started" in done.stdout
    assert generation() != before
    assert audited(county) == [("fleet", "restore database", "generation")]
    receipts: list[bytes] = []
    collector = Collector(county, lambda _, payload: receipts.append(payload), Changes())
    collector.process([Incoming(A, "answers", batch(story.A1, press(19), pressed=15).encode())])
    assert f'"server":{generation()}'.encode() in receipts[0]
