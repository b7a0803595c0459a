"""A scripted name server, and the messages that it speaks (RFC 1035), written here without the firmware's help."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

TYPE_A, TYPE_CNAME, TYPE_AAAA = 1, 5, 28
NO_FAULT, SERVER_FAILURE, NO_SUCH_NAME, REFUSED = 0, 2, 3, 5
ASKED_NAME = b"\xc0\x0c"  # a pointer to the name in the question
HEAD_BYTES = 12


def labels(name: str) -> bytes:
    """A name as it is written when nothing is compressed."""
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def record(owner: bytes, kind: int, data: bytes) -> bytes:
    """One resource record of the internet; `owner` is a name already written."""
    return owner + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def address(text: str, owner: bytes = ASKED_NAME) -> bytes:
    return record(owner, TYPE_A, socket.inet_aton(text))


def answer(query: bytes, records: list[bytes], code: int = NO_FAULT, flags: int = 0x8180) -> bytes:
    """`flags` by default: an answer, recursion wished for and available."""
    head = query[:2] + struct.pack("!HHHHH", flags | code, 1, len(records), 0, 0)
    return head + query[HEAD_BYTES:] + b"".join(records)


def by_alias(query: bytes, text: str) -> bytes:
    """The name is another's name, which is a third's, which has the address; each name but one is compressed."""
    alias = labels("edge.example.net")
    at_alias = len(query) + len(record(ASKED_NAME, TYPE_CNAME, b""))
    to_alias = struct.pack("!H", 0xC000 | at_alias)
    third = b"\x02fi" + struct.pack("!H", 0xC000 | at_alias + len("edge") + 1)
    chain = [record(ASKED_NAME, TYPE_CNAME, alias), record(to_alias, TYPE_CNAME, third)]
    to_third = struct.pack("!H", 0xC000 | at_alias + len(alias) + len(record(to_alias, TYPE_CNAME, b"")))
    return answer(query, [*chain, record(to_third, TYPE_AAAA, bytes(16)), address(text, to_third)])


class NameServer:
    """`script(query)` gives what is said to a query: messages, a number among them being a pause in seconds.

    `asked`: each query with the port that it came from; also there for a script.
    """

    def __init__(self, script: Callable[[bytes], list[bytes | float]]) -> None:
        self.script = script
        self.asked: list[tuple[bytes, int]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = ("127.0.0.1", int(self._socket.getsockname()[1]))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, sender = self._socket.recvfrom(2048)
                if sender is None:  # closed
                    return
                self.asked.append((query, int(sender[1])))
                for said in self.script(query):
                    if isinstance(said, bytes):
                        self._socket.sendto(said, sender)
                    else:
                        time.sleep(said)

    def close(self) -> None:
        """Nobody is there any more: the host refuses what is sent to the port."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._socket.close()
