"""The link: one-press batches a second from Mosquitto to the commit, and the server's memory with 1 000 devices.

The peer of the first is a bare paho subscriber at QoS 0 without a database, on the same Mosquitto, fed the same
messages by the same feeder. The server decodes, checks, places, counts, commits with full sync and sends receipts.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import psutil
from kiosk.record import KIND_ANSWER
from paho.mqtt.enums import CallbackAPIVersion

from fleet_server import garbage
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.devices.models import Device
from fleet_server.link.service import LinkService
from fleet_server.migrations import migrate
from fleet_server.places.models import Installation, Place, Unit
from fleet_server.settings import Settings
from tests.bench import link_feeder
from tests.firmware.whole import encode, encode_batch
from tests.fleet_server.link.mosquitto import program
from tests.fleet_server.link.wire import connect, free_port, packet, publish, text, until

DEVICES = 1_000
BATCHES_EACH = 30  # the first of them opens an epoch and a clock run, which is not what a kiosk does all day
WINDOW = 2_000  # two from each device: more than a kiosk ever has in flight
ROUNDS = 3
GOAL = 0.5
MOST_MB = 150  # a server for 200 kiosks shares a virtual machine of 1 GB with its database
START_MS = 1_772_438_400_000
SECRET = "0" * 64
LONGEST_S = 120.0
START_S = 30.0


def measure() -> list[dict]:
    """Batches a second with the bare subscriber as peer; megabytes for 1 000 connections."""
    figures = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if program("mosquitto"):
            figures.append(_throughput(folder))
        figures.append(_memory(folder))
    return figures


def _throughput(folder: Path) -> dict:
    garbage.search_seldom()  # as `fleet serve` does
    packets = [_press(device, seq) for seq in range(BATCHES_EACH) for device in range(DEVICES)]
    link_feeder.write(folder / "packets", packets)
    rounds = []
    for number in range(ROUNDS):
        own = folder / f"round{number}"
        own.mkdir()
        port = free_port()
        (own / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nmax_queued_messages 0\n"
        )
        mosquitto = subprocess.Popen(
            [program("mosquitto") or "", "-c", str(own / "mosquitto.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(0.3)
            rounds.append((_served(own, port, folder / "packets"), _bare(port, folder / "packets")))
        finally:
            mosquitto.kill()
            mosquitto.wait()
    value, peer = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    return {
        "name": "one-press batches, Mosquitto to commit",
        "value": round(value),
        "unit": "batches/s",
        "peer": round(peer),
        "peer_name": "bare paho subscriber",
        "goal": GOAL,
    }


def _served(folder: Path, port: int, packets: Path) -> float:
    database = _database(folder / "hymio.db")
    (folder / "password").write_text("x")
    settings = Settings(
        data_dir=folder,
        mqtt_host="127.0.0.1",
        mqtt_port=port,
        mqtt_username="fleet-server",
        mqtt_password_file=folder / "password",
    )
    service = LinkService(settings, database, Changes())
    service.start()
    try:
        rate = _fed(port, packets, lambda: service.collector.taken)
    finally:
        service.stop()
    with database.read() as session:
        booked = session.connection().exec_driver_sql("SELECT count(*) FROM record").scalar_one()
    database.close()
    if booked != DEVICES * BATCHES_EACH or service.collector.dropped:
        raise RuntimeError(f"{booked} booked, {service.collector.dropped} dropped")
    return rate


def _bare(port: int, packets: Path) -> float:
    taken = [0]

    def take(*_: object) -> None:
        taken[0] += 1

    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="bare")
    client.on_message = take
    client.connect("127.0.0.1", port)
    client.subscribe("hymio/1/up/#")
    client.loop_start()
    try:
        return _fed(port, packets, lambda: taken[0])
    finally:
        client.disconnect()
        client.loop_stop()


def _fed(port: int, packets: Path, taken: Callable[[], int]) -> float:
    """Messages a second from the first credit until all are taken."""
    feeder = subprocess.Popen(
        [sys.executable, link_feeder.__file__, str(port), str(packets), str(WINDOW)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert feeder.stdin is not None
    assert feeder.stdout is not None
    feeder.stdout.readline()
    total, told, started = DEVICES * BATCHES_EACH, -1, time.perf_counter()
    while (now := taken()) < total:
        if now != told:
            feeder.stdin.write(f"{now}\n")
            feeder.stdin.flush()
            told = now
        if time.perf_counter() - started > LONGEST_S:
            raise RuntimeError(f"{now} of {total} messages after {LONGEST_S} s")
        time.sleep(0.005)
    seconds = time.perf_counter() - started
    feeder.stdin.close()
    feeder.wait()
    return total / seconds


def _memory(folder: Path) -> dict:
    _database(folder / "hymio.db").close()
    http, mqtt = free_port(), free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "fleet_server", "serve"],
        env=os.environ | {"DATA_DIR": str(folder), "HTTP_PORT": str(http), "MQTT_PORT": str(mqtt)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        until(lambda: _ready(http), "the server is ready", START_S)
        process = psutil.Process(server.pid)
        before = process.memory_info().rss
        after = asyncio.run(_connected(mqtt, process))
    finally:
        server.terminate()
        server.wait()
    return {
        "name": f"server's memory for {DEVICES} connected devices",
        "value": round((after - before) / 1e6, 1),
        "unit": "MB",
        "limit": MOST_MB,
    }


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


async def _connected(port: int, process: psutil.Process) -> int:
    """Memory while all are connected, subscribed and have reported once."""
    gate = asyncio.Semaphore(50)

    async def one(number: int) -> asyncio.StreamWriter:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            name = _id(number)
            writer.write(connect(name, SECRET, keepalive=60))
            if await reader.readexactly(4) != b"\x20\x02\0\0":
                raise RuntimeError(f"{name} was refused")
            topics = (f"hymio/1/down/{name}/{topic}" for topic in ("receipt", "desired", "set"))
            writer.write(packet(0x82, b"\0\1" + b"".join(text(topic) + b"\0" for topic in topics)))
            if await reader.readexactly(7) != b"\x90\x05\0\1\0\0\0":
                raise RuntimeError(f"{name} may not subscribe")
            writer.write(_press(number, 0))
            await reader.readexactly(2)  # the receipt begins
            return writer

    writers = await asyncio.gather(*(one(number) for number in range(DEVICES)))
    memory = int(process.memory_info().rss)
    for writer in writers:
        writer.close()
    return memory


def _database(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    migrate(database)
    with database.write() as session:
        session.add(Unit(id=1, path="/1/", name_fi="a", name_sv="a", name_en="a"))
        session.flush()
        session.add(Place(id=1, unit_id=1, name="a", created_at=0))
        session.flush()
        hashed = hashlib.sha256(SECRET.encode()).hexdigest()
        for number in range(DEVICES):
            session.add(
                Device(id=_id(number), name="d", model="button5", secret_sha256=hashed, created_at=START_MS)
            )
        session.flush()
        for number in range(DEVICES):
            session.add(Installation(place_id=1, device_id=_id(number), from_at=START_MS))
    return database


def _id(number: int) -> str:
    return f"d{number:011d}"


def _press(device: int, seq: int) -> bytes:
    """A PUBLISH of a batch with one press."""
    record = encode(1, KIND_ANSWER, 0, seq, 1, seq * 300, 3, 0, 0, 0, 1 + seq % 5, seq + 1)
    batch = encode_batch(1, seq + 1, seq, seq + 1, seq + 1, seq + 1, 0, 1, 0, [record])
    return publish(f"hymio/1/up/{_id(device)}/answers", bytes(batch))
