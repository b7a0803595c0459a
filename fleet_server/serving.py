"""Runs the whole server in one process: pages, collector, embedded broker, jobs, mails. It knows no command line."""

import fcntl
import os
import socket
from pathlib import Path
from typing import IO

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from fleet_server.answers.fingerprints import kept_secret
from fleet_server.changes import Changes
from fleet_server.db import Database
from fleet_server.jobs import Jobs
from fleet_server.link.service import LinkService
from fleet_server.mails.postman import Postman
from fleet_server.migrations import migrate
from fleet_server.phone import address
from fleet_server.results.printing import Printer
from fleet_server.settings import Settings
from fleet_server.web.app import create_app

_held: list[
    IO[str]
] = []  # an open file keeps its lock; the system lets go of it when the process ends, however

STOP_S = 3  # what is still being answered then is cut off


class CannotStart(Exception):
    """The server cannot start; the text is one line that says why and what to do."""


def read_settings() -> Settings:
    """The settings of the environment. Raises CannotStart with the name and the value of one that cannot be right."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        # Without a name the fault is one of several together, and their values may hold a password.
        raise CannotStart(
            f"{name}: {first['msg'].removeprefix('Value error, ')} (is {first['input']!r})"
            if name
            else first["msg"]
        ) from None


def check_ground(settings: Settings) -> None:
    """Everything that can be known before the start: a folder to write in, free ports. Raises CannotStart."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"the folder {folder} cannot be written ({error.strerror}); set DATA_DIR to one that can"
        ) from None
    _check_port(settings.http_host, settings.http_port, "HTTP_PORT")
    if not settings.mqtt_host:
        _check_port("127.0.0.1", settings.mqtt_port, "MQTT_PORT")


def hold_folder(settings: Settings) -> None:
    """Keep DATA_DIR for this process as long as it lives. Raises CannotStart when another one has it."""
    _make_folder(settings.data_dir)
    lock = (settings.data_dir / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotStart(
            f"another Hymiö runs on the folder {settings.data_dir}; set DATA_DIR to another"
        ) from None
    _held.append(lock)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"the folder {folder} cannot be made ({error.strerror}); set DATA_DIR to one that can"
        ) from None


def _check_port(host: str, port: int, setting: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"port {port} on {host} is not free ({error.strerror}); set {setting} to another"
            ) from None


def open_database(settings: Settings) -> Database:
    """The database of these settings, migrated to the newest schema."""
    _make_folder(settings.data_dir)
    if settings.database.startswith("sqlite:///"):
        _make_folder(Path(settings.database.removeprefix("sqlite:///")).parent)
    try:
        secret = kept_secret(settings.data_dir / "fingerprints.key")
        database = Database(settings.database, secret)
        migrate(database)
    except OSError as fault:
        raise CannotStart(f"{fault.filename} cannot be read or made ({fault.strerror})") from None
    except ValueError as fault:
        raise CannotStart(f"{fault}; put back the one of your backup") from None
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as fault:
        raise CannotStart(f"DATABASE_URL: {fault}") from None
    except DBAPIError as fault:
        raise CannotStart(f"the database cannot be used: {str(fault.orig).strip().splitlines()[0]}") from None
    return database


def open_known_database(settings: Settings) -> Database:
    """As `open_database`, but only one that a server has made. Raises CannotStart: a command typed in the wrong
    folder would make an empty one, and say that it had done its work."""
    path = Path(settings.database.removeprefix("sqlite:///"))
    if settings.database.startswith("sqlite:///") and not path.is_file():
        raise CannotStart(
            f"there is no Hymiö database {path.absolute()}; set DATA_DIR to the server's folder, "
            "or make a new one with `fleet migrate`"
        )
    return open_database(settings)


def build(settings: Settings, database: Database) -> FastAPI:
    """The application with its link to the kiosks, which starts and stops with it."""
    with database.write() as session:
        address.remember(session, settings.public_address)
    changes = Changes()
    link = LinkService(settings, database, changes)
    mails = Postman(settings, database, Printer())
    return create_app(settings, database, changes, link, Jobs(database, changes, link.send), mails)


def uvicorn_server(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """A server ready to run. One worker: SQLite has one writer."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        log_config=None,  # its faults go where ours go
        access_log=False,
        timeout_graceful_shutdown=STOP_S,
        # Else anybody could write any address into X-Forwarded-For: the limit on sign-ins counts by address.
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=settings.trusted_proxy,
    )
    return _Server(config, app.state.changes)


class _Server(uvicorn.Server):
    """Ends the event streams when it stops: uvicorn waits for every answer, and these would go on."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn once, when it was told to stop."""
        self._changes.end()
        await super().shutdown(sockets)
