"""The fleet server as the tool sees it: requests with a token, and every failure as one sentence that says what to do.

It knows no step of provisioning. Invariant: the token is sent to the address that was given and to no other.
"""

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from provisioning.errors import ProvisioningError

TIMEOUT_S = 60.0  # a harvest hands over a thousand answers at once
SERVER_VARIABLE, TOKEN_VARIABLE = "HYMIO_SERVER", "HYMIO_TOKEN"
_LARGEST = 8 * 1024 * 1024
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class Unreachable(ProvisioningError):
    """The server did not answer: trying again may help."""


class Denied(ProvisioningError):
    """The server refused. `code` and `field`: see the API's description."""

    def __init__(self, text: str, code: str = "", field: str = "") -> None:
        super().__init__(text)
        self.code, self.field = code, field


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        """Followed, a redirect would carry the token elsewhere."""


class Server:
    """`address`: https://…, or http:// for this machine alone; `ca`: PEM file of its authority, when the system has not
    got it. Every method raises ProvisioningError with one sentence."""

    def __init__(self, address: str, token: str, ca: Path | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ProvisioningError(
                f"server {address!r} is no address; give --server https://… or set {SERVER_VARIABLE}"
            )
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise ProvisioningError(
                f"server {address}: the token would go over the network unencrypted; use https://"
            )
        if not token:
            raise ProvisioningError(
                f"there is no token: make one at {address.rstrip('/')}/technician and set {TOKEN_VARIABLE}"
            )
        if not token.isascii() or not token.isprintable() or " " in token:
            raise ProvisioningError("token: it must be one word, as it was shown when it was made")
        self.address = address.rstrip("/")
        self._token = token
        self._places: list[dict[str, Any]] | None = None
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=_context(ca)))
        if parts.hostname in _LOCAL:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, **query: Any) -> Any:
        """What the API answers."""
        return self._ask("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The same for something that is changed."""
        return self._ask("POST", path, body)

    def all(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list that comes in pages."""
        after: Any = None
        while True:
            page = self.get(path, limit=500, **({} if after is None else {"after": after}))
            yield from page[key]
            after = page["next"]
            if after is None:
                return

    def place(self, wanted: str) -> dict[str, Any]:
        """A place by its number or its whole name."""
        if self._places is None:  # a plan asks for hundreds
            self._places = list(self.all("/places", "places"))
        found = [
            one
            for one in self._places
            if wanted == str(one["id"]) or wanted.strip().casefold() == one["name"].casefold()
        ]
        return _only(found, "place", wanted)

    def device(self, wanted: str) -> dict[str, Any]:
        """A device by its id or its whole name."""
        found = [
            one
            for one in self.all("/devices", "devices")
            if wanted == one["id"] or wanted.strip().casefold() == one["name"].casefold()
        ]
        living = [one for one in found if one["status"] != "revoked"]
        return _only(living or found, "device", wanted)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310  (the scheme was looked at)
            f"{self.address}/api/v1{quote(path, safe='/?=&%')}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/json",
                **({} if body is None else {"Content-Type": "application/json"}),
            },
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.loads(answer.read(_LARGEST))
        except urllib.error.HTTPError as error:
            with error:
                raise self._denied(error.code, error.read(_LARGEST)) from None
        except urllib.error.URLError as error:
            raise self._unreached(error.reason) from None
        except (OSError, TimeoutError) as error:
            raise self._unreached(error) from None
        except ValueError:
            raise ProvisioningError(
                f"server {self.address} answers, but not as Hymiö does; is the address right?"
            ) from None

    def _unreached(self, reason: object) -> ProvisioningError:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return ProvisioningError(
                f"server {self.address}: its certificate is not trusted ({reason.verify_message}); correct the "
                "address, or give the county's authority with --ca FILE"
            )
        if isinstance(reason, ssl.SSLError):
            return ProvisioningError(
                f"server {self.address} speaks no TLS there ({reason.reason}); is the port right?"
            )
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return Unreachable(
            f"server {self.address} cannot be reached ({text}); look at address and network, then go on"
        )

    def _denied(self, status: int, content: bytes) -> ProvisioningError:
        try:
            said = json.loads(content)
            text, code = str(said["error"]), str(said.get("code", ""))
            field = str(said.get("field") or "")
        except (ValueError, TypeError, KeyError):
            if status >= 500:
                return Unreachable(
                    f"server {self.address} failed ({status}); what is done stays done, go on later"
                )
            return ProvisioningError(
                f"server {self.address} answers {status}, not as Hymiö does; is the address right?"
            )
        if status == 401:
            return Denied(
                f"the token is wrong or has expired; make a new one at {self.address}/technician and set "
                f"{TOKEN_VARIABLE}",
                code,
            )
        if status == 403:
            return Denied(
                "the token may not do this: you are no technician there, or it is not for the station tool",
                code,
            )
        if status >= 500:
            return Unreachable(
                f"server {self.address} failed ({status}); what is done stays done, go on later"
            )
        return Denied(f"{field}: {text}" if field else text, code, field)


def address_from(address: str | None) -> str:
    """The server's address from an option or the environment. Raises ProvisioningError when neither tells it."""
    address = address or os.environ.get(SERVER_VARIABLE, "")
    if not address:
        raise ProvisioningError(f"which server? give --server https://…, or set {SERVER_VARIABLE}")
    return address.rstrip("/")


def from_environment(address: str | None, token_file: Path | None, ca: Path | None) -> Server:
    """The server of the options, else of HYMIO_SERVER and HYMIO_TOKEN. Tokens are no option: others see commands."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token_file is not None:
        try:
            token = token_file.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise ProvisioningError(f"token: {token_file} cannot be read ({error})") from error
    return Server(address_from(address), token.strip(), ca)


def _context(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise ProvisioningError(f"--ca {ca} is no PEM certificate ({error})") from error


def _only(found: list[dict[str, Any]], what: str, wanted: str) -> dict[str, Any]:
    if not found:
        raise Denied(f"there is no {what} {wanted!r} that you may see", "not_found", what)
    exact = [one for one in found if wanted == str(one["id"])]
    if len(exact or found) > 1:
        ids = ", ".join(str(one["id"]) for one in found[:6])
        raise Denied(f"{len(found)} {what}s are called {wanted!r}; give a number: {ids}", "invalid", what)
    return (exact or found)[0]
