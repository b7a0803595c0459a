"""`make run`: the whole of Hymiö on one machine, with virtual kiosks and simulated patients.

Ctrl-C stops everything; the next start goes on where this one was.
"""

import asyncio
import logging
import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from fleet_server import garbage
from fleet_server.db import Database
from fleet_server.demo import kiosks as demo_kiosks
from fleet_server.demo.history import write_year
from fleet_server.demo.kiosks import DemoKiosk
from fleet_server.demo.patients import Patients, Tried
from fleet_server.demo.screen_pages import view_run
from fleet_server.demo.seed import sign_in
from fleet_server.demo.toucher import QuestionOf
from fleet_server.demo.watched import watch
from fleet_server.devices.models import Device
from fleet_server.instants import local, now_ms
from fleet_server.questions import service as questions
from fleet_server.questions.models import QuestionSet
from fleet_server.questions.turns import codes_in_turn, turn_on
from fleet_server.screens.targets import question_of as question_in
from fleet_server.serving import build, check_ground, hold_folder, open_database, uvicorn_server
from fleet_server.settings import Settings

_LOG_BYTES = 5_000_000


def run_demo(settings: Settings, *, patients: bool, history: bool) -> None:
    """Prepare, serve until Ctrl-C, stop. Raises CannotStart with one clear line."""
    began = time.monotonic()
    check_ground(settings)
    if not settings.public_address:  # so that the form of a QR code can be opened on this machine
        settings = settings.model_copy(update={"public_address": f"http://127.0.0.1:{settings.http_port}"})
    hold_folder(settings)
    log = RotatingFileHandler(settings.data_dir / "server.log", maxBytes=_LOG_BYTES, backupCount=1)
    logging.basicConfig(
        handlers=[log], level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    _say(1, "database" + (", at the first start with a year of simulated answers" if history else ""))
    database = open_database(settings)
    try:
        with database.write() as session:
            questions.add_national(session, now=now_ms())
            email, password = sign_in(session, settings.data_dir, now=now_ms())
        if history:
            write_year(database, now=now_ms())
            watch(database, now=now_ms())
        _say(2, "three kiosks, from the same flash image that a board gets")
        folder = settings.data_dir / "virtual"
        if not _runs_micropython():
            print(
                "      no MicroPython for this platform (Linux x86-64 and macOS arm64 have one): no virtual kiosks"
            )
            kiosks: list[DemoKiosk] = []
        else:
            with database.write() as session:
                kiosks = demo_kiosks.prepare(session, folder, settings.mqtt_port, now=now_ms())
        with suppress(KeyboardInterrupt):
            asyncio.run(_serve(settings, database, kiosks, patients, (email, password), began))
    finally:
        database.close()
    print("Stopped. The next `make run` goes on from here.")


async def _serve(
    settings: Settings,
    database: Database,
    kiosks: list[DemoKiosk],
    patients: bool,
    person: tuple[str, str],
    began: float,
) -> None:
    app = build(settings, database)
    app.state.kiosks = {kiosk.device_id: kiosk for kiosk in kiosks}
    app.state.tried = Tried()
    server = uvicorn_server(app, settings)
    garbage.search_seldom()
    _say(3, "server and broker")
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            serving.result()
            raise ValueError(f"the server stopped while starting; see {settings.data_dir / 'server.log'}")
        await asyncio.sleep(0.02)
    pressing: asyncio.Task[None] | None = None
    started: list[DemoKiosk] = []

    async def start(each: DemoKiosk) -> None:
        await asyncio.to_thread(each.kiosk.start, attached=True, broker=("127.0.0.1", settings.mqtt_port))
        started.append(each)

    try:
        _say(4, "kiosks")
        for fault in await asyncio.gather(*(start(each) for each in kiosks), return_exceptions=True):
            if isinstance(fault, BaseException):
                raise fault
        if patients and kiosks:
            people = Patients(
                {each.device_id: each.kiosk for each in kiosks},
                _asked(database),
                app.state.tried.busy,
                random.Random(),  # noqa: S311  (patients need no secret)
                {each.device_id: _question_of(database, each.device_id) for each in kiosks if not each.faces},
            )
            pressing = asyncio.create_task(people.run())
        _greet(settings, person, began)
        await serving
    finally:
        if pressing is not None:
            pressing.cancel()
        await asyncio.gather(
            *(asyncio.to_thread(each.kiosk.stop) for each in started), return_exceptions=True
        )


def _asked(database: Database) -> Callable[[str], str | None]:
    """A function that tells the code of the question that a device asks now, as its last report said."""

    def code_asked(device_id: str) -> str | None:
        with database.read() as session:
            device = session.get(Device, device_id)
            row = session.get(QuestionSet, device.running_set) if device and device.running_set else None
            body = questions.body_of(row) if row else {}
            codes = codes_in_turn(body)
            return codes[turn_on(body, local(now_ms()).date())] if codes else None

    return code_asked


def _question_of(database: Database, device_id: str) -> QuestionOf:
    """A function that tells a question by its index in the set that a device runs."""

    async def question_of(index: int) -> dict[str, Any] | None:
        return question_in(await asyncio.to_thread(view_run, database, device_id), index)

    return question_of


def _runs_micropython() -> bool:
    return shutil.which("micropython", path=str(Path(__import__("sys").executable).parent)) is not None


def _say(step: int, what: str) -> None:
    print(f"[{step}/4] {what}", flush=True)


def _greet(settings: Settings, person: tuple[str, str], began: float) -> None:
    print(
        f"\nHymiö is ready after {time.monotonic() - began:.1f} s.\n\n"
        f"  Open      http://{settings.http_host}:{settings.http_port}\n"
        f"  E-mail    {person[0]}\n"
        f"  Password  {person[1] or '(the one that you chose)'}\n\n"
        'Then "Try a kiosk". Ctrl-C stops everything.',
        flush=True,
    )
