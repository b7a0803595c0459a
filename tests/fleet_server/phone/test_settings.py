"""PUBLIC_ADDRESS is printed on paper: what phones could not open is refused at the start, with the value."""

import pytest
from pydantic import ValidationError

from fleet_server.settings import Settings


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("https://palaute.county.example", "https://palaute.county.example"),
        ("https://Palaute.County.example/", "https://palaute.county.example"),
        ("https://palaute.county.example:8443", "https://palaute.county.example:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_an_address_that_phones_can_open_is_taken(given: str, kept: str) -> None:
    assert Settings(public_address=given).public_address == kept


@pytest.mark.parametrize(
    "given",
    [
        "palaute.county.example",
        "http://palaute.county.example",
        "https://",
        "https://county.example/palaute",
        "https://county.example?x=1",
        "https://county.example#x",
        "https://user:secret@county.example",
        "https://county.example:port",
        "https://hyvinvointialue å.example",
        "https://" + "a" * 80 + ".example",
        "javascript:alert(1)",
    ],
)
def test_any_other_is_refused(given: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(public_address=given)
    assert refused.value.errors()[0]["loc"] == ("public_address",)
