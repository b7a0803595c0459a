"""The whole server in a thread of the test: pages, API, embedded broker, collector, on ports of its own.

The tool reaches it as it would anywhere; the test may look into its database.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet_server.db import Database
from fleet_server.serving import build, open_database, uvicorn_server
from fleet_server.settings import Settings
from tests.e2e.demo import free_port


@dataclass
class Fleet:
    """A running server. `address`: of its pages."""

    settings: Settings
    database: Database
    address: str


@contextmanager
def running(folder: Path) -> Iterator[Fleet]:
    """The server until the end of the block."""
    settings = Settings(data_dir=folder, http_port=free_port(), mqtt_port=free_port())
    database = open_database(settings)
    server = uvicorn_server(build(settings, database), settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        yield Fleet(settings, database, f"http://127.0.0.1:{settings.http_port}")
    finally:
        server.should_exit = True
        thread.join()
        database.close()
