"""A broker, a scripted server and a kiosk for the tests of the whole firmware."""

import contextlib
import dataclasses
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning.firmware_files import firmware_files
from provisioning.identity import Identity
from provisioning.image import build_image
from provisioning.models import DEFAULT_MODEL
from tests.firmware.front.kiosk_rig import DEVICE, Kiosk, Server, until


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a Mosquitto of our own."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path_factory.mktemp("broker") / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(listens, "Mosquitto listens")
    yield port
    process.terminate()
    process.wait(5)


@pytest.fixture
def server(broker: int) -> Iterator[Server]:
    server = Server(broker)
    yield server
    server.close()


@pytest.fixture(scope="session")
def image_of(broker: int) -> Callable[..., bytes]:
    """Builds a kiosk's flash image; files given take the place of the firmware's."""
    identity = Identity(id=DEVICE, secret="a5" * 32, host="127.0.0.1", port=broker)

    def build(files: dict[str, bytes], model: str = DEFAULT_MODEL) -> bytes:
        firmware = firmware_files("unix", model=model)
        changed = dataclasses.replace(firmware, files={**firmware.files, **files})
        return build_image(changed, identity, model).content

    return build


@pytest.fixture(scope="session")
def fresh_image(image_of: Callable[..., bytes]) -> bytes:
    return image_of({})


@pytest.fixture
def kiosk(fresh_image: bytes, tmp_path: Path) -> Iterator[Kiosk]:
    """A kiosk as it leaves the workshop, switched off."""
    flash = tmp_path / "flash.img"
    flash.write_bytes(fresh_image)
    kiosk = Kiosk(flash)
    yield kiosk
    kiosk.cut()
