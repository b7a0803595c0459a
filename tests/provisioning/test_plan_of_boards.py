"""Which board of a box gets which line's image, and what a second run with other words changes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from provisioning.board_reader import Found
from provisioning.chips import ESP32, ESP32_S3
from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.esp_tool import Facts
from provisioning.flash_plan import Looked, Wish, pair_wished
from provisioning.flashing import KioskImage
from provisioning.ports import Port
from provisioning.stock import StockFile
from tests.provisioning.flash_rig import write
from tests.provisioning.kiosk_flash import kiosk_id
from tests.provisioning.stock_images import small_file
from tests.provisioning.test_fleet_words import STATION, serving

__all__ = ["write"]  # a fixture


def looked(socket: int, holds: str = "", chip: str = "ESP32") -> Looked:
    facts = Facts(chip, f"24:0a:c4:00:00:{socket:02x}", 8 << 20)
    return Looked(Port(f"/dev/ttyUSB{socket}", f"1-{socket}"), Found(facts, (), True, b"", holds))


def test_a_board_of_the_plan_is_never_given_to_another_line(write: Callable[..., KioskImage]) -> None:
    """Sockets 1 to 6: done already, wrong chip, silent, blank, the second line's own, blank."""
    silent = Looked(Port("/dev/ttyUSB3", "1-3"), None, "the board does not answer")
    there = [
        looked(1, kiosk_id(9)), looked(2, chip="ESP32-S3"), silent, looked(4), looked(5, kiosk_id(2)), looked(6),
    ]  # fmt: skip
    wishes = [
        Wish(write(1), None),
        Wish(write(2), None),
        Wish(write(3), there[0].port),
        Wish(write(4), there[5].port),
        Wish(write(5), None),
    ]
    pairs, left = pair_wished(there, wishes, {kiosk_id(9): "Ward 3"})
    assert [(pair.image.id, pair.port.location) for pair in pairs] == [
        (kiosk_id(1), "1-4"),
        (kiosk_id(2), "1-5"),  # its own, wherever it hangs
        (kiosk_id(4), "1-6"),  # as the plan names it, and nobody else's
    ]
    assert [(wish.image.id, why) for wish, why in left] == [
        (kiosk_id(3), "the board at 1-1 (/dev/ttyUSB1) is Ward 3 already; plug another one in there"),
        (kiosk_id(5), "no board for it is plugged in; 1-3 (/dev/ttyUSB3): the board does not answer"),
    ]  # fmt: skip


def test_of_several_stock_images_each_chip_gets_its_own(tmp_path: Path) -> None:
    files = tuple(small_file(tmp_path / f"{chip.name}.bin", chip) for chip in (ESP32, ESP32_S3))
    for chip in (ESP32_S3, ESP32):
        assert StockFile(files, unlisted=True).read(chip).chip == chip
    with pytest.raises(
        ProvisioningError, match=r"esp32\.bin, esp32\.bin: none is for an ESP32-S3; give one more"
    ):
        StockFile((files[0], files[0]), unlisted=True).read(ESP32_S3)


def test_a_wrong_wifi_key_is_put_right_by_the_same_line_with_the_right_one(tmp_path: Path) -> None:
    made = {"id": "abcdefghijkl", "name": "Hall", "model": "button5", "place_id": None, "new": True}
    silent = {"contact_at": None, "firmware": None}
    wifi, out = tmp_path / "wifi.json", tmp_path / "hall.json"
    words = [
        "provision",
        "Hall",
        "--model",
        "button5",
        "--identity",
        str(out),
        "--host",
        "0.0.0.0",
        "--wifi",
        str(wifi),
    ]
    known = {"devices": (201, made | {"secret": "5e" * 32}), "devices/abcdefghijkl": (200, silent)}
    with serving(station=(200, STATION), **known) as (address, asked):
        env = {"DATA_DIR": str(tmp_path), "HYMIO_SERVER": address, "HYMIO_TOKEN": "hymio_x"}
        for key in ("wrong key", "right key", "right key"):
            wifi.write_text(json.dumps({"ssid": "county", "key": key}))
            done = CliRunner().invoke(app, [*words, "--wait", "0"], env=env)
            assert "has not seen abcdefghijkl" in done.stderr
            assert json.loads(out.read_text())["network"]["key"] == key
        assert asked.count("POST /api/v1/devices") == 1
    assert "written anew" not in done.stderr


def test_flashing_asks_for_what_it_needs_before_a_device_is_made(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("name,model\nHall,button5\n")
    with serving(station=(200, STATION)) as (address, asked):
        env = {"DATA_DIR": str(tmp_path), "HYMIO_SERVER": address, "HYMIO_TOKEN": "hymio_x"}
        batch = ["batch", str(plan), "--images", str(tmp_path / "images"), "--flash"]
        for more, said in (
            ((), "--flash: a board needs MicroPython, too; give --stock FILE"),
            (
                ("--stock", "x.bin"),
                "nobody can be asked: name each board (--usb, or the column usb of a plan)",
            ),
            (
                ("--stock", "x.bin", "--yes", "--labels", "x.doc"),
                "--labels x.doc: its name must end in .pdf or .png",
            ),
        ):
            done = CliRunner().invoke(app, [*batch, *more], env=env)
            assert (done.exit_code, said in done.stderr) == (1, True), done.stderr
        done = CliRunner().invoke(app, [*batch[:2], "--virtual", "--flash", "--stock", "x.bin"], env=env)
        assert "say where they go, with --image or --images" in done.stderr
        assert asked == []


def test_provision_and_batch_have_their_common_options_from_one_place() -> None:
    names = {
        name: {option for one in command.params for option in one.opts if option.startswith("--")}
        for name, command in get_command(app).commands.items()
        if name in ("provision", "batch")
    }
    assert names["batch"] - names["provision"] == {"--images", "--identities"}
    assert names["provision"] >= {"--flash", "--wifi", "--labels", "--stock", "--json"}
