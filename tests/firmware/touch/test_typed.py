"""A typed text: whole letters, its limit in bytes, capitals where a sentence begins."""

from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk.typed import Typed

LETTERS = st.sampled_from([*"aäöåčđŋšŧžǯ .!?-", "€", "ß", "Ä"])


@settings(deadline=None)
@given(st.lists(LETTERS | st.none(), max_size=200))
def test_it_is_what_was_typed_and_rubbed_out(keys: list[str | None]) -> None:
    typed, expected = Typed(), ""
    for key in keys:
        if key is None:
            typed.rub()
            expected = expected[:-1]
        else:
            assert typed.add(key)
            expected += key
        assert typed.text == expected
    assert typed.body().decode() == expected.strip()


@settings(deadline=None)
@given(LETTERS, st.integers(0, 3))
def test_the_limit_never_cuts_a_letter(letter: str, before: int) -> None:
    typed = Typed()
    for _ in range(before):
        typed.add("x")
    count = 0
    while typed.add(letter):
        count += 1
    size = len(letter.encode())
    assert count == (1000 - before) // size
    assert typed.text == "x" * before + letter * count
    typed.rub()
    assert typed.add(letter)


def test_a_sentence_begins_with_a_capital() -> None:
    typed = Typed()
    shown = []
    for key in "Ei. hyvä":
        shown.append(typed.caps)
        typed.add(key)
    assert shown == [True, False, False, False, True, False, False, False]
    for _ in "Ei. hyvä":
        typed.rub()
    assert typed.caps


def test_nothing_of_it_stays_in_memory() -> None:
    typed = Typed()
    for key in "Salaisuus":
        typed.add(key)
    for _ in range(3):
        typed.rub()
    typed.clear()
    assert not any(typed._buf)
    assert (typed.text, typed.body(), typed.layer, typed.caps) == ("", b"", 0, True)
