"""Who talks to a kiosk's process: requests one JSON object a line, one answer each, and those who watch it.

Knows no kiosk. Invariant: a watcher who does not read is cut off rather than fill our memory.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from provisioning.errors import ProvisioningError

_DEAF_WATCHER_BYTES = 1 << 20


class Control:
    """answer: to a line, None where its sender wants to watch; snapshot: what a watcher is told first."""

    def __init__(
        self,
        answer: Callable[[bytes], Awaitable[dict[str, Any] | None]],
        snapshot: Callable[[], dict[str, Any]],
    ) -> None:
        self._answer = answer
        self._snapshot = snapshot
        self._watchers: set[asyncio.StreamWriter] = set()

    def tell(self, event: dict[str, Any]) -> None:
        """To all who watch."""
        for writer in list(self._watchers):
            if writer.transport.get_write_buffer_size() > _DEAF_WATCHER_BYTES:
                writer.transport.abort()
                self._watchers.discard(writer)
            else:
                writer.write(line_of(event))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its end."""
        try:
            while line := await reader.readline():
                try:
                    answer = await self._answer(line)
                except ProvisioningError as error:
                    answer = {"ok": False, "error": str(error)}
                if answer is None:
                    writer.write(line_of(self._snapshot()))
                    self._watchers.add(writer)
                else:
                    writer.write(line_of(answer))
                await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            # The client is gone, sent a line longer than 64 KiB, or the runner ends (3.11 logs a cancelled handler as a
            # fault): there is nobody to tell.
            pass
        finally:
            self._watchers.discard(writer)
            writer.close()


def line_of(value: dict[str, Any]) -> bytes:
    """An object as it goes over the socket."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
