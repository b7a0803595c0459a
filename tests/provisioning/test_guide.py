"""The technician's guide holds in both languages: same messages, same options, and whatever it names is there."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer.main

from provisioning.cli import app

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "technician.md"
ENGLISH, FINNISH = GUIDE.read_text("utf-8").split("# Suomeksi\n")
OTHERS = {"--chip"}  # esptool's own


@cache
def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def options(command: object) -> set[str]:
    own: set[str] = set().union(*(options(one) for one in getattr(command, "commands", {}).values()))
    return own | {name for one in getattr(command, "params", ()) for name in one.opts}


def test_both_languages_name_the_same_messages_and_options() -> None:
    for what in (r"^\| (\*.*?) \|", r"(--[a-z][a-z-]+)"):
        assert set(re.findall(what, ENGLISH, re.M)) == set(re.findall(what, FINNISH, re.M))


def test_every_option_in_the_guide_is_one_of_the_tools() -> None:
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", ENGLISH)) - OTHERS
    assert named <= options(typer.main.get_command(app))


@pytest.mark.parametrize("text", [ENGLISH, FINNISH], ids=["English", "Finnish"])
def test_every_link_and_picture_leads_somewhere(text: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        page = (GUIDE.parent / path).resolve() if path else GUIDE
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link
