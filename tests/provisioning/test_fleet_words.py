"""Whatever is wrong with server, token or plan, the tool says one sentence, ends with 1 and sends nothing elsewhere."""

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from typer.testing import CliRunner

from provisioning.cli import app
from provisioning.errors import ProvisioningError
from provisioning.field.batch import kiosk_name, read_plan
from provisioning.field.provision import Job, Wanted
from provisioning.field.say import Say
from provisioning.field.state import Progress, StateFile
from provisioning.field.targets import IdentityFile, ImageFile
from provisioning.field.waiting import why_not_seen
from tests.provisioning.certificates import Authority

STATION = {
    "technician": "t",
    "address": "http://127.0.0.1",
    "models": ["button5"],
    "broker": {"host": "127.0.0.1", "port": 1, "tls": False, "ca": None, "embedded": True},
}


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers what `said` tells for a path; keeps what was asked."""

    said: dict[str, tuple[int, bytes, dict[str, str]]] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        status, body, headers = self.said.get(self.path.partition("?")[0], (404, b"{}", {}))
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def serving(
    context: ssl.SSLContext | None = None, port: int = 0, **said: Any
) -> Iterator[tuple[str, list[str]]]:
    handler = type("Handler", (Answers,), {"said": {}, "asked": []})
    handler.said = {
        f"/api/v1/{path}": (
            status,
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            more[0] if more else {},
        )
        for path, (status, body, *more) in said.items()
    }
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}", handler.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def provision(tmp_path: Path, server: str, *more: str, token: str = "hymio_x") -> tuple[int, dict[str, Any]]:
    words = [
        "provision",
        "Hall",
        "--model",
        "button5",
        "--identity",
        str(tmp_path / "hall.json"),
        "--json",
        *more,
    ]
    env = {"DATA_DIR": str(tmp_path), "HYMIO_SERVER": server, "HYMIO_TOKEN": token}
    done = CliRunner().invoke(app, words, env=env)
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    return done.exit_code, json.loads(lines[0])


def refused(tmp_path: Path, server: str, *more: str, token: str = "hymio_x") -> str:
    code, said = provision(tmp_path, server, *more, token=token)
    assert (code, said["ok"], "\n" in said["error"]) == (1, False, False)
    return str(said["error"])


def test_a_server_that_is_none_and_a_token_that_is_none_are_a_sentence_each(tmp_path: Path) -> None:
    assert "is no address; give --server" in refused(tmp_path, "hymio.example")
    assert "unencrypted; use https://" in refused(tmp_path, "http://hymio.example")
    assert "/technician and set HYMIO_TOKEN" in refused(tmp_path, "https://hymio.example", token="")
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        text = refused(tmp_path, f"http://127.0.0.1:{nobody.getsockname()[1]}")
    assert "cannot be reached (Connection refused)" in text
    with serving(station=(401, {"error": "sign in", "code": "sign_in"})) as (address, _):
        expected = (
            f"the token is wrong or has expired; make a new one at {address}/technician and set HYMIO_TOKEN"
        )
        assert refused(tmp_path, address) == expected
    with serving(station=(403, {"error": "no", "code": "not_allowed"})) as (address, _):
        assert "the token may not do this" in refused(tmp_path, address)
    with serving(station=(200, b"<html>")) as (address, _):
        assert "answers, but not as Hymi" in refused(tmp_path, address)
    with serving(station=(502, b"<html>")) as (address, _):
        assert "failed (502); what is done stays done" in refused(tmp_path, address)
    assert not (tmp_path / "hall.json").exists()


def test_the_token_is_never_carried_on_by_a_redirect(tmp_path: Path) -> None:
    with (
        serving(station=(200, STATION)) as (elsewhere, asked),
        serving(station=(302, b"", {"location": f"{elsewhere}/api/v1/station"})) as (address, _),
    ):
        assert "answers 302, not as Hymi" in refused(tmp_path, address)
        assert asked == []


def test_a_certificate_that_is_not_trusted_is_named_and_one_of_the_countys_authority_is_taken(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    context = authority.server("127.0.0.1")
    denied = (401, {"error": "sign in", "code": "sign_in"})
    with serving(context, station=denied) as (address, _):
        text = refused(tmp_path, address)
        assert "its certificate is not trusted (" in text
        assert text.endswith("or give the county's authority with --ca FILE")
        assert "the token is wrong" in refused(tmp_path, address, "--ca", str(authority.file))
    with serving(authority.server("other.example"), station=denied) as (address, _):
        assert "its certificate is not trusted (IP address mismatch" in refused(
            tmp_path, address, "--ca", str(authority.file)
        )
    with serving(station=denied) as (address, _):
        assert "speaks no TLS there" in refused(tmp_path, address.replace("http:", "https:"))


def test_duplicates_and_unknown_places_are_the_servers_sentence_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    twin = {
        "error": "There is a device of this name already: Hall (abc).",
        "code": "duplicate",
        "field": "name",
    }
    with serving(station=(200, STATION), devices=(422, twin), places=(200, {"places": [], "next": None})) as (
        address,
        asked,
    ):
        assert (
            refused(tmp_path, address, "--host", "broker.example")
            == "name: There is a device of this name already: Hall (abc)."
        )
        assert refused(tmp_path, address, "--place", "Hlal") == "there is no place 'Hlal' that you may see"
        assert [one for one in asked if one.startswith("POST")] == ["POST /api/v1/devices"]
    assert not (tmp_path / "hall.json").exists()


def test_what_is_there_already_is_never_overwritten_and_no_device_is_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "hall.json").write_text('{"id": "another00000"}')
    with serving(station=(200, STATION)) as (address, asked):
        text = refused(tmp_path, address)
    assert text.endswith("hall.json exists and is another00000; move it away, or name another file")
    assert asked == ["GET /api/v1/station"]
    with pytest.raises(
        ProvisioningError, match="model touch does not fit board button_poe: it is built on touch_s3"
    ):
        ImageFile(tmp_path / "x.img", "button_poe").fits("touch", "")


def test_what_the_kiosk_could_not_use_is_said_before_a_device_is_made(tmp_path: Path) -> None:
    with serving(station=(200, STATION)) as (address, asked):
        assert "set KIOSK_MQTT_HOST on the server, or give --host" in refused(tmp_path, address)
        assert "field 'host' is 'a b', it must be a host name" in refused(tmp_path, address, "--host", "a b")
        (tmp_path / "wifi.json").write_text('{"ssid": "county", "key": "short"}')
        wifi = ("--host", "broker.example", "--wifi", str(tmp_path / "wifi.json"))
        assert "the key must be empty or have 8 to 63 characters" in refused(tmp_path, address, *wifi)
        assert not [one for one in asked if one.startswith("POST")]


def test_a_device_that_stays_silent_ends_with_a_sentence_and_the_next_run_goes_on(tmp_path: Path) -> None:
    made = {"id": "abcdefghijkl", "name": "Hall", "model": "button5", "place_id": None, "new": True}
    made |= {"secret": "5e" * 32}
    silent, heard = {"contact_at": None, "firmware": None}, {"contact_at": "now", "firmware": "0.1.0"}
    kept = {"address": "http://127.0.0.1/r", "verdict": "partial"}
    known = {
        "station": (200, STATION),
        "devices": (201, made),
        "devices/abcdefghijkl/acceptance": (201, kept),
    }
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        broker = ("--host", "0.0.0.0", "--port", str(nobody.getsockname()[1]), "--wait", "0")
        with serving(**known, **{"devices/abcdefghijkl": (200, silent)}) as (address, _):
            text = refused(tmp_path, address, *broker)
    assert text.startswith("the server has not seen abcdefghijkl within 0 s: the broker 0.0.0.0:")
    port = int(address.rpartition(":")[2])
    known["devices"] = (500, b"")
    with serving(port=port, **known, **{"devices/abcdefghijkl": (401, {"error": "", "code": "sign_in"})}) as (
        _,
        asked,
    ):
        assert "the token is wrong or has expired" in refused(tmp_path, address, *broker)
    with serving(port=port, **known, **{"devices/abcdefghijkl": (200, heard)}) as (_, asked):
        code, said = provision(tmp_path, address, *broker)
    assert (code, said["seen"], said["report"]) == (0, True, "http://127.0.0.1/r")
    assert [one for one in asked if one.startswith("POST")] == [
        "POST /api/v1/devices/abcdefghijkl/acceptance"
    ]
    assert "5e5e" not in (tmp_path / "station.json").read_text()


def test_a_kiosk_that_is_not_seen_is_told_with_what_its_broker_says_from_here(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    other = Authority(tmp_path / "other")

    def job(port: int, ca: bytes | None) -> Job:
        from cryptography.hazmat.primitives.serialization import Encoding

        pem = x509.load_der_x509_certificate(ca).public_bytes(Encoding.PEM).decode() if ca else None
        identity = {
            "id": "abcdefghijkl",
            "secret": "5e" * 32,
            "host": "127.0.0.1",
            "port": port,
            "tls": bool(ca),
        }
        progress = Progress(id="abcdefghijkl", identity=identity | ({"ca": pem} if pem else {}))
        return Job(Wanted("Hall", "button5"), IdentityFile(tmp_path / "x"), progress, lambda: None)

    with serving(authority.server("127.0.0.1")) as (address, _):
        port = int(address.rpartition(":")[2])
        assert "has the wrong certificate (" in why_not_seen(job(port, other.der), 1)
        assert "answers from here: look at power" in why_not_seen(job(port, authority.der), 1)
        assert "answers from here" in why_not_seen(job(port, None), 1)
    assert "cannot be reached from here either (Connection refused)" in why_not_seen(job(port, None), 1)


def test_a_plan_is_read_as_spreadsheets_write_it_and_each_faulty_line_is_named(tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(
        "\ufeffName;Model;Place\r\nHall;button5;12\r\n\r\n;touch;\r\nhall;touch;\r\na;touch;b;c\r\n"
    )
    rows = read_plan(plan)
    assert [(row.line, row.wanted.name, row.wanted.place, row.fault) for row in rows] == [
        (2, "Hall", "12", ""),
        (4, "", "", "name or model is empty"),
        (5, "hall", "", "the name stands in line 2, too"),
        (6, "a", "b", "it has more cells than the first line"),
    ]
    for text, words in (
        ("name,place\nx,1\n", "has no column model"),
        ("name,model,unit\n", "column 'unit' is unknown"),
        ("name,model\n", "has no device in it"),
    ):
        plan.write_text(text)
        with pytest.raises(ProvisioningError, match=words):
            read_plan(plan)
    assert [kiosk_name(name) for name in ("Pääovi, vasen", "№", "A" * 50)] == ["paaovi-vasen", "no", "a" * 32]


def test_the_file_of_progress_is_its_owners_one_tools_and_one_servers(tmp_path: Path) -> None:
    path = tmp_path / "station.json"
    state = StateFile(path, "https://a.example")
    key = state.of("Hall").key
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(ProvisioningError, match="is in use: the tool runs already"):
        StateFile(path, "https://a.example")
    state.close()
    again = StateFile(path, "https://a.example")
    assert again.of("Hall").key == key
    again.close()
    with pytest.raises(ProvisioningError, match=r"is of server https://a\.example, not https://b\.example"):
        StateFile(path, "https://b.example")
    path.write_text("{")
    with pytest.raises(ProvisioningError, match="is damaged"):
        StateFile(path, "https://a.example")


def test_progress_is_plain_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    say = Say()
    say.done("made [bold]x", "Hall")
    say.hint("wait")
    assert capsys.readouterr().err == "✓ Hall: made [bold]x\n  wait\n"
