"""The pages of button kiosks' e-paper as reference pictures: every question that a button kiosk can ask, every state.

    .venv/bin/python tests/firmware/screens/paper_pages.py     renews them; look at what `git diff` names

Knows no test.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(__file__).resolve().parent / "paper"
if str(ROOT) not in sys.path:
    sys.path[:0] = [str(ROOT), str(ROOT / "firmware")]

from screens import fonts, page_paper, paper, paper_service  # noqa: E402

from fleet_server.screens.png import frame  # noqa: E402
from tests.screens.scenes import ILL, LOST, SIGNS, WELL  # noqa: E402

ASSETS = str(ROOT / "firmware" / "assets")
WIDTH, HEIGHT = 400, 300
LANGUAGES = ("fi", "sv", "en")
STATES = ("out", "full", "wait")
FONTS = fonts.load(ASSETS, ("p20", "p30", "p44"))
PICTURES = fonts.pictures(ASSETS, "paper")


def items() -> list[dict[str, Any]]:
    """The questions that buttons can answer."""
    data = json.loads((ROOT / "fleet_server/questions/data/items.json").read_text("utf-8"))["items"]
    return [item for item in data if item["type"] in ("agree5", "smiley4", "smiley5")]


def view(item: dict[str, Any]) -> dict[str, Any]:
    """What a kiosk is given of it."""
    texts = {language: item["text"][language]["text"] for language in LANGUAGES}
    asked = {"position": 3, "text": texts, "labels": item["labels"]}
    return {"languages": list(LANGUAGES), "questions": [asked], "button": {"question": 3}}


def question(seen: dict[str, Any], language: int = 0) -> Any:
    return page_paper.build({"page": "ready"}, seen, language, (), FONTS, PICTURES)


def state(name: str) -> Any:
    return page_paper.build({"page": name}, None, 0, (), FONTS, PICTURES)


def service(facts: dict[str, Any]) -> Any:
    return paper_service.build(facts | {"model": "button5"}, FONTS, PICTURES)


class Size:
    width, height = WIDTH, HEIGHT


def pages() -> Iterator[tuple[str, Any]]:
    """(file name, page) of every reference; the languages take turns in being the first."""
    for number, item in enumerate(items()):
        language = number % len(LANGUAGES)
        yield f"{item['code']}.{LANGUAGES[language]}.png", question(view(item), language)
    for name in STATES:
        yield f"{name}.png", state(name)
    for facts in (WELL, ILL, LOST):
        yield f"service.{facts['language']}.png", service(facts)
    for number, sign in enumerate(SIGNS):
        page = question(view(items()[number]))
        paper._add(page, number, Size, PICTURES["pcorner"])
        yield f"sign-{sign}.png", page


def png(page: Any) -> bytes:
    """As it is seen."""
    content: bytes = frame(page, WIDTH, HEIGHT, mono=True).png()
    return content


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    kept = set()
    for name, page in pages():
        (FOLDER / name).write_bytes(png(page))
        kept.add(name)
    for path in FOLDER.iterdir():
        if path.name not in kept:
            path.unlink()
    print(f"{len(kept)} pictures, {sum(path.stat().st_size for path in FOLDER.iterdir())} bytes")


if __name__ == "__main__":
    main()
