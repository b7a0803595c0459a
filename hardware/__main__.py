"""`python -m hardware`: makes every document of every model from its `board.toml`; `make hardware` calls it."""

from typing import Annotated

import typer

from hardware import documents, drawings, enclosure, parts, rules
from hardware.board import FOLDER, MODELS, Board, load


def faults(board: Board) -> list[str]:
    """Everything that is wrong with a model's file."""
    return rules.faults(board) + parts.faults(board) + enclosure.faults(board)


def main(
    models: Annotated[
        list[str] | None, typer.Argument(help="button, battery, touch; all when none is named")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing, fail when something is out of date")
    ] = False,
    texts_only: Annotated[bool, typer.Option("--texts", help="texts only: needs no drawing program")] = False,
) -> None:
    """Pins and wires, parts, power, case and drawings of the kiosks, made from hardware/MODEL/board.toml."""
    wrong = False
    for name in models or MODELS:
        if name not in MODELS:
            raise typer.BadParameter(f"model '{name}' is unknown; there are {', '.join(MODELS)}")
        wrong |= not _make(load(name), check, texts_only)
    if wrong:
        raise typer.Exit(1)


def _make(board: Board, check: bool, texts_only: bool) -> bool:
    found = faults(board)
    for fault in found:
        typer.echo(f"{board.folder}: {fault}", err=True)
    if found:
        return False
    changed = []
    for name, text in documents.texts(board).items():
        path = FOLDER / board.folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    old = drawings.stale(board)
    if check:
        for name in changed + old:
            typer.echo(f"{board.folder}/{name}: out of date; make hardware", err=True)
        return not changed and not old
    if old and not texts_only:
        missing = drawings.missing_programs()
        if missing:
            typer.echo(f"{board.folder}: {', '.join(old)} not drawn. " + "; ".join(missing), err=True)
            return False
        drawings.draw(board)
        changed += old
    typer.echo(f"{board.folder}: {', '.join(changed) or 'up to date'}")
    return True


if __name__ == "__main__":
    typer.run(main)
