"""Makes the pictures and the printable pieces of a model with WireViz, Graphviz and OpenSCAD, and notes what they were
made from, so that a test can tell whether they are still right without those programs. Needs the extra `hardware`.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from hardware import enclosure, wiring
from hardware.board import FOLDER, Board

SUMS = "drawings.sha256"
_WIRING_WIDTH = 2200
_CASE_WIDTH = 1200
_COLOURS = 256
_VIEWS = {"whole": "0,0,0,68,0,205,0", "exploded": "0,0,0,66,0,246,0"}


def made_from(board: Board) -> dict[str, str]:
    """File -> SHA-256 of everything that it is drawn from."""
    wires = _sum(wiring.source(board))
    case = _sum(enclosure.scad(board) + enclosure.SHAPE.read_text(encoding="utf-8"))
    files = {"wiring.svg": wires, "wiring.png": wires}
    files |= {f"case_{view}.png": case for view in _VIEWS}
    files |= {f"case_{piece}.stl": case for piece in enclosure.printed(board)}
    return files | {"case_cut.dxf": case}


def sums(board: Board) -> str:
    """The file `drawings.sha256`, one line a file: the sum of its source, two spaces, its name."""
    return "".join(f"{value}  {name}\n" for name, value in sorted(made_from(board).items()))


def stale(board: Board) -> list[str]:
    """Files that are missing or were drawn from something else than what stands in `board.toml` now."""
    folder = FOLDER / board.folder
    noted = {}
    if (folder / SUMS).exists():
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        noted = {name: value for value, name in (line.split("  ") for line in lines)}
    wanted = made_from(board)
    return [name for name in wanted if noted.get(name) != wanted[name] or not (folder / name).exists()]


def missing_programs() -> list[str]:
    """What must be installed first, a sentence each."""
    wanted = {
        "dot": "apt install graphviz",
        "openscad": "apt install openscad",
        "xvfb-run": "apt install xvfb xauth",
    }
    found = [f"{name} is missing: {how}" for name, how in wanted.items() if not shutil.which(name)]
    return found + [
        f"{name} is missing: pip install --group hardware"
        for name in ("wireviz", "PIL")
        if not importlib.util.find_spec(name)
    ]


def draw(board: Board) -> None:
    """Draws what is stale and notes the sums. Raises CalledProcessError when a program fails."""
    todo = stale(board)
    folder = FOLDER / board.folder
    with tempfile.TemporaryDirectory() as scratch:
        if any(name.startswith("wiring") for name in todo):
            _wiring(board, folder, Path(scratch))
        for name in todo:
            kind, _, piece = Path(name).stem.partition("_")
            if kind == "case":
                (_picture if name.endswith(".png") else _piece)(folder, piece, Path(scratch), folder / name)
    (folder / SUMS).write_text(sums(board), encoding="utf-8")


def _wiring(board: Board, folder: Path, scratch: Path) -> None:
    source = scratch / "wiring.yml"
    source.write_text(wiring.source(board), encoding="utf-8")
    # As a program, not as a library: WireViz is under the GPL.
    command = [sys.executable, "-m", "wireviz.wv_cli", "-f", "sp", "-o", str(scratch), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    drawn = (scratch / "wiring.svg").read_text(encoding="utf-8")
    (folder / "wiring.svg").write_text(drawn.rstrip() + "\n", encoding="utf-8")
    _shrink(scratch / "wiring.png", folder / "wiring.png", _WIRING_WIDTH)


def _picture(folder: Path, view: str, scratch: Path, out: Path) -> None:
    raw = scratch / f"{view}.png"
    looks = ["--imgsize=2400,1700", "--projection=p", f"--camera={_VIEWS[view]}", "--viewall", "--autocenter"]
    _openscad(folder, view, raw, "--colorscheme=Tomorrow", *looks, before=("xvfb-run", "-a"))
    _shrink(raw, out, _CASE_WIDTH)


def _piece(folder: Path, piece: str, _scratch: Path, out: Path) -> None:
    _openscad(folder, piece, out, "--export-format", "binstl" if out.suffix == ".stl" else "dxf")


def _openscad(folder: Path, part: str, out: Path, *options: str, before: tuple[str, ...] = ()) -> None:
    command = [
        *before,
        "openscad",
        "-o",
        str(out),
        "-D",
        f'part="{part}"',
        *options,
        str(folder / "case.scad"),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    # "Simple: no" is CGAL's word for a piece that is not closed and cannot be printed.
    if any(bad in " ".join(done.stderr.split()) for bad in ("WARNING", "ERROR", "Simple: no")):
        raise subprocess.CalledProcessError(1, command, done.stdout, done.stderr)


def _shrink(raw: Path, out: Path, width: int) -> None:
    """Trims the ground away, halves the steps at the edges and keeps few colours: a picture of some 100 kB."""
    from PIL import Image, ImageChops

    with Image.open(raw) as opened:
        image = opened.convert("RGB")
    ground = image.getpixel((0, 0))
    box = ImageChops.difference(image, Image.new("RGB", image.size, ground)).getbbox()
    if box:
        image = image.crop(box)
    if image.width > width:
        image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
    framed = Image.new("RGB", (image.width + 40, image.height + 40), ground)
    framed.paste(image, (20, 20))
    # Widest colours first, so that thin wires keep theirs; then each moved to the middle of what it stands for.
    few = framed.quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=8, dither=Image.Dither.NONE)
    few.save(out, optimize=True)


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
