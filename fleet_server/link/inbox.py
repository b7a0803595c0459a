"""Messages that wait for the collector: bounded in number and in bytes, so that no flood can fill the memory.

It knows nothing of what is in them. What does not fit is refused, never what is there already.
"""

import threading
from typing import NamedTuple

MOST_WAITING = 10_000  # a second or two of work; beyond it kiosks had better wait for their time-out
MOST_WAITING_BYTES = 16 * 1024 * 1024  # 10 000 presses are 1 MB


class Incoming(NamedTuple):
    """A message as it came: device, last part of the topic, payload.

    `too_long`: how many bytes it had when it was too long to be taken, of which `payload` is the beginning; else 0.
    """

    device_id: str
    what: str
    payload: bytes
    too_long: int = 0


class Inbox:
    """Between any number of threads that put and one that takes."""

    def __init__(self) -> None:
        self._messages: list[Incoming] = []
        self._bytes = 0
        self.closed = threading.Event()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Incoming) -> bool:
        """Add a message; False when it does not fit or nothing is taken any more."""
        with self._changed:
            size = self._bytes + len(message.payload)
            if self.closed.is_set() or len(self._messages) >= MOST_WAITING or size > MOST_WAITING_BYTES:
                return False
            self._messages.append(message)
            self._bytes = size
            if len(self._messages) == 1:
                self._changed.notify()
            return True

    def take(self, most: int) -> list[Incoming]:
        """What is there, oldest first, at least one message and `most` at most; empty: it is closed and used up."""
        with self._changed:
            while not self._messages and not self.closed.is_set():
                self._changed.wait()
            taken, self._messages = self._messages[:most], self._messages[most:]
            self._bytes -= sum(len(message.payload) for message in taken)
            return taken

    def close(self) -> None:
        """Let nothing more in."""
        with self._changed:
            self.closed.set()
            self._changed.notify()
