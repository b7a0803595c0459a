"""A crashed task is recorded and started again; the watchdog is fed while every task meets its deadline."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import virtual_time
from kiosk import supervisor as module
from kiosk.supervisor import Supervisor

Beat = Callable[[], None]
PERIOD = 1 << 30


class World:
    """Time that jumps: asyncio's sleeps end at once and turn the clock of the supervisor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms = PERIOD - 10_000  # the ticks wrap under way
        self.fed: list[int] = []
        self.crashes: list[tuple[str, str]] = []
        self.log: list[str] = []
        self.resets: list[int] = []
        self.supervisor = Supervisor(lambda timeout_ms: self, self.crashed, self.log.append, self.reset)
        monkeypatch.setattr(module, "ticks_ms", lambda: self.ms % PERIOD)

    def feed(self) -> None:
        self.fed.append(self.ms)

    def crashed(self, task: str, trace: str) -> None:
        self.crashes.append((task, trace))

    def reset(self) -> None:
        self.resets.append(self.ms)

    def run(self, seconds: int) -> None:
        """Run the supervisor for so long."""

        async def main() -> None:
            loop = asyncio.get_running_loop()
            real = loop.time
            start, begun = self.ms, real()
            # The loop's own clock drives sleeps: let it run as fast as there is nothing to do.
            offset = 0.0

            def fast() -> float:
                return real() + offset

            loop.time = fast  # type: ignore[method-assign]
            running = asyncio.ensure_future(self.supervisor.run())
            while self.ms - start < seconds * 1000 and not running.done():
                for _ in range(10):
                    await asyncio.sleep(0)
                offset += 0.25
                self.ms = start + int((fast() - begun) * 1000)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(main())


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def beating(every_s: float = 1) -> Callable[[Beat], Coroutine[Any, Any, None]]:
    async def task(beat: Beat) -> None:
        while True:
            beat()
            await asyncio.sleep(every_s)

    return task


def test_the_watchdog_is_fed_while_all_tasks_beat(world: World) -> None:
    world.supervisor.task("press", beating(), 10_000, vital=True)
    world.supervisor.task("link", beating(5), 10_000)
    world.run(60)
    assert len(world.fed) >= 55
    assert world.log == []


def test_one_task_that_hangs_starves_the_watchdog(world: World) -> None:
    async def hangs(beat: Beat) -> None:
        beat()
        await asyncio.sleep(10_000)

    begun = world.ms
    world.supervisor.task("press", beating(), 10_000, vital=True)
    world.supervisor.task("link", hangs, 10_000)
    world.run(90)
    assert world.fed
    assert world.fed[-1] - begun < 12_000
    assert "deadline missed: link" in world.log


def test_a_task_without_deadline_may_wait_for_ever(world: World) -> None:
    async def waits(beat: Beat) -> None:
        await asyncio.sleep(10_000)

    world.supervisor.task("board", waits, 0, vital=True)
    world.run(60)
    assert len(world.fed) >= 55


def test_a_crash_is_recorded_with_its_trace_and_the_task_starts_again(world: World) -> None:
    starts = []

    async def stumbles(beat: Beat) -> None:
        starts.append(world.ms)
        if len(starts) == 1:
            raise ValueError("a value of 7 was not expected")
        await beating()(beat)

    world.supervisor.task("idle", stumbles, 10_000)
    world.run(20)
    assert len(starts) == 2
    ((task, trace),) = world.crashes
    assert task == "idle"
    assert "a value of 7 was not expected" in trace
    assert not world.supervisor.safe_mode


def test_a_crash_for_want_of_memory_needs_none_to_be_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(error: Exception, text: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(module.sys, "print_exception", no_room, raising=False)
    assert module.trace_of(MemoryError("4096 bytes")) == "MemoryError('4096 bytes')"


def test_a_task_that_ends_is_started_again(world: World) -> None:
    async def ends(beat: Beat) -> None:
        return

    world.supervisor.task("press", ends, 10_000, vital=True)
    world.run(10)
    assert [task for task, _ in world.crashes][:2] == ["press", "press"]


def test_three_crashes_in_a_row_leave_the_press_path_alone_and_a_restart_after_an_hour(world: World) -> None:
    alive: dict[str, int] = {}

    async def lives(beat: Beat) -> None:
        while True:
            beat()
            alive["link"] = world.ms
            await asyncio.sleep(1)

    async def presses(beat: Beat) -> None:
        while True:
            beat()
            alive["press"] = world.ms
            await asyncio.sleep(1)

    async def crashes(beat: Beat) -> None:
        raise OSError(5)

    world.supervisor.task("press", presses, 10_000, vital=True)
    world.supervisor.task("idle", crashes, 10_000)
    world.supervisor.task("link", lives, 10_000)
    begun = world.ms
    world.run(3700)
    assert world.supervisor.safe_mode
    assert len(world.crashes) == 3
    assert alive["link"] - begun < 10_000
    assert world.ms - alive["press"] < 5_000
    assert world.fed[-1] > world.ms - 5_000, "safe mode is not a reason for the watchdog to bite"
    assert world.resets
    assert 3_600_000 < world.resets[0] - begun < 3_620_000


def test_the_press_path_is_started_again_however_often_it_crashes(world: World) -> None:
    starts = []

    async def crashes(beat: Beat) -> None:
        starts.append(world.ms)
        raise OSError(5)

    world.supervisor.task("press", crashes, 10_000, vital=True)
    world.run(600)
    assert not world.supervisor.safe_mode
    assert len(starts) > 10
    gaps = [later - earlier for earlier, later in zip(starts, starts[1:], strict=False)]
    assert max(gaps) < 62_000


def test_crashes_far_apart_are_no_row(world: World) -> None:
    async def crashes_every_ten_minutes(beat: Beat) -> None:
        for _ in range(600):
            beat()
            await asyncio.sleep(1)
        raise OSError(5)

    world.supervisor.task("link", crashes_every_ten_minutes, 10_000)
    world.run(3000)
    assert len(world.crashes) >= 4
    assert not world.supervisor.safe_mode


def test_a_crash_after_more_than_a_week_of_health_is_a_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half way round, the ticks' difference is negative: a healthy week looked like no time at all."""
    monkeypatch.setattr(module, "ticks_ms", virtual_time.ticks_ms)
    virtual_time.start(PERIOD - 10_000)
    starts: list[int] = []

    async def works_for_eight_days(beat: Beat) -> None:
        starts.append(virtual_time.ms())
        if len(starts) > 2:
            await asyncio.sleep(8 * 86_400)
        raise ValueError

    async def story() -> None:
        supervisor = Supervisor(lambda _: Fed(), lambda *_: None, lambda _: None, lambda: None)
        supervisor.task("link", works_for_eight_days, 0)
        running = asyncio.ensure_future(supervisor.run())
        await asyncio.sleep(100)
        virtual_time.clock.step_ms = 200_000
        await asyncio.sleep(9 * 86_400)
        assert len(starts) == 4
        assert not supervisor.safe_mode
        assert not running.done()

    virtual_time.run(story())


class Fed:
    def feed(self) -> None: ...


def test_a_task_that_cannot_be_started_again_ends_the_program_instead_of_starving_unseen(
    world: World,
) -> None:
    """A fault while a crash was recorded left a dead task behind, and the watchdog was fed for ever."""

    async def crashes(beat: Beat) -> None:
        raise OSError(5)

    def broken(task: str, trace: str) -> None:
        raise KeyError(task)

    supervisor = Supervisor(lambda _: world, broken, world.log.append, world.reset)
    supervisor.task("press", crashes, 10_000, vital=True)
    with pytest.raises(RuntimeError, match="task press cannot be started again"):
        asyncio.run(asyncio.wait_for(supervisor.run(), 5))


def test_a_crash_that_finds_no_memory_for_its_trace_is_started_again_all_the_same(world: World) -> None:
    starts = []

    async def stumbles(beat: Beat) -> None:
        starts.append(world.ms)
        if len(starts) == 1:
            raise MemoryError
        await beating()(beat)

    def no_room(line: str) -> None:
        raise MemoryError

    world.supervisor = Supervisor(lambda _: world, world.crashed, no_room, world.reset)
    world.supervisor.task("press", stumbles, 10_000, vital=True)
    world.run(20)
    assert len(starts) == 2
    assert world.fed[-1] > world.ms - 3_000
