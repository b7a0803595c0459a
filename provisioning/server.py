"""The fleet server's API as the technician's tool uses it: a token, JSON, and a sentence for whatever goes wrong.

Knows no kiosk. Invariant: the token goes to the server that was named, encrypted (or within this machine), and nowhere
else: no redirect is followed.
"""

import json
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provisioning.errors import ProvisioningError

TOKEN_VARIABLE, SERVER_VARIABLE = "HYMIO_TOKEN", "HYMIO_SERVER"  # noqa: S105 (names, no secrets)
_TIMEOUT_S = 60.0
_HERE = ("127.0.0.1", "::1", "localhost")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class FleetServer:
    """`url`: such as https://hymio.example.fi. `ca`: PEM of the county's own authority.

    Raises ProvisioningError for an address that a token must not be sent to.
    """

    def __init__(self, url: str, token: str, ca: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ProvisioningError(f"server '{url}': an address such as https://hymio.example.fi is needed")
        if parts.scheme == "http" and parts.hostname not in _HERE:
            raise ProvisioningError(
                f"server '{url}': over http:// anybody could read the token; use https://"
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ProvisioningError("token: it must be one word, as it was shown when it was made")
        self.url = url.rstrip("/")
        self._token = token
        try:
            context = ssl.create_default_context(cafile=ca)
        except (OSError, ssl.SSLError) as error:
            raise ProvisioningError(f"--ca {ca}: no certificates can be read from it: {error}") from error
        # Straight to the server: a proxy of the environment would see nothing but could hold it up.
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirect)

    def get(self, path: str) -> dict[str, Any]:
        """JSON from the server. Raises ProvisioningError."""
        return self._ask(path, None)

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Sends JSON, gives JSON back. Raises ProvisioningError."""
        return self._ask(path, json.dumps(body).encode())

    def _ask(self, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._token}"}
        request = urllib.request.Request(self.url + path, body, headers)  # noqa: S310 (https, or this machine)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise ProvisioningError(self._refused(error)) from error
        except urllib.error.URLError as error:
            raise ProvisioningError(self._unreached(error.reason)) from error
        except (OSError, ValueError) as error:
            raise ProvisioningError(self._unreached(error)) from error
        if not isinstance(found, dict):
            raise ProvisioningError(f"server {self.url}: this is no fleet server; is the address right?")
        return found

    def _unreached(self, reason: object) -> str:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return (
                f"server {self.url}: its certificate is not to be trusted ({reason.verify_message}); "
                "is the address right? A county's own authority is given with --ca FILE"
            )
        if isinstance(reason, ValueError):
            return f"server {self.url}: this is no fleet server; is the address right?"
        text = getattr(reason, "strerror", None) or reason
        return f"server {self.url}: cannot be reached ({text}); look at the network, then run it again"

    def _refused(self, error: urllib.error.HTTPError) -> str:
        try:
            said = json.loads(error.read())
            why = "; ".join(said.get("faults") or [str(said["error"])])
        except (ValueError, KeyError, TypeError, AttributeError):
            why = ""
        if error.code == 401:
            return f"server {self.url}: the token is not accepted (expired or revoked?); ask for a new one"
        if error.code == 403:
            return f"server {self.url}: this token is no technician's; ask for one with that role"
        if error.code >= 500:
            return f"server {self.url}: it failed ({error.code}); nothing is lost, run it again later"
        if not why or 300 <= error.code < 400:
            return f"server {self.url}: this is no fleet server (status {error.code}); is the address right?"
        return f"server {self.url}: {why}"


def address_from(url: str | None) -> str:
    """The server's address from an option or the environment. Raises ProvisioningError when neither tells it."""
    url = url or os.environ.get(SERVER_VARIABLE, "")
    if not url:
        raise ProvisioningError(f"which server? give --server https://…, or set {SERVER_VARIABLE}")
    return url.rstrip("/")


def server_from(url: str | None, token_file: Path | None, ca: Path | None) -> FleetServer:
    """The server that options or the environment name. Raises ProvisioningError naming what is missing."""
    url = address_from(url)
    token = token_file.read_text("utf-8").strip() if token_file else os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise ProvisioningError(f"a technician's token is needed: --token-file FILE, or {TOKEN_VARIABLE}")
    return FleetServer(url, token, ca)
