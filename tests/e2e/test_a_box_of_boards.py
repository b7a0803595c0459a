"""Twenty boards and a plan: real server, real tool, real esptool on mock boards; three fail, each in its way."""

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlmodel import func, select

from fleet_server.accounts import tokens
from fleet_server.accounts.models import Role
from fleet_server.answers.models import Record
from fleet_server.devices import credentials
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.places import service as places
from fleet_server.questions import service as questions
from provisioning.chips import ESP32, ESP32_S3
from provisioning.firmware_files import FirmwareFiles
from provisioning.identity import Identity
from provisioning.image import build_image
from provisioning.virtual.client import VirtualKiosk
from tests.e2e.box_of_boards import Bench
from tests.e2e.fleet_process import running
from tests.provisioning import quick_esptool
from tests.provisioning.kiosk_flash import journal, with_journal
from tests.provisioning.stock_images import list_of, small_file, small_stock

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
BOARDS, RUNNING = 20, (1, 20)
OTHER_CHIP, PULLED, HOLDS = 3, 8, 15  # the lines of the plan that fail


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running(tmp_path / "fleet") as fleet, quick_esptool.ready():
        now = now_ms()
        with fleet.database.write() as session:
            questions.add_national(session, now=now)
            unit = places.create_unit(
                session, "test", parent_id=None, name_fi="a", name_sv="a", name_en="a", oid=None,
                sector="health", now=now,
            )  # fmt: skip
            for number in range(1, BOARDS + 1):
                places.create_place(
                    session, "test", unit_id=unit.id, name=f"Place {number}", demo=False, now=now
                )
            token = tokens.create(
                session, "test", name="t", role=Role.TECHNICIAN, unit_id=None, days=1, now=now
            )
        table = Bench(tmp_path, fleet, token, RUNNING)
        with table.stands():
            yield table


def old_kiosk(bench: Bench, answers: int) -> tuple[str, bytes]:
    """The flash of a kiosk that the server knows, taken off its wall with answers that never arrived."""
    with bench.fleet.database.write() as session:
        device, secret = credentials.create(session, name="Old", model="button5", virtual=False, now=now_ms())
        old = Identity(device.id, secret, "kiosks.example.fi", 1883, model="button5")
    files = FirmwareFiles({"/boot.py": b"", "/main.py": b"pass\n"}, "0", 1, "")
    content = build_image(files, old, "button5", stock=small_stock(ESP32)).content
    return old.id, with_journal(content, journal(answers))


def line(number: int) -> str:
    """Half of the plan names its boards, the rest takes what is found in the order of the sockets."""
    model = "touch" if number == BOARDS else "button4" if number % 2 else "button5"
    return f"Kiosk {number};{model};Place {number};{f'1-{number}' if number <= 10 else ''}"


def test_a_box_of_twenty_boards_of_which_three_fail_and_the_same_line_again_does_those_three_alone(
    bench: Bench,
) -> None:
    old_id, held = old_kiosk(bench, answers=37)
    special: dict[int, dict[str, Any]] = {
        OTHER_CHIP: {"chip": "esp32s3"},
        PULLED: {"unplug_at": ("write", 3)},
        HOLDS: {"content": held},
        BOARDS: {"chip": "esp32s3"},
    }
    for number in range(1, BOARDS + 1):
        bench.plug(number, **special.get(number, {}))
    plan = bench.folder / "plan.csv"
    plan.write_text("\n".join(("name;model;place;usb", *map(line, range(1, BOARDS + 1)))))
    stocks = [small_file(bench.folder / f"{chip.name}.bin", chip) for chip in (ESP32, ESP32_S3)]
    digests = (hashlib.sha256(path.read_bytes()).hexdigest() for path in stocks)
    line_again = (
        "batch", plan, "--images", bench.folder / "images", "--stock", stocks[0], "--stock", stocks[1],
        "--list", list_of(bench.folder / "list.toml", *digests), "--host", "kiosks.example.fi", "--flash",
        "--yes", "--labels", bench.folder / "labels.pdf", "--sheet", "l7159", "--wait", 120,
    )  # fmt: skip

    done = bench.station(*line_again, FORCE_COLOR="1")
    assert done.exit_code == 1, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "17 of 20 done, 3 left:", done.stdout
    why = dict(re.fullmatch(r"  line \d+  Kiosk (\d+): (.*)", text).groups() for text in said[1:4])
    assert list(map(int, why)) == [OTHER_CHIP, PULLED, HOLDS]
    port = {number: f"1-{number} ({bench.boards[number].port})" for number in bench.boards}
    assert why[str(OTHER_CHIP)].startswith(
        f"{port[OTHER_CHIP]}: the board is an ESP32-S3, kiosk-3.img is for"
    )
    assert why[str(PULLED)] == f"{port[PULLED]}: the connection broke; look at the cable and run it again"
    assert f"{port[HOLDS]}: 37 answers of kiosk {old_id} have not reached a server" in why[str(HOLDS)]
    assert said[4] == "Put right what is named and run the same command again."
    good = [n for n in bench.boards if n not in (OTHER_CHIP, PULLED, HOLDS)]
    assert all(bytes(bench.boards[n].flash.data) == bench.image(n) for n in good)
    assert {path.name for path in (bench.folder / "images").iterdir()} == {
        f"kiosk-{number}.img" for number in (OTHER_CHIP, PULLED, HOLDS)
    }, "what is seen leaves no secret behind"
    assert bench.boards[OTHER_CHIP].log == ["read"], "nothing was written to the wrong one"
    assert bytes(bench.boards[HOLDS].flash.data) == held
    assert all(isinstance(bench.hung[n], VirtualKiosk) for n in RUNNING)
    bars = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.stderr)
    for number in good:  # a bar for each, filled to its end
        assert re.search(rf"1-{number} \(\S+\) Kiosk {number} +━+ 100 % written and verified", bars), number
    assert "by hand: esptool --chip esp32s3" in bars
    assert "labels.pdf: 20 labels, A4, 24 of 63.5 x 33.9 mm" in bars
    assert len(PdfReader(bench.folder / "labels.pdf").pages) == 1
    assert devices(bench) == BOARDS + 1

    # Each is put right as its sentence says; the rest of the table is left as it is, boards of done kiosks and all.
    bench.boards[OTHER_CHIP].close()
    bench.plug(OTHER_CHIP)
    bench.boards[PULLED].plug()
    harvest = re.search(r"station (harvest --dump \S+)", why[str(HOLDS)])
    assert harvest is not None
    handed = bench.station(*shlex.split(harvest[1]), "--json")
    assert (json.loads(handed.stdout)["new"], handed.exit_code) == (37, 0)
    connections = {number: bench.boards[number].connections for number in good}

    again = bench.station(*line_again, "--json")
    assert again.exit_code == 0, again.stderr
    result = json.loads(again.stdout)
    assert (result["ok"], result["left"], len(result["devices"])) == (True, [], BOARDS)
    assert all(bytes(board.flash.data) == bench.image(n) for n, board in bench.boards.items())
    assert list((bench.folder / "images").iterdir()) == []
    named = [number for number in good if number <= 10]
    assert {n: bench.boards[n].connections for n in named} == {n: connections[n] for n in named}
    assert all(bench.boards[n].log.count("erase") == 1 for n in good), "no board was written twice"
    assert devices(bench) == BOARDS + 1
    with bench.fleet.database.read() as session:
        assert (
            session.exec(select(func.count()).where(Record.device_id == old_id, Record.kind == 1)).one() == 37
        )
    for one in result["devices"]:
        number = int(one["name"].partition(" ")[2])
        assert one["seen"] is True
        assert one["report"]
        assert one["mac"].endswith(f"{number:02x}")
        assert one["board"] == f"1-{number} ({bench.boards[number].port})"
    state = (bench.folder / "plan.csv.state.json").read_text()
    assert "secret" not in state, "the server has seen them all: the secrets are in the kiosks alone"


def devices(bench: Bench) -> int:
    with bench.fleet.database.read() as session:
        return session.exec(select(func.count()).select_from(Device)).one()
