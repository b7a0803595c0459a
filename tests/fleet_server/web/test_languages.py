"""Pages speak the person's language; else the cookie's, else the browser's, else Finnish."""

import pytest

from fleet_server.web import i18n, templating
from tests.conftest import MONDAY_10
from tests.fleet_server.accounts.county import County


@pytest.mark.parametrize(
    ("person", "cookie", "accepts", "language"),
    [
        ("sv", "en", "fi", "sv"),
        (None, "sv", "en", "sv"),
        (None, "de", "en-GB,en;q=0.9", "en"),
        (None, None, "de-DE,de;q=0.9,sv-FI;q=0.8,fi;q=0.7", "sv"),
        (None, None, "en;q=0.2, fi;q=0.9", "fi"),
        (None, None, "sv;q=0", "fi"),
        (None, None, "de;q=broken,,;;", "fi"),
        (None, None, "", "fi"),
    ],
)
def test_the_order_of_languages(person: str | None, cookie: str | None, accepts: str, language: str) -> None:
    assert i18n.negotiate(person, cookie, accepts) == language


def test_the_switch_at_the_foot_is_remembered_without_and_with_an_account(county: County) -> None:
    browser = county.stranger()
    answer = browser.post("/language", data={"language": "sv", "next": "/sign-in?next=/units"})
    assert answer.headers["location"] == "/sign-in?next=/units"
    assert '<html lang="sv">' in browser.get("/sign-in").text
    browser.post("/language", data={"language": "xx", "next": "https://evil.example"})
    assert '<html lang="sv">' in browser.get("/sign-in").text
    alice = county.browser("alice")
    alice.post("/language", data={"language": "fi", "next": "/account"})
    assert '<html lang="fi">' in county.browser("alice").get("/account").text


@pytest.mark.parametrize(
    ("referer", "back"),
    [("http://testserver/sign-in?next=/units", "/sign-in"), ("http://[x", "/"), ("", "/")],
)
def test_the_switch_leads_back_to_the_form_whatever_the_browser_says(
    county: County, referer: str, back: str
) -> None:
    again = county.stranger().post("/sign-in", data={}, headers={"referer": referer})
    assert again.status_code == 422
    assert f'name="next" value="{back}"' in again.text


def test_an_error_page_speaks_the_persons_language(county: County) -> None:
    alice = county.browser("alice")
    alice.post("/account/language", data={"language": "sv"})
    assert '<html lang="sv">' in alice.get("/nothing").text
    refused = alice.post("/account/language", data={"language": "<b>"})
    assert refused.status_code == 422
    assert "”&lt;b&gt;”" in refused.text


def test_times_are_finlands_and_numbers_are_the_languages() -> None:
    expected = {
        "fi": ("2.3.2026 10.00", "1\u00a0234,5"),
        "sv": ("2 mars 2026 10:00", "1\u00a0234,5"),
        "en": ("2 Mar 2026 10:00", "1,234.5"),
    }
    for language, (moment, figure) in expected.items():
        i18n.use(language)
        assert templating.when(MONDAY_10) == moment
        assert templating.number(1234.5) == figure
        assert templating.when(None) == templating.number(None) == "–"


def test_a_catalogs_gaps_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from babel.messages.catalog import Catalog

    texts, catalog = Catalog(), Catalog(locale="fi")
    for each in ("here", "gone", "%(a)s there", ("one %(n)s", "many %(n)s")):
        texts.add(each)
    catalog.add("here", "täällä")
    catalog.add("gone", "")
    catalog.add("%(a)s there", "%(b)s siellä")
    catalog.add(("one %(n)s", "many %(n)s"), ("yksi %(n)s", ""))
    monkeypatch.setattr(i18n, "extracted", lambda: texts)
    monkeypatch.setattr(i18n, "read_catalog", lambda language: catalog)
    faults = " ".join(i18n.missing("fi"))
    assert "'here'" not in faults
    assert "not translated: 'gone'" in faults
    assert "not translated: 'one %(n)s'" in faults
    assert "other places than the English: '%(b)s siellä'" in faults
