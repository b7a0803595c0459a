"""A technician's table for tests and pictures: mock boards in sockets, the real tool and esptool, a real server.

A board that was written is carried to its place: as a virtual kiosk that runs the firmware with the identity read out
of the board's flash, or as a connection that says what a kiosk says first.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from provisioning import many_boards, ports
from provisioning.cli import app
from provisioning.esp_tool import LADDER
from provisioning.field import batch
from provisioning.field.waiting import wait
from provisioning.identity import Identity
from provisioning.image import read_blob
from provisioning.many_boards import Talk
from provisioning.ports import Port
from provisioning.virtual.client import VirtualKiosk
from tests.e2e.fleet_process import Fleet
from tests.fleet_server.link.wire import Client
from tests.provisioning.mock_boards import MockBoard


@dataclass
class Bench:
    """The technician's table: a socket for each line of the plan, and the kiosks that hang on their walls already.

    running: lines whose kiosk runs the firmware once it hangs.
    """

    folder: Path
    fleet: Fleet
    token: str
    running: tuple[int, ...] = ()
    images: dict[int, bytes] = field(default_factory=dict)
    boards: dict[int, MockBoard] = field(default_factory=dict)
    hung: dict[int, VirtualKiosk | Client] = field(default_factory=dict)

    def plug(self, number: int, **options: Any) -> None:
        self.boards[number] = MockBoard(mac=bytes([0x24, 0x0A, 0xC4, 0, len(self.boards), number]), **options)

    def ports(self) -> list[Port]:
        return [Port(board.port, f"1-{number}") for number, board in self.boards.items()]

    def station(self, *words: object, **environment: str) -> Result:
        kept = {
            "DATA_DIR": str(self.folder),
            "HYMIO_SERVER": self.fleet.address,
            "HYMIO_TOKEN": self.token,
            "COLUMNS": "200",
        }
        return CliRunner().invoke(app, [str(word) for word in words], env=kept | environment)

    def image(self, number: int) -> bytes:
        """As it was built; the tool deletes it when the server has seen the kiosk."""
        path = self.folder / "images" / f"kiosk-{number}.img"
        if path.exists():
            self.images[number] = path.read_bytes()
        return self.images.get(number, b"")

    def hang(self) -> None:
        """Boards that hold their image go to their places, where there are network and power."""
        for number, board in self.boards.items():
            if number in self.hung or bytes(board.flash.data) != self.image(number):
                continue
            who = json.loads(read_blob(bytes(board.flash.data), "identity"))
            assert who["host"] == "kiosks.example.fi"
            port = self.fleet.settings.mqtt_port
            if number in self.running:
                identity = Identity(who["id"], who["secret"], "127.0.0.1", port, model=who["model"])
                kiosk = VirtualKiosk.create(
                    self.folder / "virtual", f"kiosk-{number}", identity, model=who["model"]
                )
                kiosk.start(attached=True)
                self.hung[number] = kiosk
                continue
            wire = self.hung[number] = Client(port)
            assert wire.hello(who["id"], who["secret"]) == 0
            wire.publish(f"hymio/1/up/{who['id']}/report", b'{"v":1,"firmware":"0.1.0","epochs":[]}')

    @contextmanager
    def stands(self) -> Iterator[None]:
        """In the block the tool finds these boards, and they hang on their walls when it begins to wait."""
        before = batch.wait, many_boards.TALK, ports.find

        def carried(*given: Any) -> Any:
            self.hang()
            return wait(*given)

        batch.wait, many_boards.TALK = carried, Talk(0, 3, LADDER)
        ports.find = lambda *_: self.ports()
        try:
            yield
        finally:
            batch.wait, many_boards.TALK, ports.find = before
            for board in self.boards.values():
                board.close()
            for one in self.hung.values():
                one.stop() if isinstance(one, VirtualKiosk) else one.vanish()
