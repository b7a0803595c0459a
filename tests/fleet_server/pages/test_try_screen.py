"""A kiosk's screen on "Try a kiosk": seen and touched by those who may see the kiosk, with and without JavaScript."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

import fleet_server.demo.pages as try_pages
import fleet_server.demo.screen_pages as screen_pages
from fleet_server.demo.kiosks import DemoKiosk
from fleet_server.devices.models import Device
from fleet_server.instants import now_ms
from fleet_server.questions import service as questions
from provisioning.errors import ProvisioningError
from provisioning.png import png
from tests.fleet_server.pages.world import World

PICTURE = png(bytes(15000), 400, 300)
TARGETS = [
    ["answer", 10, 300, 200, 60, 60],
    ["language", 1, 384, 164, 92, 46],
    ["key", "<b>", 10, 10, 40, 40],
]


class TouchKiosk:
    """A virtual kiosk that is touched: `asked` is what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        if do == "status":
            show = {"screen": "ready", "page": "rest", "question": 0, "language": 0, "targets": TARGETS}
            return {"power": True, "net": True, "lights": [], "frame": 7, "show": show, "journal": None}
        if do == "screen":
            return {"frame": 7, "png": base64.b64encode(PICTURE).decode()}
        if fields.get("x") == 999:
            raise ProvisioningError("touch: x is 999, it must be a whole number 0 to 479")
        self.asked.append((do, fields))
        return {}


@pytest.fixture
def kiosk(world: World) -> TouchKiosk:
    """Stands where the county's kiosk A does and runs question set 7."""
    touch = TouchKiosk()
    here = DemoKiosk(world.kiosks["A"].id, 0, "Lab", 0, touch, "touch")  # type: ignore[arg-type]
    world.app.state.kiosks = {here.device_id: here}
    world.app.state.tried = SimpleNamespace(touch=lambda device_id: None)
    with world.database.write() as session:
        questions.add_national(session, now=now_ms())
        device = session.get(Device, here.device_id)
        assert device is not None
        device.running_set = 7
        session.add(device)
    world.app.include_router(screen_pages.router)
    world.app.include_router(try_pages.router)
    return touch


def test_the_page_has_the_picture_as_a_button_and_each_target_in_words(
    world: World, kiosk: TouchKiosk
) -> None:
    browser = world.sign_in("alice@example.org")
    address = f"/try/{world.kiosks['A'].id}"
    page = browser.get(address).text
    assert f'src="{address}/screen.png?frame=7"' in page
    assert 'type="image"' in page
    assert '<button class="button" name="target" value="330,230">10</button>' in page
    assert '<button class="button" name="target" value="430,187">Svenska</button>' in page
    assert "&lt;b&gt;</button>" in page, "what a kiosk says is text"
    picture = browser.get(f"{address}/screen.png?frame=7")
    assert picture.content == PICTURE
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "no-store")


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ({"at.x": "12", "at.y": "34"}, ("touch", {"x": 12, "y": 34, "ms": 120})),
        ({"target": "330,230"}, ("touch", {"x": 330, "y": 230, "ms": 120})),
        ({"how": "down", "x": "5", "y": "6"}, ("down", {"x": 5, "y": 6})),
        ({"how": "up"}, ("up", {})),
    ],
)
def test_a_finger_reaches_the_kiosk(
    world: World, kiosk: TouchKiosk, form: dict[str, str], asked: tuple[str, Any]
) -> None:
    browser = world.sign_in("alice@example.org")
    address = f"/try/{world.kiosks['A'].id}"
    answer = browser.post(f"{address}/touch", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert kiosk.asked == [asked]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"how": "lick"}, 422),
        ({"target": "1;2"}, 422),
        ({"target": "1,-2"}, 422),
        ({"x": "a", "y": "1"}, 422),
        ({"x": "999", "y": "1"}, 409),
    ],
)
def test_what_is_no_touch_is_refused(
    world: World, kiosk: TouchKiosk, form: dict[str, str], status: int
) -> None:
    browser = world.sign_in("alice@example.org")
    answer = browser.post(f"/try/{world.kiosks['A'].id}/touch", data=form)
    assert answer.status_code == status
    assert kiosk.asked == []
    if status == 409:
        assert json.loads(answer.text)["error"].startswith("touch: x is 999")


def test_who_may_not_see_the_kiosk_neither_sees_nor_touches_it(world: World, kiosk: TouchKiosk) -> None:
    address = f"/try/{world.kiosks['A'].id}"
    other = world.sign_in("charlie@example.org")
    assert other.get(f"{address}/screen.png").status_code == 404
    assert other.post(f"{address}/touch", data={"x": "1", "y": "1"}).status_code == 404
    assert world.stranger().get(f"{address}/screen.png").status_code in (303, 401)
    assert kiosk.asked == []
