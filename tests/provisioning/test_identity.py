"""A wrong identity is refused before anything is written, with the field and the value in one line."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from provisioning.errors import ProvisioningError
from provisioning.identity import Identity, Wifi, identity_from, read_identity

GOOD: dict[str, Any] = {"id": "kiosk0000001", "secret": "ab" * 32, "host": "mqtt.example.fi", "port": 8883}


def test_an_identity_file_is_read_whole(tmp_path: Path) -> None:
    pem = ssl.DER_cert_to_PEM_cert(b"\x30\x03abc")
    fields = {**GOOD, "tls": True, "ca": pem, "simulated": True, "network": {"ssid": "ä", "key": "12345678"}}
    (tmp_path / "identity.json").write_text(json.dumps(fields))
    assert read_identity(tmp_path / "identity.json") == Identity(
        **GOOD, tls=True, ca=b"\x30\x03abc", simulated=True, network=Wifi("ä", "12345678")
    )


@pytest.mark.parametrize("field", sorted(GOOD))
def test_a_missing_field_is_named(field: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(ProvisioningError, match=f"^identity: field '{field}' is missing$"):
        identity_from(fields)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("id", "KIOSK0000001", "field 'id' is 'KIOSK0000001', it must be 12 characters a-z, 0-9"),
        ("id", "kiosk000001", "field 'id' is 'kiosk000001'"),
        ("id", "kiosk0000001\n", "field 'id' is"),
        ("id", 123456789012, "field 'id' is 123456789012"),
        ("host", "mqtt example", "field 'host' is 'mqtt example', it must be a host name or an address"),
        ("host", "", "field 'host' is ''"),
        ("host", "10.0.0.256", "field 'host' is '10.0.0.256', no whole address"),
        ("host", "10.0.0", "field 'host' is '10.0.0', no whole address"),
        ("host", "fe80:1", "field 'host' is 'fe80:1', no whole address"),
        ("port", 0, "field 'port' is 0, it must be a number from 1 to 65535"),
        ("port", 65536, "field 'port' is 65536"),
        ("port", "1883", "field 'port' is '1883'"),
        ("port", True, "field 'port' is True"),
        ("tls", "yes", "field 'tls' is 'yes', it must be true or false"),
        ("tls", True, "field 'ca' is missing"),
        ("simulated", 1, "field 'simulated' is 1"),
        ("ca", "not a certificate", "field 'ca' is no PEM certificate"),
        ("network", {"ssid": "x"}, "field 'network' must have exactly 'ssid' and 'key'"),
        ("network", {"ssid": 5, "key": ""}, "'ssid' and 'key' must be text"),
        ("network", {"ssid": "ä" * 17, "key": ""}, "must have 1 to 32 bytes"),
        ("network", {"ssid": "x", "key": "short"}, "the key must be empty or have 8 to 63 characters"),
        (
            "colour",
            "blue",
            "field 'colour' is unknown; there are ca, host, id, model, network, port, secret, simulated, tls",
        ),
    ],
)
def test_a_malformed_field_is_named_with_its_value(field: str, value: object, said: str) -> None:
    with pytest.raises(ProvisioningError) as caught:
        identity_from({**GOOD, field: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("secret", ["abc", "AB" * 32, "g" * 64, 5, None])
def test_a_malformed_secret_is_never_shown(secret: object) -> None:
    with pytest.raises(ProvisioningError) as caught:
        identity_from({**GOOD, "secret": secret})
    assert str(caught.value) == "identity: field 'secret' must be 64 hex digits"


@pytest.mark.parametrize("value", [[], "text", None, 5])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(ProvisioningError, match="a JSON object is needed"):
        identity_from(value)


def test_a_file_that_is_missing_or_not_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProvisioningError, match="missing.json cannot be read: No such file"):
        read_identity(tmp_path / "missing.json")
    for content in (b"{", b"\xff\xfe"):
        (tmp_path / "bad.json").write_bytes(content)
        with pytest.raises(ProvisioningError, match="bad.json is not JSON"):
            read_identity(tmp_path / "bad.json")
