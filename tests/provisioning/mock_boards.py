"""Boards for esptool: `esp32-mock-bootloader` with 8 MiB of flash each, a MAC of its own, and a cable to pull.

What the package lacks is added here: its flash is 4 MiB and one for the whole process, its reader of flash gives up
when esptool needs more than 50 ms, and nothing ever goes wrong in it.
"""

import socket
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from esp32_mock_bootloader import protocol, registers, server

FLASH_BYTES = 8 << 20
JEDEC_8_MIB, JEDEC_4_MIB = 0x00174020, 0x00164020
_PATIENCE_S = 20.0
_here = threading.local()


class Unplugged(OSError):
    """The cable was pulled."""


class Flash(server.FlashImage):
    """One board's flash. `hook(operation, number)` is called before each operation; it may raise Unplugged."""

    def __init__(self, content: bytes, hook: Callable[[str, int], None]) -> None:
        super().__init__()
        self.data = bytearray(content.ljust(FLASH_BYTES, b"\xff"))
        self._hook = hook
        self._counts: dict[str, int] = {}

    def _meet(self, operation: str) -> None:
        self._counts[operation] = self._counts.get(operation, 0) + 1
        self._hook(operation, self._counts[operation])

    def write_defl_block(self, payload: bytes) -> None:
        self._meet("write")
        size = struct.unpack_from("<I", payload)[0]
        assert self._decompressor is not None
        self._put(self._decompressor.decompress(payload[16 : 16 + size]))

    def _put(self, data: bytes) -> None:
        self.data[self._defl_offset : self._defl_offset + len(data)] = data
        self._defl_offset += len(data)

    def begin_plain(self, payload: bytes) -> None:
        super().begin_plain(payload)
        self._defl_offset = self._plain_offset
        self._decompressor = None

    def write_plain_block(self, payload: bytes) -> None:
        self._meet("write")
        size = struct.unpack_from("<I", payload)[0]
        self._put(payload[16 : 16 + size])

    def erase_all(self) -> None:
        half = len(self.data) // 2
        self.data[:half] = b"\xff" * half  # a cut finds an erase half done
        self._meet("erase")
        self.data[half:] = b"\xff" * half

    def read(self, offset: int, length: int) -> bytes:
        self._meet("read")
        return bytes(self.data[offset : offset + length])

    def md5_stub_response(self, payload: bytes, *, stub: bool = False) -> bytes:
        self._meet("md5")
        return super().md5_stub_response(payload, stub=stub)


@dataclass
class MockBoard:
    """A board on `port`. `unplug_at`: (operation, its number) at which its cable is pulled; it stays so until `plug`.

    `refuse_compressed`, `fails`: a bad line: compressed writes, or so many connections, break. `log`: what was done.
    """

    chip: str = "esp32"
    content: bytes = b""
    mac: bytes = b"\x24\x0a\xc4\x00\x00\x01"
    flash_id: int = JEDEC_8_MIB
    unplug_at: tuple[str, int] | None = None
    refuse_compressed: bool = False
    fails: int = 0
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plugged = True
        self.connections = 0
        self.flash = Flash(self.content, self._meet)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def plug(self) -> None:
        self.plugged = True

    def close(self) -> None:
        self._listener.close()

    def _meet(self, operation: str, number: int) -> None:
        if not self.log or self.log[-1] != operation:
            self.log.append(operation)
        if self.unplug_at == (operation, number):
            self.unplug_at = None
            self.plugged = False
            raise Unplugged
        if operation == "write" and self.refuse_compressed and self.flash._decompressor is not None:
            raise Unplugged
        if operation == "write" and self.fails:
            self.fails -= 1
            raise Unplugged

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.unplug_at == ("connect", self.connections):
                self.unplug_at, self.plugged = None, False
            if not self.plugged:
                connection.close()
                continue
            _here.board = self
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wire = server.BootloaderConnection(sock=connection, track_disconnect=True)
            try:
                server.handle_client(
                    wire, threading.Event(), self.chip, exit_on_disconnect=True, flash=self.flash
                )
            except (Unplugged, zlib.error):
                connection.close()


def _stream(conn, stop_event, flash, offset, length, packet_size, max_in_flight, buf) -> None:  # type: ignore[no-untyped-def]
    """Stub READ_FLASH with patience: packets, cumulative acknowledgements, MD5."""
    import hashlib

    conn.set_timeout(_PATIENCE_S)
    content = flash.read(offset, length)
    for at in range(0, length, packet_size):
        conn.sendall(_slip(content[at : at + packet_size]))
        heard = -1
        while heard < min(at + packet_size, length):
            payload = server._recv_slip_payload(conn, stop_event, buf)
            if payload is None:
                return
            heard = struct.unpack("<I", payload[:4])[0]
    conn.sendall(_slip(hashlib.md5(content).digest()))
    conn.set_timeout(server._CLIENT_RECV_TIMEOUT)


def _slip(data: bytes) -> bytes:
    return b"\xc0" + data.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"


def _frames(raw: bytes) -> list[bytes]:
    """The package's own, byte for byte in Python, takes a second for each megabyte."""
    parts = raw.split(b"\xc0")[1:-1]
    return [part.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb") for part in parts if part]


def _register(addr: int, chip: str) -> int:
    own = registers._mac_registers(chip, tuple(_here.board.mac))
    return own.get(addr, registers.read_reg_value(chip, addr))


_flash_id = protocol.MOCK_FLASH_ID
_read_spi = server.SpiPeripheralMock.read_reg


def _spi(self, addr: int) -> int:  # type: ignore[no-untyped-def]
    value = _read_spi(self, addr)
    return _here.board.flash_id if value == _flash_id else value


server.perform_read_flash_stream = _stream
server.slip_decode_frames = _frames
server._read_reg_value_for_chip = _register
server.SpiPeripheralMock.read_reg = _spi
