"""Which image goes to which board. Opens no port and writes nothing.

Invariant: one identity goes to one board; a board that is this kiosk already gets its own image again, so that a run
that was cut off goes on where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from provisioning.board_reader import Found
from provisioning.errors import ProvisioningError
from provisioning.flashing import KioskImage, fits
from provisioning.ports import Port


@dataclass(frozen=True)
class Pair:
    """An image and the board that it is for. found: None when the board did not answer, `why` says so."""

    port: Port
    image: KioskImage
    found: Found | None
    why: str = ""


@dataclass(frozen=True)
class Looked:
    """A port after it was looked at."""

    port: Port
    found: Found | None
    why: str = ""


@dataclass(frozen=True)
class Wish:
    """An image that is to go to a board. port: None for any that is found."""

    image: KioskImage
    port: Port | None


def check_images(images: Sequence[KioskImage]) -> None:
    """Raises ProvisioningError when two images are one kiosk: twins would send under one name."""
    seen: dict[str, KioskImage] = {}
    for image in images:
        if image.id in seen:
            raise ProvisioningError(
                f"{seen[image.id].path} and {image.path} are both kiosk {image.id}; give each board its own image"
            )
        seen[image.id] = image


def pair_named(looked: Sequence[Looked], images: Sequence[KioskImage]) -> list[Pair]:
    """The first image for the first named port, and so on. Raises ProvisioningError when the numbers differ."""
    if len(looked) != len(images):
        raise ProvisioningError(
            f"{len(images)} images and {len(looked)} --port: give one --port for each image"
        )
    return [Pair(one.port, image, one.found, one.why) for one, image in zip(looked, images, strict=True)]


def pair_found(looked: Sequence[Looked], images: Sequence[KioskImage]) -> list[Pair]:
    """Images for the boards that were found: each kiosk its own image, the rest in the order of the sockets.

    Boards that fit no image are left alone. Raises ProvisioningError unless exactly as many boards fit as there are
    images.
    """
    free = [
        one for one in looked if one.found is not None and any(_fits(one.found, image) for image in images)
    ]
    pairs: dict[str, Pair] = {}
    for own in (True, False):
        for image in images:
            if image.id in pairs:
                continue
            for one in free:
                assert one.found is not None
                if _fits(one.found, image) and (one.found.id == image.id or not own):
                    pairs[image.id] = Pair(one.port, image, one.found)
                    free.remove(one)
                    break
    missing = [image.path.name for image in images if image.id not in pairs]
    if missing or free:
        spare = [one.port.title for one in free]
        raise ProvisioningError(
            f"{len(images)} images, {len(pairs) + len(free)} boards that fit: "
            + (f"no board for {', '.join(missing)}" if missing else f"nothing for {', '.join(spare)}")
            + "; plug in as many boards as there are images, or name them with --port"
            + "".join(f"; {one.port.title}: {one.why}" for one in looked if one.why)
        )
    return [pairs[image.id] for image in images]


def pair_wished(
    looked: Sequence[Looked], wishes: Sequence[Wish], others: Mapping[str, str]
) -> tuple[list[Pair], list[tuple[Wish, str]]]:
    """(pairs, wishes that have no board, each with why) of a plan, of which as much is done as there are boards.

    A named port is that wish's. The other wishes get boards that were found: first each kiosk its own, then in the
    order of the sockets. others: id -> name of devices of the plan that are done; their boards are left alone.
    """
    at = {one.port.device: one for one in looked}
    free = [
        one
        for one in looked
        if one.found is not None
        and one.found.id not in others
        and one.port.device not in {wish.port.device for wish in wishes if wish.port}
    ]
    pairs: dict[str, Pair] = {}
    left: list[tuple[Wish, str]] = []
    for wish in wishes:
        if wish.port is None:
            continue
        one = at[wish.port.device]
        owner = others.get(one.found.id) if one.found else None
        if owner is not None:
            left.append(
                (wish, f"the board at {one.port.title} is {owner} already; plug another one in there")
            )
        else:
            pairs[wish.image.id] = Pair(one.port, wish.image, one.found, one.why)
    loose = [wish for wish in wishes if wish.port is None]
    for own in (True, False):
        for wish in loose:
            fit = next((one for one in free if _may_have(one, wish.image, own)), None)
            if wish.image.id not in pairs and fit is not None:
                pairs[wish.image.id] = Pair(fit.port, wish.image, fit.found)
                free.remove(fit)
    silent = "".join(f"; {one.port.title}: {one.why}" for one in looked if one.why and one.found is None)
    none = (
        "no board for it is plugged in"
        if looked
        else "no board was found; plug it in by USB (a cable for data)"
    )
    left += [(wish, f"{none}{silent}") for wish in loose if wish.image.id not in pairs]
    return [pairs[wish.image.id] for wish in wishes if wish.image.id in pairs], left


def _may_have(one: Looked, image: KioskImage, own: bool) -> bool:
    return one.found is not None and _fits(one.found, image) and (one.found.id == image.id or not own)


def _fits(found: Found, image: KioskImage) -> bool:
    try:
        fits(found, image)
    except ProvisioningError:
        return False
    return True
