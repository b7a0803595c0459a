"""The county's clinic exit with a kiosk that asks set 1, and visitors who answer there by phone."""

import html
import re
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func
from sqlmodel import col, select
from starlette.testclient import TestClient

from fleet_server.answers import books, check
from fleet_server.answers.models import PressCount, Record
from fleet_server.devices.models import QR, Device
from fleet_server.instants import MINUTE_MS
from fleet_server.places import service as places
from fleet_server.places.models import Place
from fleet_server.questions import service as questions
from tests.fleet_server.accounts.county import County

PUBLIC = "https://palaute.county.example"
NATIONAL = 1
_FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


@dataclass
class Exit:
    """A place with its form."""

    county: County
    place: Place

    @property
    def path(self) -> str:
        """Of the form."""
        return f"/p/{self.place.code}"

    def phone(self, **headers: str) -> TestClient:
        """A phone that asks for English, unless told otherwise; it follows no redirects."""
        return TestClient(
            self.county.app, follow_redirects=False, headers={"accept-language": "en"} | headers
        )

    def open(self, phone: TestClient, lang: str = "") -> dict[str, str]:
        """The hidden fields of a form that was just opened."""
        answer = phone.get(self.path + (f"?lang={lang}" if lang else ""))
        assert answer.status_code == 200
        return hidden(answer.text)

    def answer(self, **fields: Any) -> Any:
        """Open a form on a phone of its own, fill in and send."""
        phone = self.phone()
        return phone.post(self.path, data=self.open(phone) | fields)

    def records(self) -> list[Record]:
        """Every answer that came by phone, anywhere, in the order of its journal."""
        with self.county.database.read() as session:
            of_phones = select(Device.id).where(Device.channel == QR)
            rows = select(Record).where(col(Record.device_id).in_(of_phones), Record.kind == 1)
            return list(
                session.exec(rows.order_by(col(Record.device_id), col(Record.epoch), col(Record.seq)))
            )

    def counted(self) -> int:
        """Presses of this place that count."""
        with self.county.database.read() as session:
            total = select(func.sum(PressCount.counted)).where(PressCount.place_id == self.place.id)
            return int(session.exec(total).one() or 0)

    def balances(self) -> None:
        """Books and answers of every phone journal agree, and nothing waits."""
        with self.county.database.read() as session:
            for device_id in session.exec(select(Device.id).where(Device.channel == QR)).all():
                assert list(check.differences(session, device_id)) == []
                kept = books.of_devices(session, [device_id])[device_id]
                assert kept.faults == []
                assert kept.balanced
                assert kept.waiting == kept.lost == kept.rejected == 0
                assert kept.pressed == kept.received == kept.counted + kept.filtered


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return {name: html.unescape(value) for name, value in _FIELD.findall(page)}


def checked(page: str, name: str) -> list[str]:
    """The values of this field that are chosen on a page."""
    found = re.findall(r'name="([^"]+)" value="([^"]+)" checked', page)
    return [value for field, value in found if field == name]


def written(page: str, name: str) -> str:
    """What stands in this text field on a page."""
    found = re.search(rf'<textarea id="{re.escape(name)}"[^>]*>(.*?)</textarea>', page, re.S)
    assert found
    return html.unescape(found.group(1))


@pytest.fixture
def exit_(county: County) -> Exit:
    """The clinic's exit: a kiosk stands there that asks the national questions."""
    county.now += MINUTE_MS  # on the hour itself a tenth of a second of doubt would leave the hour open
    state = county.app.state
    state.settings = state.settings.model_copy(update={"public_address": PUBLIC})
    with county.database.write() as session:
        questions.add_national(session, now=county.now)
        place_id = county.places["exit"]
        places.install(session, "test", device_id="real00000001", place_id=place_id, now=county.now)
        assert questions.publish(session, NATIONAL, ["real00000001"], actor="test", now=county.now) == []
        return Exit(county, session.get_one(Place, place_id))
