"""Which passwords are refused: those that somebody who knows the person or the county would try first."""

import pytest

from fleet_server.accounts import passwords
from fleet_server.refusals import Faults

KNOWN = ("maija.meikalainen@county.example", "Maija Meikäläinen-Öberg")


def faults_of(password: str) -> dict:
    faults = Faults()
    passwords.check(faults, "password", password, password, KNOWN)
    return faults.found


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "PasswordPassword1",
        "salasana123456",
        "Lösenord2026!",
        "kissakoirakissa",
        "123456123456",
        "qwertyuiop12",
        "abcdefghijklm",
        "0987654321098",
        "xkxkxkxkxkxkxkxk",
        "aaaaaaaaaaaaaa",
        "tervetuloa1234",
        "Hymiö-Hymiö-Hymiö",
        "Talvi2026Talvi2026",
        "maija.meikalainen",
        "MaijaMeikäläinen1",
        "Meikäläinen-1975",
        "maija.meikalainen@county.example",
    ],
)
def test_what_would_be_tried_first_is_refused_with_its_reason(password: str) -> None:
    """The first of them, and the person's name in halves, were once accepted."""
    (reason, _) = faults_of(password)["password"]
    assert "too easy to guess" in reason


@pytest.mark.parametrize(
    "password",
    [
        "hiljainen tuulimylly laulaa",
        "correct horse battery staple",
        "kissa kävelee tuulessa",
        "829475610384",
        "Maija ajaa polkupyörällä",
        "rT7#kq9!wZ2x",
        "yö yö yö pyörä",
    ],
)
def test_words_that_do_not_belong_together_are_taken(password: str) -> None:
    assert faults_of(password) == {}
