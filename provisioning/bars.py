"""How far each board is: a bar for each on a terminal, a line for each step elsewhere. Knows no step and no board."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# Hears a step's name, and the share of all that is done (0 to 1; None: as it was).
Tell = Callable[[str, float | None], None]


class Bars:
    """On standard error. quiet: nothing is said; passing: the bars go when they are over."""

    def __init__(self, quiet: bool, passing: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._progress = (
            Progress(
                TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[step]}"), TimeElapsedColumn(), console=self._console,
                transient=passing,
            )
            if self._console.is_terminal and not quiet
            else None
        )  # fmt: skip

    def __enter__(self) -> "Bars":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def teller(self, title: str) -> Tell:
        """The bar of one board."""
        if self._progress:
            progress = self._progress
            task = progress.add_task(title, total=1.0, step="")
            return lambda step, share: progress.update(task, completed=share, step=step)
        last = [""]

        def tell(step: str, share: float | None) -> None:
            if step != last[0]:
                last[0] = step
                self._console.print(f"{title}: {step}", markup=False, highlight=False, soft_wrap=True)

        return tell
