"""What patients see changes only when somebody means it: every screen is as its reference, pixel by pixel.

`.venv/bin/python tests/screens/references.py` renews the references.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.screens.pages_job import write_job
from tests.screens.pictures import beside, kept, read
from tests.screens.references import CHECKSUMS, FOLDER, Reference, everything, picture, pictured

HERE = Path(__file__).resolve().parent
ASSETS = HERE.parents[1] / "firmware" / "assets"
MOST_BYTES = 3_000_000
RENEW = "when it is meant so: .venv/bin/python tests/screens/references.py"
PICTURED = list(pictured())


@pytest.mark.parametrize("reference", PICTURED, ids=lambda reference: reference[0])
def test_a_screen_is_as_its_picture(reference: Reference, tmp_path: Path) -> None:
    path = FOLDER / reference[0]
    old, new = read(path) if path.exists() else None, picture(reference)
    if old != new:
        shown = tmp_path / reference[0]
        shown.write_bytes(kept(beside(old, new)))
        pytest.fail(f"old, new and difference: {shown}\n{RENEW}")


def test_every_screen_language_and_mode_is_as_its_checksum_on_the_firmwares_own_interpreter(
    compiled_firmware: Path, tmp_path: Path
) -> None:
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    references = list(everything())
    job = tmp_path / "job.json"
    write_job(job, [reference[1:] for reference in references])
    command = [
        interpreter,
        "-X",
        "heapsize=16M",
        HERE / "pages_probe.py",
        compiled_firmware,
        ASSETS,
        job,
        "1",
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    found = [
        f"{int(line):08x} {each[0]}" for line, each in zip(done.stdout.splitlines(), references, strict=False)
    ]
    known = CHECKSUMS.read_text().splitlines()
    changed = [line.split()[1] for line in sorted(set(found) ^ set(known))]
    assert not changed, f"{sorted(set(changed))}\n{RENEW}"


def test_no_picture_is_kept_that_nothing_shows() -> None:
    files = {path.name for path in FOLDER.glob("*.png")}
    assert files == {reference[0] for reference in PICTURED}


def test_the_pictures_stay_a_small_part_of_the_project() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


def test_a_picture_that_was_kept_is_read_as_it_was_drawn(tmp_path: Path) -> None:
    rows = [bytes([red, 0, 255] * 3) for red in (0, 7, 255)]
    (tmp_path / "small.png").write_bytes(kept(rows))
    assert read(tmp_path / "small.png") == rows


def test_a_difference_of_one_pixel_is_seen() -> None:
    white = [b"\xff" * 3 * 480] * 320
    other = [*white[:5], b"\xfe" + white[5][1:], *white[6:]]
    row = beside(white, other)[5]
    assert row.count(b"\xd0\x00\x00") == 1
    assert beside(white, white)[5].count(b"\xd0\x00\x00") == 0
