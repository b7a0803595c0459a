"""The first program of a virtual kiosk finds all by the image's own table, or says in a line why not."""

import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.firmware_files import board_of, firmware_files, firmware_root
from provisioning.flash_layout import TABLE_OFFSET, partition
from provisioning.identity import Identity
from provisioning.image import build_image
from provisioning.models import model_of

BOOT = firmware_root() / "boards" / "unix_boot.py"


def micropython(*words: object, heap: str = "128K") -> subprocess.CompletedProcess[str]:
    """Runs to its end; standard input is at its end from the beginning."""
    command = [Path(sys.executable).with_name("micropython"), "-X", f"heapsize={heap}", BOOT, *words]
    return subprocess.run(
        list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
    )


@pytest.fixture
def image(firmware: Path, identity: Identity) -> bytes:
    return build_image(firmware_files("unix", firmware), identity, "button5").content


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def test_it_says_in_one_line_what_is_wrong_with_the_image(image: bytes, tmp_path: Path) -> None:
    flash = tmp_path / "flash.img"
    assert said(micropython()).startswith("usage: micropython")
    assert "cannot be opened" in said(micropython(flash))
    for content in (b"", image[:TABLE_OFFSET], image[: TABLE_OFFSET + 40], bytes(len(image))):
        flash.write_bytes(content)
        assert "no partition 'nvs' (damaged table or image too small)" in said(micropython(flash))
    flash.write_bytes(image[: partition("journal").end - 1])
    assert "no partition 'journal'" in said(micropython(flash))


def test_it_leaves_most_of_the_smallest_heap_to_the_firmware(
    firmware: Path, identity: Identity, tmp_path: Path
) -> None:
    (firmware / "kiosk" / "app.py").write_text(
        "import gc, sys\ndef run(board):\n    gc.collect()\n    print(gc.mem_alloc())\n"
    )
    flash = tmp_path / "flash.img"
    flash.write_bytes(build_image(firmware_files("unix", firmware), identity, "button5").content)
    done = micropython(flash, "1", heap="48K")
    assert done.stderr == ""
    assert int(done.stdout) < 20_000


def test_the_projects_own_firmware_starts_from_its_image_and_ends_with_its_runner(
    identity: Identity, tmp_path: Path
) -> None:
    """Its standard input is closed as if the runner had died: it ends by itself, without an error."""
    flash = tmp_path / "flash.img"
    flash.write_bytes(build_image(firmware_files("unix"), identity, "button5").content)
    done = micropython(flash, "1", heap=model_of("button5").heap)
    assert done.stderr == ""
    assert done.returncode == 0
    assert '\x1e{"show":' in done.stdout


def test_the_projects_own_firmware_compiles_for_every_board() -> None:
    unix, poe = firmware_files("unix"), firmware_files("button_poe")
    assert unix.version == poe.version
    assert set(unix.files) - set(poe.files) == {"/nvs_image.mpy", "/unix_display.mpy", "/unix_sleep.mpy"}
    assert {"/boot.py", "/main.py", "/board.mpy", "/kiosk/app.mpy", "/kiosk/version.mpy"} <= set(poe.files)
    assert unix.build != poe.build
    assert 0 < poe.build < 1 << 30


def test_each_board_gets_the_chips_that_it_has() -> None:
    def chips(board: str, model: str) -> set[str]:
        files = firmware_files(board, model=model).files
        return {path.removeprefix("/drivers/") for path in files if path.startswith("/drivers/")}

    common = {"__init__.mpy", "links.mpy", "piezo.mpy", "soc.mpy"}
    assert chips(board_of("button5"), "button5") == {*common, "pcf8575.mpy", "ssd1683.mpy"}
    assert chips("button_battery", "card4") == {*common, "lc709204f.mpy", "ssd1683.mpy"}
    assert chips(board_of("touch"), "touch") == {*common, "st7796.mpy", "ft6x36.mpy"}
    assert chips("unix", "touch") == set()
