"""A journal that was kept on disk goes to the server, and from the disk only when it has arrived."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from provisioning.dumps import Dumps
from provisioning.errors import ProvisioningError
from provisioning.flashing import Harvest
from provisioning.harvesting import Harvested, harvest
from provisioning.server import Server


def deliver(
    server: Server,
    device_id: str,
    journal: bytes,
    dumps: Dumps,
    kept: Path | None,
    progress: Callable[[float], None] = lambda share: None,
) -> Harvested:
    """Hands a journal over; then, and only then, it is written down as confirmed and its dump goes."""
    try:
        done = harvest(server, device_id, journal, progress)
    except ProvisioningError as error:
        if kept is None:
            raise
        raise ProvisioningError(
            f"{error}; nothing is lost, go on with: station harvest --dump {kept}"
        ) from error
    if not done.forks:
        dumps.confirm(device_id, journal)
        if kept:
            kept.unlink(missing_ok=True)
    return done


def harvester_of(server: Server, dumps: Dumps) -> Harvest:
    """What hands over a board's journal before the board is written to."""

    async def harvest(device_id: str, journal: bytes) -> None:
        kept = dumps.keep(device_id, journal)
        done = await asyncio.to_thread(deliver, server, device_id, journal, dumps, kept)
        if done.forks:
            raise ProvisioningError(
                f"kiosk {device_id} has a twin; its journal is kept in {kept}, nothing was written"
            )

    return harvest
