"""A rollout to 1 000 connected devices: how long from *publish* until each has reported that it asks the set.

The clients speak the kiosk's protocol over raw MQTT: report, hear `desired`, ask for the set by its hash, get it, check
the hash, report that they run it. The server is a process of its own with broker, collector, jobs and a file on disk.
"""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlmodel import col, select

from fleet_server.db import Database
from fleet_server.instants import now_ms
from fleet_server.questions import service as questions
from fleet_server.rollouts import service
from fleet_server.rollouts.models import Rollout, RolloutDevice
from fleet_server.rollouts.plan import AT_ONCE, StopRule
from tests.bench.bench_link import DEVICES, SECRET, _database, _id, _ready
from tests.fleet_server.link.wire import connect, free_port, packet, publish, text, until

SET = 5
AIM_S, LIMIT_S = 5, 60
START_S = 120  # on a busy computer
LONGEST_S = 180


def measure() -> list[dict]:
    """p50 and p99 in seconds, beside what the design allows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = _database(folder / "hymio.db")
        with database.write() as session:
            questions.add_national(session, now=now_ms())
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
            seconds = asyncio.run(_roll_out(database, mqtt))
        finally:
            server.terminate()
            server.wait()
            database.close()
    p50, p99 = seconds[len(seconds) // 2], seconds[len(seconds) * 99 // 100]
    what = f"publish to reported, {DEVICES} devices,"
    return [
        {"name": f"{what} p50", "value": round(p50, 2), "unit": "s", "limit": AIM_S},
        {"name": f"{what} p99", "value": round(p99, 2), "unit": "s", "limit": LIMIT_S},
    ]


async def _roll_out(database: Database, port: int) -> list[float]:
    gate = asyncio.Semaphore(50)
    clients = [asyncio.create_task(_kiosk(number, port, gate)) for number in range(DEVICES)]
    try:
        async with asyncio.timeout(LONGEST_S):
            while await asyncio.to_thread(_heard, database) < DEVICES:
                await asyncio.sleep(0.2)
            await asyncio.sleep(2)  # the first reports are answered
            rollout_id = await asyncio.to_thread(_start, database)
            while len(found := await asyncio.to_thread(_reported, database, rollout_id)) < DEVICES:
                for client in clients:
                    if client.done():
                        client.result()
                await asyncio.sleep(0.2)
            return found
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _kiosk(number: int, port: int, gate: asyncio.Semaphore) -> None:
    """One device: as link and sets of the firmware do it, without a flash beneath."""
    name = _id(number)
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect(name, SECRET, keepalive=600))
        await reader.readexactly(4)
        topics = (f"hymio/1/down/{name}/{topic}" for topic in ("receipt", "desired", "set"))
        writer.write(packet(0x82, b"\0\1" + b"".join(text(topic) + b"\0" for topic in topics)))
        await reader.readexactly(7)
    said = {
        "v": 1,
        "board": "bench",
        "model": "button5",
        "desired": 0,
        "sets": [],
        "running": None,
        "want": None,
    }
    wished: dict = {}

    def report(**more: object) -> None:
        said.update(more)
        writer.write(publish(f"hymio/1/up/{name}/report", json.dumps(said).encode()))

    writer.write(publish(f"hymio/1/up/{name}/state", b'{"state":"ready","conn":1,"next":900}'))
    report()
    while True:
        topic, payload = await _message(reader)
        if topic.endswith("/desired"):
            wished = json.loads(payload)
            entries = wished["sets"]
            report(desired=wished["version"], want=entries[0]["hash"] if entries else None)
        elif topic.endswith("/set"):
            if hashlib.sha256(payload).hexdigest() != said["want"]:
                raise RuntimeError(f"{name}: the set is not what was asked for")
            [entry] = wished["sets"]
            report(want=None, running=entry["number"], sets=[[entry["number"], entry["hash"]]])


async def _message(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The next PUBLISH of QoS 0; anything else is passed over."""
    while True:
        kind = (await reader.readexactly(1))[0]
        size, shift = 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        body = await reader.readexactly(size)
        if kind >> 4 == 3:
            length = int.from_bytes(body[:2], "big")
            return body[2 : 2 + length].decode(), body[2 + length :]


def _heard(database: Database) -> int:
    with database.read() as session:
        return int(
            session.connection()
            .exec_driver_sql("SELECT count(*) FROM device WHERE desired_version > 0")
            .scalar_one()
        )


def _start(database: Database) -> int:
    with database.write() as session:
        rule = StopRule(None, None, None, None)
        return service.start(session, "bench", SET, {}, AT_ONCE, rule, False, now=now_ms()).id or 0


def _reported(database: Database, rollout_id: int) -> list[float]:
    """Seconds from publish until the report was booked, sorted, of those that have reported."""
    with database.read() as session:
        begun = session.get_one(Rollout, rollout_id).created_at
        rows = session.exec(
            select(RolloutDevice.reported_at).where(
                RolloutDevice.rollout_id == rollout_id, col(RolloutDevice.reported_at).is_not(None)
            )
        )
        return sorted((at - begun) / 1000 for at in rows if at is not None)
