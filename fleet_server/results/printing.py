"""Makes PDFs of printable pages, in processes of their own: setting a page takes a processor for a sixth of a second,
and neither the pages nor the kiosks' receipts wait for that.

It knows no results. The library (WeasyPrint, with Debian's Pango) is loaded when the first page is printed; where it is
missing, `available` is False and everything else goes on.
"""

import ctypes.util
import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from xml.etree import ElementTree

from fleet_server import garbage

STATIC = Path(__file__).resolve().parent.parent / "web" / "static"
STYLE = STATIC / "paper.css"
BASE = f"{STATIC.as_uri()}/"
PROCESSES = 2
PAGES_A_PROCESS = 500  # then a new one: the library's caches grow
IDLE_S = 300.0  # after that the processes are let go, some 90 MB each
VARIANT = "pdf/ua-1"  # tagged, so that a screen reader finds headings, lists and figures


class CannotPrint(Exception):
    """This machine lacks what printing needs."""


class Printer:
    """Printing processes that begin with the first page and end when nobody needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._used = 0.0

    def print(self, html: str) -> "Future[bytes]":
        """The PDF of a whole page of HTML; its pictures and fonts are those of web/static or none."""
        if not available():
            raise CannotPrint("PDFs need Debian's libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0")
        with self._lock:
            self._used = time.monotonic()
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    PROCESSES, get_context("spawn"), _begin, max_tasks_per_child=PAGES_A_PROCESS
                )
            return self._pool.submit(_print, html)

    def rest(self) -> None:
        """Let the processes go when they had nothing to do for a while."""
        with self._lock:
            if self._pool is not None and time.monotonic() - self._used > IDLE_S:
                self._pool.shutdown(wait=False)
                self._pool = None

    def stop(self) -> None:
        """End them."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=True, cancel_futures=True)
                self._pool = None


@cache
def available() -> bool:
    """Whether this machine can make PDFs."""
    return all(ctypes.util.find_library(name) for name in ("pango-1.0", "pangoft2-1.0", "harfbuzz-subset"))


def _begin() -> None:
    """In a new process: Ctrl-C is the server's to hear, and a server that was killed leaves nobody behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


_kept: dict[str, Any] = {}


def _print(html: str) -> bytes:
    if not _kept:
        _load()
    try:
        page = _kept["page"](ElementTree.fromstring(html))  # noqa: S314  (our own template's)
    except (
        ElementTree.ParseError
    ):  # a name with a character that XML does not know: slower, and printed all the same
        page = _kept["html"](string=html, base_url=BASE, url_fetcher=_kept["fetcher"])
    pdf: bytes = page.write_pdf(stylesheets=[_kept["style"]], font_config=_kept["fonts"], pdf_variant=VARIANT)
    return pdf


def _load() -> None:
    """The library, fonts and style, once in a process."""
    from cssselect2 import ElementWrapper
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    class Ours(URLFetcher):  # type: ignore[misc]
        """Fetches nothing but our own static files."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            parts = urlsplit(url)
            path = Path(url2pathname(parts.path)).resolve()
            if parts.scheme != "file" or STATIC not in path.parents:
                raise ValueError(f"{url} is none of our files")
            return super().fetch(url, headers)

    fetcher = Ours()

    class Page(HTML):  # type: ignore[misc]
        """A page that was read already: the library's own reading of HTML takes a tenth of its time."""

        def __init__(self, root: ElementTree.Element) -> None:
            self.base_url, self.url_fetcher, self.media_type = BASE, fetcher, "print"
            self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
            self.etree_element = root

    fonts = FontConfiguration()
    style = CSS(filename=STYLE, font_config=fonts, url_fetcher=fetcher)
    _kept.update(fonts=fonts, style=style, fetcher=fetcher, page=Page, html=HTML)
    garbage.search_seldom()  # a tenth of the time of a page


printer = Printer()
