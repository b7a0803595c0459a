"""`station test`: words of the technician to the steps of the acceptance test. Decides nothing itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioning.acceptance.bench import Bench, person
from provisioning.acceptance.checks import CHECKS, done, plan
from provisioning.acceptance.record import FAILED, NOT_ASKED, NOT_REACHED, PASSED, SKIPPED, Record, Result
from provisioning.errors import ProvisioningError
from provisioning.field.say import Say
from provisioning.firmware_files import BOARDS, bench_files, board_of, boards_of, project_version
from provisioning.models import DEFAULT_MODEL, MODELS, model_of

_MODEL_OF = {board_of(name): name for name in ("touch", DEFAULT_MODEL)} | dict.fromkeys(
    ("unix", "button_battery"), DEFAULT_MODEL
)


def try_board(
    tty: Annotated[str, typer.Option("--tty", help="Serial port of the board: /dev/ttyUSB0, COM3.")],
    board: Annotated[
        str, typer.Option("--board", help=" or ".join(one for one in BOARDS if one != "unix") + ".")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="Where the report goes (JSON), for `station provision --report`.")
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", help=", ".join(MODELS) + "; default: the board's with most parts."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Try this step (again); may be given several times.")
    ] = None,
    ssid: Annotated[
        str, typer.Option("--ssid", help="Try the radio with the Wi-Fi network of this name.")
    ] = "",
    supply: Annotated[
        float | None, typer.Option("--supply", help="Volts that a meter shows on the board's 5 V.")
    ] = None,
    press: Annotated[
        float, typer.Option("--press", min=1, max=120, help="Seconds to wait for a finger.")
    ] = 20.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="The report as one JSON object on standard output.")
    ] = False,
) -> None:
    """Try a board's parts, before it becomes a kiosk: buttons, lights, sound, screen, network, flash, supply.

    The board runs MicroPython and is no kiosk yet. Interrupted, run the same line again: it goes on. Exit status 1 when
    a step failed, or was not reached.
    """
    say = Say(as_json)
    try:
        record = run(tty, board, out, model, only or (), ssid, supply, press, say)
    except ProvisioningError as error:
        _fail(say, str(error))
    except OSError as error:
        _fail(say, f"{error.filename or ''}: {error.strerror or error}")
    except KeyboardInterrupt:
        _fail(say, "interrupted; run the same line again: it goes on", 130)
    failed, skipped = record.count(FAILED), record.count(SKIPPED)
    words = f"{record.count(PASSED)} passed, {failed} failed, {skipped} skipped: {out}"
    say.result(
        {"ok": not failed, "file": str(out), **record.body}, words, *_next(record, out, _model(board, model))
    )
    if failed:
        raise typer.Exit(1)


def run(
    tty: str,
    board: str,
    out: Path,
    model: str | None,
    only: list[str] | tuple[str, ...],
    ssid: str,
    supply: float | None,
    press_s: float,
    say: Say,
    ask: Callable[[str], str | None] = person,
    patience_s: float = 10.0,
) -> Record:
    """Does what is to be done and keeps it in `out` after every step. patience_s: for a board that says nothing.

    Raises ProvisioningError when the board cannot be tested, or was lost on the way.
    """
    # pyserial and mpremote are needed for a board alone
    from provisioning.acceptance.wire import Wire
    from provisioning.field.board import check_chip

    for name in only:
        if name not in CHECKS:
            raise ProvisioningError(f"--only {name}: there is no such step; there are {', '.join(CHECKS)}")
    if not out.absolute().parent.is_dir():
        raise ProvisioningError(f"--out {out}: there is no folder {out.parent}")
    model = _model(board, model)
    files = bench_files(board, model)
    wire = Wire(tty, patience_s)
    try:
        own = wire.put(files)
        who = wire.call("who")
        check_chip(tty, who["machine"], model)
        if who["kiosk"]:
            raise ProvisioningError(
                f"{tty}: this board is kiosk {who['kiosk']} already and may hold answers; it is tested before it "
                "becomes one"
            )
        if who["program"]:
            raise ProvisioningError(
                f"{tty}: a kiosk's program has run on this board, and its watchdog would end the test; a board is "
                "tested with stock MicroPython alone"
            )
        facts = wire.call("begin", model, wait_s=10)
        bench = Bench(wire, say, facts, ask, press_s, ssid, supply)
        record = Record(out, facts["board"], who["serial"], _versions(who, facts, own), plan(facts))
        absent = [name for name in only if name not in plan(facts)]
        if absent:
            raise ProvisioningError(f"--only {absent[0]}: model {model} has no such part")
        _all(bench, record, record.left(only))
        wire.call("end")
    finally:
        wire.close()
    return record


def _next(record: Record, out: Path, model: str) -> list[str]:
    """What is to be done now, in words."""
    if failed := record.names(FAILED):
        again = " ".join(f"--only {name}" for name in failed)
        return [f"failed: {', '.join(failed)}. Put it right, then the same line with {again}"]
    if untried := [name for name in record.names(SKIPPED) if record.note(name) in (NOT_ASKED, NOT_REACHED)]:
        return [
            f"not tried yet: {', '.join(untried)}. The same line with --only {untried[0]}; all: without --only"
        ]
    return [f"next: station provision NAME --model {model} --report {out} …"]


def _all(bench: Bench, record: Record, names: list[str]) -> None:
    if record.unfinished and len(names) < len(record.body["steps"]):
        bench.say.hint(f"goes on with {', '.join(names)}")
    record.begin(names)
    for name in names:
        bench.say.doing("begins", name)
        result = done(bench, name)
        record.put(name, result)
        _tell(bench.say, name, result)


def _tell(say: Say, name: str, result: Result) -> None:
    figures = ", ".join(f"{one.figure:g} {one.unit}" for one in result.measured)
    text = "; ".join(part for part in (figures, result.note) if part)
    how = {PASSED: say.done, FAILED: say.failed, SKIPPED: say.hint}[result.result]
    how(f"{result.result}: {text}" if result.result != PASSED else text, name)


def _model(board: str, model: str | None) -> str:
    if board not in BOARDS:
        known = ", ".join(one for one in BOARDS if one != "unix")
        raise ProvisioningError(f"board '{board}' is unknown; there are {known}")
    if model is None:
        return _MODEL_OF[board]
    model_of(model)
    if board not in ("unix", *boards_of(model)):
        raise ProvisioningError(
            f"--model {model} is built on {' or '.join(boards_of(model))}, --board says {board}"
        )
    return model


def _versions(who: dict[str, Any], facts: dict[str, Any], own: bool) -> dict[str, str]:
    firmware = {"firmware": str(facts["firmware"])} if own else {}
    return {"micropython": who["micropython"], "station": project_version(), **firmware}


def _fail(say: Say, text: str, status: int = 1) -> None:
    if say.as_json:
        say.result({"ok": False, "error": text})
    else:
        say.failed(text)
    raise typer.Exit(status)
