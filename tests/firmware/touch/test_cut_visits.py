"""Power fails in any flash operation of a touch visit: what was thanked for is there, once, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from kiosk import record
from kiosk.journal import Journal
from nor import Nor, PowerCut, models
from touch_stage import Blind, Stage
from touch_views import KTI
from whole import read

from tests import effort
from tests.evidence import note

ASSETS = str(Path(__file__).resolve().parents[3] / "firmware" / "assets")
SEEDS = effort.seeds(effort.pick(test=1, full=8, torture=40))
STRIDE = effort.pick(test=17, full=1, torture=1)


class Watched(Stage):
    """Remembers each answer that the visitor saw to be taken: the page that follows, or thanks, was drawn."""

    def __init__(self, flash: Nor) -> None:
        self.thanked: list[tuple[int, int, int, bytes]] = []
        self.trying: Any = None
        super().__init__(ASSETS, flash=flash, painter=Blind)

    def start(self) -> None:
        super().start()
        answer = self.recorder.answer

        def watched(
            number: int, position: int, language: int, value: int, flags: int, body: bytes, visit: Any
        ) -> None:
            self.trying = (position, value, flags, body)
            answer(number, position, language, value, flags, body, visit)
            self.thanked.append(self.trying)
            self.trying = None

        self.recorder.answer = watched


def visit(stage: Stage) -> None:
    """NPS, two statements with a way back, PEI, a skipped question, a text; then one who walks away."""
    stage.press("answer", 3)
    stage.press("answer", 1)
    stage.press("back")
    stage.press("answer", 4)
    stage.press("answer", -1)
    stage.press("answer", 0)
    assert stage.scene["question"] == KTI
    stage.press("skip")
    for letter in "HYVÄ":
        if not stage.scene["caps"]:
            stage.press("caps")
        stage.press("key", letter)
    stage.press("next")
    assert stage.scene["page"] == "thanks"
    stage.wait(20_000)
    stage.press("answer", 9)
    stage.wait(40_000)
    assert stage.scene["page"] == "rest"


def recorded(flash: Nor) -> list[tuple[int, int, int, bytes]]:
    journal = Journal(flash, lambda count: b"\1" * count)
    fields = [record.decode(one, 0, journal.epoch) for one in read(journal, 1 << 16)[3]]
    return [(one[7], one[9], one[1] & 3, one[11]) for one in fields if one[0] == record.KIND_ANSWER]


@pytest.mark.scales
@pytest.mark.slow
def test_power_cut_in_any_flash_operation_of_a_visit_costs_no_thanked_answer() -> None:
    log: list[Any] = []
    whole = Watched(Nor(4, log=log))
    visit(whole)
    assert recorded(whole.flash) == whole.thanked
    assert len(whole.thanked) == 9
    cuts = 0
    for seed in SEEDS:
        tried = [
            (at, model) for at, (_, operation) in enumerate(log) for model in models(operation, seed, 4096)
        ]
        for at, model in tried[seed % STRIDE :: STRIDE]:
            stage = Watched(Nor(4, cut=(at, model)))
            with pytest.raises(PowerCut):
                visit(stage)
            stage.flash.cut = None
            found = recorded(stage.flash)
            assert found in (stage.thanked, [*stage.thanked, stage.trying]), (at, model)
            stage.start()
            assert stage.scene["page"] == "rest", "the next visitor sees nothing of the one before"
            stage.press("answer", 7)
            assert recorded(stage.flash) == [*found, (0, 7, 0, b"")]
            cuts += 1
    note(
        "power cut in each flash operation of a touch visit, torn in every way",
        cuts,
        "cuts",
        "tests/firmware/touch/test_cut_visits.py"
        "::test_power_cut_in_any_flash_operation_of_a_visit_costs_no_thanked_answer",
    )
