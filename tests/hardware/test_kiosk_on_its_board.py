"""The kiosk's whole program on each board file, with scripted chips and twins of the displays, on MicroPython.

Nothing here has run on an ESP32; it shows that program, board file and drivers fit together to the last pixel.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet_server.questions.national import national_sets
from fleet_server.questions.views import hash_of, view_bytes, view_faults
from fleet_server.screens import drawing
from fleet_server.screens.png import frame

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HEAP = "4M"  # the twins keep a whole picture and every byte that was sent
IDENTITY = {"id": "kiosk0000001", "secret": "s", "host": "127.0.0.1", "port": 1, "tls": False}


def lived(board: str, model: str, folder: Path, page: str) -> tuple[dict[str, Any], bytes]:
    """What run_kiosk.py tells, and the picture on the display when nothing moves any more."""
    interpreter = Path(sys.executable).with_name("micropython")
    if not interpreter.exists():
        pytest.skip("no MicroPython for this platform")
    identity = json.dumps({**IDENTITY, "model": model})
    program = [HERE / "run_kiosk.py", ROOT / "firmware", ROOT / "tests", board, identity, folder, page]
    done = subprocess.run(
        [interpreter, "-X", f"heapsize={HEAP}", *program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    if done.returncode:
        pytest.fail(done.stdout[-3000:])
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert {line.split("(")[0] for line in told["logged"]} <= {"link: OSError"}  # there is no server
    return told, (folder / "seen").read_bytes()


def place(folder: Path, view: bytes) -> None:
    """A question set as a kiosk has it that was asked it before."""
    digest = hash_of(view)
    sets = folder / "state" / "sets"
    sets.mkdir(parents=True)
    (sets / f"7-{digest}").write_bytes(view)
    (sets / "last").write_text(digest)


@pytest.mark.slow
def test_a_touch_kiosk_without_a_question_set_shows_that_it_starts(tmp_path: Path) -> None:
    told, picture = lived("touch_s3", "touch", tmp_path, "start")
    assert told["pages"] == ["start"]
    assert picture == bytes(frame(drawing.page({"page": "start"}, {}), 480, 320, mono=False).pixels)


@pytest.mark.slow
def test_a_finger_on_the_glass_is_an_answer_in_flash_and_the_next_question_on_the_display(
    tmp_path: Path,
) -> None:
    asked = view_bytes(next(body for body in national_sets() if not view_faults(body, "touch")), "touch")
    place(tmp_path, asked)
    told, picture = lived("touch_s3", "touch", tmp_path, "rest")
    assert told["pages"][-1] == "ask"
    assert told["pressed"] == 1
    page = drawing.page(told["scene"], drawing.read_view(asked))
    assert picture == bytes(frame(page, 480, 320, mono=False).pixels)


@pytest.mark.slow
def test_a_button_kiosk_without_a_question_set_says_on_paper_that_it_is_out_of_use(tmp_path: Path) -> None:
    told, picture = lived("button_poe", "button5", tmp_path, "out")
    assert told["pages"] == ["out"]
    assert picture == bytes(frame(drawing.paper_page({"page": "out"}, {}), 400, 300, mono=True).pixels)
