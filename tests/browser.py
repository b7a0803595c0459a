"""Debian's Chromium, to look at the pages with: without windows where there is that, as it takes a third less."""

import shutil
from typing import Any

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
MISSING = "chromium is not installed: sudo apt install chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright: Any) -> Any:
    """A browser, without a page yet. playwright: what `sync_playwright()` gives."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
