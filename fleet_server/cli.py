"""The operator's commands: `fleet …`. Each is a few lines around a service function."""

import json
import logging
import os
import ssl
import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet_server import garbage
from fleet_server.accounts import service as accounts
from fleet_server.accounts.models import Role
from fleet_server.answers import commands as answers
from fleet_server.answers import restoring
from fleet_server.answers.rules_commands import rules_app
from fleet_server.devices import credentials
from fleet_server.instants import now_ms, utc
from fleet_server.mails.commands import mail_app
from fleet_server.places.models import Unit
from fleet_server.questions import service as questions
from fleet_server.results.commands import results_app
from fleet_server.serving import (
    CannotStart,
    build,
    check_ground,
    hold_folder,
    open_database,
    open_known_database,
    read_settings,
    uvicorn_server,
)
from provisioning.errors import ProvisioningError
from provisioning.models import DEFAULT_MODEL, MODELS

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Hymiö's fleet server.", pretty_exceptions_enable=False
)
user = typer.Typer(no_args_is_help=True, help="People who may sign in.")
token = typer.Typer(no_args_is_help=True, help="Tokens of programs that use the API.")
device = typer.Typer(no_args_is_help=True, help="Kiosks and their credentials.")
questions_app = typer.Typer(no_args_is_help=True, help="Question sets.")
app.add_typer(user, name="user")
app.add_typer(token, name="token")
app.add_typer(device, name="device")
app.add_typer(questions_app, name="questions")
app.add_typer(rules_app, name="rules")
app.add_typer(results_app, name="results")
app.add_typer(mail_app, name="mail")
app.add_typer(answers.quarantine_app, name="quarantine")
app.command()(answers.check)
app.command()(restoring.backup)
app.command()(restoring.restored)


@app.command()
def serve() -> None:
    """Run pages, API, collector and (unless MQTT_HOST is set) the embedded broker."""
    settings = read_settings()
    check_ground(settings)
    hold_folder(settings)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    database = open_database(settings)
    try:
        server = uvicorn_server(build(settings, database), settings)
        garbage.search_seldom()
        server.run()
    finally:
        database.close()


@app.command()
def demo(
    patients: Annotated[bool, typer.Option(help="Let simulated patients press, too.")] = True,
    history: Annotated[bool, typer.Option(help="Begin with a year of simulated answers.")] = True,
) -> None:
    """Show Hymiö on this machine: server, broker, question sets and three virtual kiosks (what `make run` does)."""
    from fleet_server.demo.run import run_demo  # not on a production server: needs the provisioning tools

    run_demo(read_settings().model_copy(update={"demo": True}), patients=patients, history=history)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; make it when there is none."""
    settings = read_settings()
    open_database(settings).close()
    typer.echo(f"{settings.database.split('@')[-1]} is up to date")


@user.command("create")
def user_create(
    email: str,
    name: Annotated[str, typer.Option(help="Name as it is shown.")],
    role: Annotated[Role, typer.Option(help="Role for the whole county; others can be given on the page.")],
    language: Annotated[str, typer.Option(help="fi, sv or en.")] = "fi",
) -> None:
    """Create a person and print the one-time link with which the password is set."""
    settings = read_settings()
    database = open_known_database(settings)
    now = now_ms()
    with database.write() as session:
        person = accounts.create_user(
            session, email=email, name=name, language=language, roles=[(role, None)], now=now
        )
        secret = accounts.invite(session, person, now=now)
    typer.echo(f"{settings.address}/invitation/{secret}")


@token.command("create")
def token_create(
    name: str,
    role: Annotated[Role, typer.Option(help="What the token may do.")] = Role.SUPERVISOR,
    unit: Annotated[
        int | None,
        typer.Option(
            min=1, max=2**31 - 1, help="Unit (number) that it is limited to; default: the whole county."
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="Valid for so many days.")] = 365,
) -> None:
    """Create a token for the API and print it, once."""
    database = open_known_database(read_settings())
    with database.write() as session:
        if unit is not None and session.get(Unit, unit) is None:
            raise CannotStart(f"unit {unit} does not exist")
        secret = accounts.create_token(session, name=name, role=role, unit_id=unit, days=days, now=now_ms())
    typer.echo(secret)


@device.command("create")
def device_create(
    name: str,
    model: Annotated[str, typer.Option(help=f"{', '.join(MODELS)}.")] = DEFAULT_MODEL,
    host: Annotated[str, typer.Option(help="Address of the broker as the kiosk sees it.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the broker; default: MQTT_PORT.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="The broker's CA (PEM); with it the kiosk uses TLS.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File for the identity, readable by you alone.")] = None,
) -> None:
    """Register a kiosk and print its identity (JSON, for `station`), or write it to a file. The secret is not kept."""
    if out is not None and out.exists():
        raise CannotStart(f"{out} exists already; it may hold another kiosk's secret")
    certificate = None
    if ca is not None:
        try:
            certificate = ca.read_text()
            ssl.PEM_cert_to_DER_cert(certificate)
        except (OSError, ValueError) as error:
            raise CannotStart(f"{ca} is no PEM certificate: {error}") from None
    if not host.strip():
        raise CannotStart(f"host is {host!r}, must be a name or an address")
    settings = read_settings()
    database = open_known_database(settings)
    if out is not None:  # before anything is registered: a secret that cannot be written is lost
        try:
            out.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise CannotStart(f"{out} cannot be written ({error.strerror})") from None
    try:
        with database.write() as session:
            row, secret = credentials.create(session, name=name, model=model, virtual=False, now=now_ms())
    except BaseException:
        if out is not None:
            out.unlink()
        raise
    identity = {
        "id": row.id,
        "secret": secret,
        "host": host,
        "port": port or settings.mqtt_port,
        "tls": certificate is not None,
        "model": model,
        **({"ca": certificate} if certificate else {}),
    }
    if out is None:
        typer.echo(json.dumps(identity))
    else:
        out.write_text(json.dumps(identity) + "\n")
        typer.echo(f"{out}: {row.id}")


@device.command("revoke")
def device_revoke(device_id: str) -> None:
    """Shut a kiosk out: its secret is refused from now on."""
    with open_known_database(read_settings()).write() as session:
        credentials.revoke(session, device_id, now=now_ms())
    typer.echo(f"{device_id} is revoked")


@questions_app.command("add")
def questions_add(file: Path) -> None:
    """Keep a question set from a JSON file; its faults, if any, are listed and stop its publishing, not its keeping."""
    from fleet_server.questions.schema import faults_of
    from fleet_server.questions.views import view_faults
    from fleet_server.screens.check import screen_faults

    try:
        body = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CannotStart(f"{file}: {error}") from None
    if not isinstance(body, dict):
        raise CannotStart(f"{file}: a question set is a JSON object, not {type(body).__name__}")
    with open_known_database(read_settings()).write() as session:
        row = questions.add(session, body, source=f"file {file.name}", now=now_ms())
        number = row.number
    typer.echo(f"question set {number} is kept")
    faults = faults_of(body)
    for model in MODELS if not faults else ():
        if not view_faults(body, model):
            faults += screen_faults(body, model)
    for fault in faults:
        typer.echo(f"  {fault}")


@questions_app.command("load")
def questions_load(file: Path) -> None:
    """Load national items (see docs/operations.md) into the library; with any fault nothing is loaded.

    A changed item gets its next version; sets and answers keep the one they have.
    """
    from fleet_server.questions.loading import load

    try:
        data = file.read_bytes()
    except OSError as error:
        raise CannotStart(f"{file} cannot be read ({error.strerror})") from None
    with open_known_database(read_settings()).write() as session:
        done = load(session, data, source=file.name, now=now_ms())
    for code, version in (done.new | done.changed).items():
        typer.echo(f"{code}: version {version}{' (new)' if code in done.new else ''}")
    typer.echo(f"{len(done.new)} new, {len(done.changed)} changed, {len(done.same)} as they were")


@questions_app.command("list")
def questions_list() -> None:
    """List the question sets."""
    with open_known_database(read_settings()).read() as session:
        for row in questions.all_sets(session):
            typer.echo(f"{row.number:>5}  {row.version:<8} {utc(row.created_at):%Y-%m-%d}  {row.name}")


def main() -> None:
    """Console script. A fault that has a clear line ends with that line and exit code 1, without a traceback."""
    os.umask(0o077)  # database, log and identities are nobody else's to read
    try:
        app()
    except (CannotStart, ProvisioningError, ValueError) as error:
        sys.stderr.write(f"fleet: {error}\n")
        sys.exit(1)
