"""`station` gives one clear line for bad input and changes nothing then."""

import hashlib
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.flash_layout import FLASH_BYTES, TABLE_OFFSET
from provisioning.image import read_blob
from tests.provisioning.stock_images import REAL, REAL_SHA256, list_of

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = {"id": "kiosk0000001", "secret": "5e" * 32, "host": "127.0.0.1", "port": 9}


@pytest.fixture
def identity_file(tmp_path: Path) -> Path:
    path = tmp_path / "identity.json"
    path.write_text(json.dumps(IDENTITY))
    return path


def station(*words: object, data: Path | None = None) -> Result:
    return CliRunner().invoke(
        app, [str(word) for word in words], env={"DATA_DIR": str(data)} if data else None
    )


def complaint(done: Result) -> str:
    """The one line that bad input gives."""
    assert (done.exit_code, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("station: ")


def test_the_tool_runs_as_a_module_and_says_what_it_can() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "provisioning", "virtual", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stderr) == (0, "")
    for do in (
        "create",
        "start",
        "stop",
        "press",
        "touch",
        "screen",
        "unplug",
        "plug",
        "cut",
        "on",
        "status",
        "list",
    ):
        assert do in done.stdout


def test_an_image_is_written_whole_and_for_its_owner_only(identity_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "kiosk.img"
    done = station("image", "--identity", identity_file, "--out", out, "--model", "button4")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "note: the app slots are blank" in done.stdout
    assert out.stat().st_size == FLASH_BYTES
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert json.loads(read_blob(out.read_bytes(), "identity"))["model"] == "button4"


def test_a_stock_image_makes_it_one_for_a_board(identity_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "kiosk.img"
    words = ("image", "--identity", identity_file, "--out", out, "--stock", REAL)
    assert f"SHA-256 {REAL_SHA256} is on no list" in complaint(station(*words))
    assert not out.exists()
    made = station(*words, "--unlisted", "--json")
    assert (made.exit_code, made.stderr) == (0, "")
    facts = json.loads(made.stdout)
    assert (facts["board"], facts["id"], facts["stock"]["sha256"]) == (
        "button_poe",
        IDENTITY["id"],
        REAL_SHA256,
    )
    assert facts["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert out.read_bytes()[0x1000] == out.read_bytes()[0x10000] == 0xE9
    said = station(*words, "--list", list_of(tmp_path / "own.toml", REAL_SHA256))
    assert "kiosks need v1.29 or newer" in complaint(said)
    both = station(*words, "--app", REAL)
    assert complaint(both) == "--app and --stock: give one of them; --stock has the app in it"
    assert "it is for chip id 0, the board has an ESP32-S3" in complaint(
        station(*words, "--unlisted", "--model", "touch")
    )


def test_a_kiosk_is_made_started_pressed_and_stopped(identity_file: Path, tmp_path: Path) -> None:
    assert station("virtual", "create", "lobby", "--identity", identity_file, data=tmp_path).exit_code == 0
    assert (tmp_path / "virtual" / "lobby" / "flash.img").stat().st_size == FLASH_BYTES
    try:
        started = station("virtual", "start", "lobby", data=tmp_path)
        assert started.stdout == "lobby: running, broker 127.0.0.1:9\n"
        assert station("virtual", "press", "lobby", "2", data=tmp_path).exit_code == 0
        for do in ("unplug", "plug", "cut", "on", "cut"):
            assert station("virtual", do, "lobby", data=tmp_path).exit_code == 0, do
        assert "power: False" in station("virtual", "status", "lobby", data=tmp_path).stdout
        assert station("virtual", "list", data=tmp_path).stdout == "lobby  kiosk0000001  button5  running\n"
    finally:
        stopped = station("virtual", "stop", "lobby", data=tmp_path)
    assert stopped.exit_code == 0
    assert station("virtual", "list", data=tmp_path).stdout == "lobby  kiosk0000001  button5  stopped\n"


def test_a_touch_kiosk_is_touched_and_its_screen_written_as_a_picture(
    identity_file: Path, tmp_path: Path
) -> None:
    made = station(
        "virtual", "create", "lobby", "--identity", identity_file, "--model", "touch", data=tmp_path
    )
    assert made.exit_code == 0
    out = tmp_path / "screen.png"
    try:
        station("virtual", "start", "lobby", data=tmp_path)
        assert station("virtual", "touch", "lobby", 240, 160, "--ms", 50, data=tmp_path).exit_code == 0
        said = complaint(station("virtual", "touch", "lobby", 480, 0, data=tmp_path))
        assert said == "touch: x is 480, it must be a whole number 0 to 479"
        said = complaint(station("virtual", "screen", "lobby", tmp_path / "no" / "where.png", data=tmp_path))
        assert said == f"{tmp_path / 'no' / 'where.png'}: No such file or directory"
        written = station("virtual", "screen", "lobby", out, data=tmp_path)
        assert written.stdout == f"{out}: {out.stat().st_size} bytes\n"
        assert out.read_bytes()[16:24] == bytes.fromhex("000001e0 00000140")
        status = station("virtual", "status", "lobby", data=tmp_path).stdout
        assert "model: touch\n" in status
        assert "screen: touch\n" in status
    finally:
        station("virtual", "stop", "lobby", data=tmp_path)


def test_start_builds_the_image_of_a_kiosk_that_is_not_there(identity_file: Path, tmp_path: Path) -> None:
    said = complaint(station("virtual", "start", "lobby", data=tmp_path))
    assert said == (
        f"kiosk 'lobby' does not exist in {tmp_path / 'virtual'}; "
        "give --identity FILE (from `fleet device create`) to build its image"
    )
    assert not (tmp_path / "virtual").exists()
    flash = tmp_path / "virtual" / "lobby" / "flash.img"
    for _ in range(2):  # the second time the flash is there, and stays as it was left
        try:
            started = station("virtual", "start", "lobby", "--identity", identity_file, data=tmp_path)
            assert started.stdout == "lobby: running, broker 127.0.0.1:9\n"
        finally:
            station("virtual", "stop", "lobby", data=tmp_path)
        assert flash.stat().st_size == FLASH_BYTES
    made = flash.stat().st_ino
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**IDENTITY, "id": "kiosk0000002"}))
    said = complaint(station("virtual", "start", "lobby", "--identity", other, data=tmp_path))
    assert said == "kiosk 'lobby' is kiosk0000001, --identity is kiosk0000002; choose another name"
    assert flash.stat().st_ino == made


def test_a_name_that_is_unknown_taken_or_no_name_is_refused(identity_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "virtual"
    said = complaint(station("virtual", "press", "nobody", 0, data=tmp_path))
    assert said == f"kiosk 'nobody' does not exist in {folder}; create it first"
    for name in ("../lobby", "a/b", "Lobby", "", "ä", "x" * 33, "..", ".hidden"):
        said = complaint(station("virtual", "create", name, "--identity", identity_file, data=tmp_path))
        assert said.startswith(f"kiosk name '{name}' must have 1 to 32 characters a-z, 0-9")
    assert not folder.exists()
    station("virtual", "create", "lobby", "--identity", identity_file, data=tmp_path)
    before = (folder / "lobby" / "flash.img").read_bytes()
    said = complaint(station("virtual", "create", "lobby", "--identity", identity_file, data=tmp_path))
    assert said == f"kiosk 'lobby' exists already in {folder}; choose another name"
    assert (folder / "lobby" / "flash.img").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(identity_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = complaint(
        station("virtual", "create", "lobby", "--identity", identity_file, "--dir", tmp_path / "file")
    )
    assert said.startswith(f"{tmp_path / 'file' / 'lobby'} cannot be written: ")
    said = complaint(station("image", "--identity", identity_file, "--out", tmp_path / "missing" / "x.img"))
    assert str(tmp_path / "missing") in said


def test_a_damaged_or_short_flash_image_is_not_started(identity_file: Path, tmp_path: Path) -> None:
    station("virtual", "create", "lobby", "--identity", identity_file, data=tmp_path)
    flash = tmp_path / "virtual" / "lobby" / "flash.img"
    whole = flash.read_bytes()
    flash.write_bytes(whole[:1_000_000])
    said = complaint(station("virtual", "start", "lobby", data=tmp_path))
    assert said == f"{flash}: flash image: 1000000 bytes are too few, partition 'ota_0' ends at 2621440"
    flash.write_bytes(whole[: TABLE_OFFSET + 5] + b"!" + whole[TABLE_OFFSET + 6 :])
    said = complaint(station("virtual", "start", "lobby", data=tmp_path))
    assert said == f"{flash}: partition table: damaged (its MD5 does not match); write the image anew"
    flash.unlink()
    said = complaint(station("virtual", "start", "lobby", data=tmp_path))
    assert said == f"flash image {flash}: cannot be read: No such file or directory"
    (tmp_path / "virtual" / "lobby" / "kiosk.json").write_text("{}")
    assert "kiosk.json is damaged" in complaint(station("virtual", "start", "lobby", data=tmp_path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--heap", "513K"), "heap '513K' must be 48K to 512K"),
        (("--heap", "lots"), "heap 'lots' must be 48K to 512K"),
        (
            ("--model", "button9"),
            "model 'button9' is unknown; there are button4, button5, card4, card5, touch",
        ),
    ],
)
def test_a_wrong_option_is_named(
    words: tuple[str, str], said: str, identity_file: Path, tmp_path: Path
) -> None:
    done = station("virtual", "create", "lobby", "--identity", identity_file, *words, data=tmp_path)
    assert complaint(done) == said
    assert not (tmp_path / "virtual").exists()


def test_a_wrong_identity_or_app_is_named(identity_file: Path, tmp_path: Path) -> None:
    identity_file.write_text(json.dumps({**IDENTITY, "port": 0}))
    out = tmp_path / "kiosk.img"
    said = complaint(station("image", "--identity", identity_file, "--out", out))
    assert said == "identity: field 'port' is 0, it must be a number from 1 to 65535"
    identity_file.write_text(json.dumps(IDENTITY))
    app = tmp_path / "app.bin"
    app.write_bytes(b"\x7fELF")
    said = complaint(station("image", "--identity", identity_file, "--out", out, "--app", app))
    assert said == "app: this is no ESP32 app image (its first byte is not 0xE9)"
    said = complaint(
        station("image", "--identity", identity_file, "--out", out, "--app", tmp_path / "no.bin")
    )
    assert said == f"{tmp_path / 'no.bin'}: No such file or directory"
    assert not out.exists()


def test_the_identity_that_the_server_prints_becomes_an_image_of_its_model(tmp_path: Path) -> None:
    import json

    from typer.testing import CliRunner

    from provisioning.cli import app

    identity = tmp_path / "kiosk.json"
    fields = {"id": "a" * 12, "secret": "0" * 64, "host": "broker.example.org", "port": 8883, "tls": False}
    identity.write_text(json.dumps({**fields, "model": "button4"}))
    out = tmp_path / "kiosk.img"
    done = CliRunner().invoke(app, ["image", "--identity", str(identity), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert b'"model":"button4"' in out.read_bytes().replace(b'": "', b'":"')
    other = CliRunner().invoke(
        app, ["image", "--identity", str(identity), "--out", str(out), "--model", "button5"]
    )
    assert other.exit_code == 1
    assert "the server registered aaaaaaaaaaaa as button4" in other.output
