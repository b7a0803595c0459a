"""A kiosk that has made many epochs has a device page of the usual length, which says how many it leaves out."""

from fleet_server.answers.reported import epochs_reported
from fleet_server.devices.views import EPOCH_ROWS
from tests.conftest import MONDAY_10
from tests.fleet_server.pages.test_device_page import _page
from tests.fleet_server.pages.world import World


def test_the_device_page_shows_the_newest_epochs_and_how_many_more(world: World) -> None:
    kiosk = world.kiosks["A"]
    held = [[0xAB000000 + number, 0, 1, 1] for number in range(EPOCH_ROWS + 7)]
    with world.database.write() as session:
        epochs_reported(session, kiosk.id, held, now=MONDAY_10)
    page = _page(world)
    assert "<code>ab000006</code>" not in page
    assert page.count("<code>ab0000") == EPOCH_ROWS
    assert "… + 7" in page
    assert "The journal&#39;s 27 epochs" in page or "The journal's 27 epochs" in page
