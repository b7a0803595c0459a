"""A kiosk's secret stays on the laptop no longer than it is needed; a failed test and a refused swap say what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.field.targets import ImageFile
from tests.provisioning.kiosk_flash import image, kiosk_id
from tests.provisioning.test_fleet_words import STATION, serving

ID = "abcdefghijkl"
SILENT, HEARD = {"contact_at": None, "firmware": None}, {"contact_at": "now", "firmware": "0.1.0"}


def known(device: dict[str, Any]) -> dict[str, Any]:
    made = {"id": ID, "name": "Hall", "model": "button5", "place_id": None, "new": True, "secret": "5e" * 32}
    kept = {"address": "http://127.0.0.1/r", "verdict": "failed"}
    return {
        "station": (200, STATION),
        "devices": (201, made),
        f"devices/{ID}": (200, device),
        f"devices/{ID}/acceptance": (201, kept),
    }


def station(tmp_path: Path, server: str, *words: str) -> tuple[int, str, str]:
    env = {"DATA_DIR": str(tmp_path), "HYMIO_SERVER": server, "HYMIO_TOKEN": "hymio_x"}
    done = CliRunner().invoke(app, list(words), env=env)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize("keep", [False, True])
def test_an_image_goes_once_the_server_has_seen_its_kiosk_and_not_before(tmp_path: Path, keep: bool) -> None:
    path = tmp_path / "hall.img"
    words = [
        "provision",
        "Hall",
        "--model",
        "button5",
        "--image",
        str(path),
        "--host",
        "0.0.0.0",
        "--port",
        "9",
    ]
    words += ["--wait", "0", *(["--keep-images"] if keep else [])]
    with serving(**known(SILENT)) as (address, _):
        code, _, said = station(tmp_path, address, *words)
    assert (code, path.exists(), "secret" in said) == (1, True, False)
    port = int(address.rpartition(":")[2])
    with serving(port=port, **known(HEARD)) as (_, _):
        code, _, said = station(tmp_path, address, *words)
        assert code == 0, said
        assert path.exists() == keep
        assert (f"{path} is deleted: it held the kiosk's secret" in said) != keep
        assert station(tmp_path, address, *words)[0] == 0, "and again: nothing is left to do"


def test_another_kiosks_image_is_left_alone_and_one_that_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    path = tmp_path / "1.img"
    path.write_bytes(image(1))
    assert (ImageFile(path).forget(kiosk_id(2)), path.exists()) == ("", True)
    assert ImageFile(path).forget(kiosk_id(1)).endswith("is deleted: it held the kiosk's secret")
    assert (ImageFile(path).forget(kiosk_id(1)), path.exists()) == ("", False)


def test_an_identity_file_stays_for_another_tool_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hall.json"
    words = ("provision", "Hall", "--model", "button5", "--identity", str(path), "--host", "0.0.0.0")
    with serving(**known(HEARD)) as (address, _):
        code, _, said = station(tmp_path, address, *words)
    assert (code, path.exists()) == (0, True)
    assert f"{path} holds its secret: delete it when you need it no more" in said


def test_a_report_that_says_failed_is_not_told_as_a_step_that_is_done(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    steps = [{"name": "buttons", "result": "failed"}, {"name": "sound", "result": "passed"}]
    report.write_text(json.dumps({"steps": steps}))
    words = (
        "provision",
        "Hall",
        "--model",
        "button5",
        "--image",
        str(tmp_path / "x.img"),
        "--report",
        str(report),
    )
    with serving(**known(HEARD)) as (address, _):
        code, _, said = station(tmp_path, address, *words, "--host", "0.0.0.0")
    assert code == 0
    assert (
        "✗ Hall: acceptance report: http://127.0.0.1/r says failed: buttons. Do not put it up like this"
        in said
    )
    assert "sound" not in said


def test_a_swap_that_is_refused_for_its_questions_names_the_way_out(tmp_path: Path) -> None:
    rows = [{"id": one * 12, "name": one, "status": "here"} for one in "ab"]
    fault = "question set 2: 'K2' (five steps of agreement) cannot be asked by a button kiosk (model button4)"
    with serving(
        devices=(200, {"devices": rows, "next": None}),
        **{f"devices/{'a' * 12}/swap": (422, {"error": fault, "code": "hindered"})},
    ) as (address, _):
        code, _, said = station(tmp_path, address, "swap", "a", "b")
    assert code == 1
    assert (
        f"✗ {fault}. Nothing was done: take a kiosk of the old one's model, or give --without-questions"
        in said
    )
