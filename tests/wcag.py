"""What axe (WCAG 2.1 A and AA) and a ruler find on the page that is open.

Nine tenths of axe's time go into contrasts, and colours depend on neither language nor, but for few elements, on the
window. So they are measured once in each colour scheme, in light at the first width and in dark at the last.
"""

from collections.abc import Sequence
from typing import Any

WIDTHS = (1280, 640, 320)  # a desktop, there at 200 %, and the narrowest phone that WCAG 1.4.10 asks for
HEIGHT = 800
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
CONTRAST = "color-contrast"
TOO_WIDE = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? []
    : [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .slice(0, 3).map((each) => each.outerHTML.slice(0, 120)).concat("the page")"""


def faults(
    page: Any, name: str, *, widths: Sequence[int] = WIDTHS, contrast: bool = True, dark: bool = False
) -> list[str]:
    """One line for each fault, with `name` before it; the page is left at the last width with its details open.

    widths: of the window, in px. contrast: measure it, too. dark: measure it in dark colours as well.
    """
    from axe_playwright_python.base import AXE_SCRIPT

    found: list[str] = []
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate(AXE_SCRIPT)
    for width in widths:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        where = f"{name} at {width} px"
        found += [f"{where}: scrolls sideways: {html}" for html in page.evaluate(TOO_WIDE)]
        found += _violations(page, where, all_but_contrast=not contrast or width != widths[0])
    if dark:
        page.emulate_media(color_scheme="dark")
        found += contrasts(page, f"{name} in dark")
        page.emulate_media(color_scheme="light")
    return found


def contrasts(page: Any, where: str) -> list[str]:
    """Contrasts alone, in the colours and at the width that the page has now."""
    return _run(page, where, {"runOnly": {"type": "rule", "values": [CONTRAST]}})


def _violations(page: Any, where: str, *, all_but_contrast: bool) -> list[str]:
    options: dict[str, Any] = {"runOnly": TAGS}
    if all_but_contrast:
        options["rules"] = {CONTRAST: {"enabled": False}}
    return _run(page, where, options)


def _run(page: Any, where: str, options: dict[str, Any]) -> list[str]:
    run = "(options) => axe.run(document, options).then((found) => found.violations)"
    violations = page.evaluate(run, {**options, "resultTypes": ["violations"]})
    return [
        f"{where}: {each['id']} {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for each in violations
        for node in each["nodes"][:3]
    ]
