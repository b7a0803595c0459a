"""Every page of question sets, rollouts and schedules opens in each language; what Chromium sees is tested beside."""

import re

import pytest

from tests.fleet_server.accounts.county import County
from tests.fleet_server.working_county import FORMS, PAGES, furnish

LEFT_OVER = re.compile(r"%\(\w+\)s|\{\{|\{%|&lt;bound method|&lt;fleet_server")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_every_page_opens_and_says_all_it_has_to_say(county: County, language: str) -> None:
    furnish(county)
    browser = county.browser("alice")
    browser.post("/account/language", data={"language": language})
    for name, address in PAGES.items():
        answer = browser.get(address)
        assert answer.status_code == 200, name
        assert f'<html lang="{language}">' in answer.text
        assert LEFT_OVER.findall(answer.text) == [], name
    for name, (address, sent) in FORMS.items():
        answer = browser.post(address, data=sent)
        assert answer.status_code in (200, 409, 422), name
        assert LEFT_OVER.findall(answer.text) == [], name
