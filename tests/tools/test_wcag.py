"""The look at a page finds what it is for; else the tests of all pages could not fail."""

from typing import Any

import pytest

from tests import wcag
from tests.fleet_server.chromium import MARKS, chromium

__all__ = ["chromium"]
pytestmark = [*MARKS, pytest.mark.xdist_group("chromium")]

PAGE = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{}</main>"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p>Calm</p>", []),
        ("<img src='data:,'>", ["image-alt"] * 3),
        ("<p style='color: #ccc'>Faint</p>", ["color-contrast", "in dark"]),
        ("<details><summary>More</summary><img src='data:,'></details>", ["image-alt"] * 3),
        ("<p style='width: 400px'>Wide</p>", ["scrolls sideways"] * 2),  # the element and the page
        ("<style>@media (prefers-color-scheme: dark) { p { color: #eee } }</style><p>Dark</p>", ["in dark"]),
    ],
)
def test_what_is_wrong_is_named_at_each_width(chromium: Any, html: str, said: list[str]) -> None:
    page = chromium.new_page()
    page.set_content(PAGE.format(html))
    found = wcag.faults(page, "it", dark=True)
    page.context.close()
    assert len(found) == len(said), found
    for line, word in zip(found, said, strict=True):
        assert word in line
