"""TLS on MicroPython against Mosquitto: the broker must prove whose it is, and a failed handshake leaves nothing."""

import datetime
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.firmware.net.names import address, answer

TODAY = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@dataclass
class Signed:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def sign(name: str, issuer: Signed | None, address: str | None = None, days: int = 365) -> Signed:
    """A CA's certificate (no issuer) or a server's for an IP address or a name; `days` < 0: expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = TODAY - datetime.timedelta(days=400)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(TODAY + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if address is not None:
        try:
            whose: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(address))
        except ValueError:
            whose = x509.DNSName(address)
        builder = builder.add_extension(x509.SubjectAlternativeName([whose]), critical=False)
    return Signed(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@pytest.fixture
def tls_broker(mosquitto: Callable[[str], Any], tmp_path: Path) -> Callable[[Signed], Any]:
    """`tls_broker(server certificate)` -> Mosquitto that speaks TLS only."""

    def start(server: Signed) -> Any:
        certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
        certificate.write_bytes(server.certificate.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            server.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return mosquitto(f"certfile {certificate}\nkeyfile {key}\n")

    return start


def test_a_broker_of_our_ca_is_talked_to_within_the_loop_s_limits(
    tls_broker: Callable[[Signed], Any], start_kiosk: Callable[..., Any], tmp_path: Path
) -> None:
    ca = sign("our CA", None)
    broker = tls_broker(sign("broker", ca, "127.0.0.1"))
    kiosk = start_kiosk(broker.port, tls=True, ca="/ca.der", files={"ca.der": ca.der()})
    kiosk.wait(lambda event: event.get("status") == "online")
    kiosk.send(press=200)  # several records of TLS
    time.sleep(0.5)
    kiosk.tell()
    clocks = [event["clock_raised"] for event in kiosk.events if "clock_raised" in event]
    assert clocks[0] == int(ca.certificate.not_valid_before_utc.timestamp() * 1000)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wrong CA", "not correctly signed by the trusted CA"),
        ("wrong address", "Name (CN) does not match"),
        ("expired", "validity has expired"),
    ],
)
def test_a_broker_that_cannot_prove_itself_gets_no_secret_and_costs_no_descriptor(
    fault: str, said: str, tls_broker: Callable[[Signed], Any], start_kiosk: Callable[..., Any]
) -> None:
    ca = sign("our CA", None)
    signer = sign("another CA", None) if fault == "wrong CA" else ca
    address = "127.0.0.2" if fault == "wrong address" else "127.0.0.1"
    broker = tls_broker(sign("broker", signer, address, -10 if fault == "expired" else 365))
    kiosk = start_kiosk(broker.port, tls=True, ca="/ca.der", files={"ca.der": ca.der()}, run=False)
    kiosk.send(fail=1)
    reason = kiosk.wait(lambda event: "failed" in event, 20)["reason"]
    assert said in reason
    before = kiosk.tell()
    kiosk.send(fail=20)
    kiosk.wait(lambda event: "failed" in event, 60)
    assert kiosk.tell()["fds"] == before["fds"]


@pytest.mark.parametrize("whose", ["mqtt.palaute.example", "another.example"])
def test_a_broker_found_by_its_name_must_prove_the_name(
    whose: str,
    tls_broker: Callable[[Signed], Any],
    name_server: Callable[..., Any],
    start_kiosk: Callable[..., Any],
) -> None:
    """Whoever forges a name server's answer has no certificate for the name."""
    ca = sign("our CA", None)
    broker = tls_broker(sign("broker", ca, whose))
    asked = name_server(lambda query: [answer(query, [address("127.0.0.1")])])
    kiosk = start_kiosk(
        broker.port,
        host="mqtt.palaute.example",
        name_servers=[asked.address],
        tls=True,
        ca="/ca.der",
        files={"ca.der": ca.der()},
    )
    if whose == "mqtt.palaute.example":
        kiosk.wait(lambda event: event.get("status") == "online")
    else:
        kiosk.wait(lambda event: "Name (CN) does not match" in event.get("log", ""), 20)
