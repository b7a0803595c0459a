"""The operator's commands, as they are typed: what they do, and one clear line when they cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_server.answers.commands import quarantine_app
from fleet_server.cli import app, device, questions_app, token, user
from fleet_server.questions.national import national_sets
from tests.fleet_server.commands import typed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def fleet(tmp_path: Path):
    """Runs `fleet …` in a process of its own, with a folder of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {**os.environ, "DATA_DIR": str(tmp_path / "data"), **environment}
        return typed.fleet(*arguments, environment=own, folder=ROOT)

    run("migrate")
    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "create", "anna@example.org", "--name", "Anna", "--role", "admin"),
        ("token", "create", "reports"),
        ("device", "create", "Lobby"),
        ("device", "revoke", "kiosk0000001"),
        ("questions", "list"),
    ],
)
def test_a_command_in_the_wrong_folder_makes_no_database(fleet, tmp_path: Path, arguments: tuple):
    """Once it made an empty one there, and the operator's new person could sign in nowhere."""
    done = fleet(*arguments, DATA_DIR=str(tmp_path / "wrong"))
    assert done.returncode == 1
    assert done.stderr == (
        f"fleet: there is no Hymiö database {tmp_path / 'wrong' / 'hymio.db'}; set DATA_DIR to the server's folder, "
        "or make a new one with `fleet migrate`\n"
    )
    assert not (tmp_path / "wrong").exists()


def test_a_folder_that_cannot_be_made_is_named(fleet):
    done = fleet("migrate", DATA_DIR="/dev/null/hymio")
    assert done.returncode == 1
    assert done.stderr.startswith("fleet: the folder /dev/null/hymio cannot be made (")
    assert done.stderr.count("\n") == 1


def test_a_database_that_nothing_here_can_speak_to_is_named(fleet):
    done = fleet("migrate", DATABASE_URL="mysql://x")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("fleet: DATABASE_URL: ")


def test_a_kiosk_whose_secret_cannot_be_written_is_not_registered(fleet, tmp_path: Path):
    done = fleet("device", "create", "Lobby", "--out", str(tmp_path / "nowhere" / "kiosk.json"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    refused = fleet("device", "create", "Lobby", "--model", "none", "--out", str(tmp_path / "kiosk.json"))
    assert refused.returncode != 0
    assert not (tmp_path / "kiosk.json").exists()
    assert "0 devices" in fleet("check").stdout


def test_the_module_is_the_command(tmp_path: Path):
    command = [sys.executable, "-m", "fleet_server", "questions", "list"]
    own = {**os.environ, "DATA_DIR": str(tmp_path / "none")}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("fleet: there is no Hymiö database ")


@pytest.mark.parametrize("url", ["hymio.county.example", "ftp://hymio.county.example", "https://"])
def test_a_public_address_that_is_none_is_named(fleet, url: str):
    done = fleet("migrate", PUBLIC_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith("fleet: PUBLIC_URL: ")
    assert repr(url) in done.stderr


def test_an_invitation_printed_leads_to_the_public_address(fleet):
    typed = ("user", "create", "anna@example.org", "--name", "Anna", "--role", "admin")
    done = fleet(*typed, PUBLIC_URL="https://hymio.county.example/")
    assert done.stdout.startswith("https://hymio.county.example/invitation/")


def test_a_person_gets_a_link_a_program_a_token_a_kiosk_an_identity(fleet):
    assert (
        "/invitation/"
        in fleet("user", "create", "anna@example.org", "--name", "Anna", "--role", "admin").stdout
    )
    assert fleet("token", "create", "reports").stdout.startswith("hymio_")
    identity = json.loads(
        fleet("device", "create", "Lobby", "--host", "broker.example.org", "--port", "8883").stdout
    )
    assert set(identity) == {"id", "secret", "host", "port", "tls", "model"}
    assert fleet("device", "revoke", identity["id"]).stdout == f"{identity['id']} is revoked\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("device", "create", "Lobby", "--model", "button9"), "model is 'button9'"),
        (("device", "create", ""), "name is ''"),
        (("device", "revoke", "nobody"), "device 'nobody' does not exist"),
        (("questions", "add", "no-such-file.json"), "no-such-file.json"),
    ],
)
def test_what_cannot_be_done_gets_one_line_with_the_value(fleet, arguments: tuple, said: str):
    done = fleet(*arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [("HTTP_PORT", "eighty"), ("MQTT_PORT", "70000"), ("MQTT_HOST", "broker.example.org")],
)
def test_a_setting_that_cannot_be_right_stops_with_its_name(fleet, setting: str, value: str):
    done = fleet("migrate", **{setting: value})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert setting in done.stderr
    assert value in done.stderr


def test_a_faulty_question_set_is_kept_and_its_faults_are_listed(fleet, tmp_path: Path):
    body = national_sets()[0] | {"number": 77}
    del body["questions"][1]["text"]["sv"]
    file = tmp_path / "set.json"
    file.write_text(json.dumps(body))
    done = fleet("questions", "add", str(file))
    assert done.returncode == 0
    assert "question set 77 is kept" in done.stdout
    assert "text 'K1' has no Swedish" in done.stdout
    assert "77" in fleet("questions", "list").stdout
    body["name"] = "another"
    file.write_text(json.dumps(body))
    again = fleet("questions", "add", str(file))
    assert again.returncode == 1
    assert "taken" in again.stderr


def test_a_question_set_that_its_screen_cannot_show_says_so_when_it_is_added(fleet, tmp_path: Path):
    body = national_sets()[8] | {"number": 78}
    body["thanks"]["en"] = "Thank you for your \u30d5"
    file = tmp_path / "set.json"
    file.write_text(json.dumps(body))
    done = fleet("questions", "add", str(file))
    assert done.returncode == 0
    wanted = "English has the letter '\u30d5' (U+30D5), which no font of model touch has"
    assert wanted in done.stdout


@pytest.mark.parametrize("content", ["", "[]", "{", '{"number": "x"}', '"set"'])
def test_a_file_that_is_no_question_set_is_refused_in_one_line(fleet, tmp_path: Path, content: str):
    file = tmp_path / "set.json"
    file.write_text(content)
    done = fleet("questions", "add", str(file))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_every_command_is_in_the_operators_page():
    page = (ROOT / "docs" / "operations.md").read_text()
    groups = {
        "": app,
        "user ": user,
        "token ": token,
        "device ": device,
        "questions ": questions_app,
        "quarantine ": quarantine_app,
    }
    for group, commands in groups.items():
        for command in commands.registered_commands:
            name = command.name or command.callback.__name__
            assert f"fleet {group}{name}" in page, (
                f"docs/operations.md does not mention `fleet {group}{name}`"
            )


def test_the_national_file_is_written_or_its_months_are_refused(fleet, tmp_path: Path):
    file = tmp_path / "national.csv"
    done = fleet(
        "results", "national", "--from", "2026-01", "--to", "2026-03", "--quarters", "--out", str(file)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.read_text().startswith("unit_oid,unit_id,")
    refused = fleet("results", "national", "--from", "2026-13", "--to", "2026-03")
    assert refused.returncode == 1
    assert refused.stderr.startswith("fleet: --from: “2026-13” is no month")
