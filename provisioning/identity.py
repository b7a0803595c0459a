"""Who a kiosk is and whom it talks to: the checked form of the identity that goes into its flash.

Refuses to know how it got there (NVS) and how the server stores it (a hash only).
"""

import ipaddress
import json
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.errors import ProvisioningError

CA_PATH = "/ca.der"

_ID = re.compile(r"[a-z0-9]{12}")
_SECRET = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?")
_FIELDS = {"id", "secret", "host", "port", "tls", "ca", "simulated", "network", "model"}
_MAX_SSID_BYTES = 32


@dataclass(frozen=True)
class Wifi:
    """A wireless network: `ssid` of 1 to 32 bytes, `key` empty (open) or 8 to 63 characters (WPA2)."""

    ssid: str
    key: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.ssid.encode()) <= _MAX_SSID_BYTES:
            raise ProvisioningError(f"identity: field 'network': ssid '{self.ssid}' must have 1 to 32 bytes")
        if self.key and not 8 <= len(self.key) <= 63:
            raise ProvisioningError(
                "identity: field 'network': the key must be empty or have 8 to 63 characters"
            )


@dataclass(frozen=True)
class Identity:
    """One kiosk's name, secret and broker.

    id: 12 characters `[a-z0-9]`, made by the server. secret: 64 hex digits. host, port: the broker.
    ca: the authority that signed the broker's certificate, DER; needed with tls.
    simulated: its answers come from simulated patients only.
    model: what the server registered it as; None when the file does not say.
    Raises ProvisioningError naming the field and its value (never the secret's value).
    """

    id: str
    secret: str
    host: str
    port: int
    tls: bool = False
    ca: bytes | None = None
    simulated: bool = False
    network: Wifi | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        _text("id", self.id, _ID, "12 characters a-z, 0-9")
        _text("secret", self.secret, _SECRET, "64 hex digits", shown=False)
        _text("host", self.host, _HOST, "a host name or an address")
        if not _is_name(self.host):
            _address(self.host)
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 1 <= self.port <= 65535:
            raise ProvisioningError(
                f"identity: field 'port' is {self.port!r}, it must be a number from 1 to 65535"
            )
        for name in ("tls", "simulated"):
            if not isinstance(getattr(self, name), bool):
                raise ProvisioningError(
                    f"identity: field '{name}' is {getattr(self, name)!r}, it must be true or false"
                )
        if self.model is not None and not isinstance(self.model, str):
            raise ProvisioningError(f"identity: field 'model' is {self.model!r}, it must be text")
        if self.tls and not self.ca:
            raise ProvisioningError(
                "identity: field 'ca' is missing, 'tls' needs the authority's certificate (PEM)"
            )

    def blob(self, model: str) -> bytes:
        """What the kiosk reads from NVS as `identity`: JSON, UTF-8."""
        return _json(
            {
                "id": self.id,
                "secret": self.secret,
                "host": self.host,
                "port": self.port,
                "tls": self.tls,
                "ca": CA_PATH if self.ca else None,
                "simulated": self.simulated,
                "model": model,
            }
        )

    def network_blob(self) -> bytes | None:
        """What the kiosk reads from NVS as `network`, or None for a wired kiosk."""
        return _json({"ssid": self.network.ssid, "key": self.network.key}) if self.network else None


def read_identity(path: Path) -> Identity:
    """An identity file: JSON with id, secret, host, port and optionally tls, ca (PEM text), simulated, model,
    network.
    """
    try:
        fields = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ProvisioningError(f"identity: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ProvisioningError(f"identity: {path} is not JSON: {error}") from error
    return identity_from(fields)


def identity_from(fields: object) -> Identity:
    """The identity in a parsed identity file. Raises ProvisioningError naming the field that is wrong."""
    if not isinstance(fields, dict):
        raise ProvisioningError(f"identity: {type(fields).__name__} given, a JSON object is needed")
    for name in sorted(set(fields) - _FIELDS):
        raise ProvisioningError(
            f"identity: field '{name}' is unknown; there are {', '.join(sorted(_FIELDS))}"
        )
    for name in ("id", "secret", "host", "port"):
        if name not in fields:
            raise ProvisioningError(f"identity: field '{name}' is missing")
    return Identity(
        id=fields["id"],
        secret=fields["secret"],
        host=fields["host"],
        port=fields["port"],
        tls=fields.get("tls", False),
        ca=_der(fields.get("ca")),
        simulated=fields.get("simulated", False),
        model=fields.get("model"),
        network=_wifi(fields.get("network")),
    )


def _der(pem: object) -> bytes | None:
    if pem is None:
        return None
    try:
        return ssl.PEM_cert_to_DER_cert(str(pem))
    except ValueError as error:
        raise ProvisioningError(f"identity: field 'ca' is no PEM certificate: {error}") from error


def _wifi(network: Any) -> Wifi | None:
    if not network:
        return None
    if not isinstance(network, dict) or set(network) != {"ssid", "key"}:
        raise ProvisioningError("identity: field 'network' must have exactly 'ssid' and 'key'")
    if not all(isinstance(value, str) for value in network.values()):
        raise ProvisioningError("identity: field 'network': 'ssid' and 'key' must be text")
    return Wifi(network["ssid"], network["key"])


def _text(name: str, value: object, pattern: re.Pattern[str], rule: str, shown: bool = True) -> None:
    if isinstance(value, str) and pattern.fullmatch(value):
        return
    what = f"is {value!r}, it must be" if shown else "must be"
    raise ProvisioningError(f"identity: field '{name}' {what} {rule}")


def _is_name(host: str) -> bool:
    """What a kiosk looks up; anything else it takes for an address (firmware/kiosk/stream.py)."""
    return max(host) > "9" and ":" not in host


def _address(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise ProvisioningError(f"identity: field 'host' is {host!r}, no whole address: {error}") from error


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
