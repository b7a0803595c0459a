"""Every text of the pages is there in Finnish and Swedish; `python -m fleet_server.web.i18n extract` lists gaps."""

import pytest

from fleet_server.web import i18n


def test_the_texts_are_found() -> None:
    texts = {message.id for message in i18n.extracted()}
    assert {"Sign in", "Units and places", "There is no unit %(value)s."} <= texts
    assert len(texts) > 150


@pytest.mark.parametrize("language", ["fi", "sv"])
def test_nothing_is_left_untranslated(language: str) -> None:
    assert i18n.missing(language) == []
