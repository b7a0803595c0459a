"""The touch kiosk as a whole, over TLS: the least heap of its main job, and from the touch to the durable answer."""

import gc
import statistics
import time
from typing import Any

from provisioning.models import MODELS
from tests.bench.touch_rig import LARGEST_SET, READY_SET, TouchWorld, largest_set, touch_world
from tests.e2e.touch_visitor import Visitor
from tests.firmware.front.kiosk_rig import view_bytes

LIMIT_K = int(MODELS["touch"].heap.removesuffix("K"))
LOW_K, STEP_K = 256, 8
PASSES = 2  # how often the size that bisection finds has to carry the whole way
PATIENCE_S = 60  # for what takes some seconds with room enough: with too little a kiosk crawls
FEEDBACK_MS = 100
ANSWERS = 100


def measure() -> list[dict[str, Any]]:
    """Least heap (KiB) from power on through a set that comes, a visit of all pages and its receipt to the largest
    set; touch to durable (p50, p99, ms)."""
    with touch_world() as world:
        least = _least(world)
        times = _touch_times(world)
    figures = [_figure("least heap: touch kiosk, TLS, a whole visit, the largest set", least, "KiB", LIMIT_K)]
    for name, value in zip(("p50", "p99"), times, strict=True):
        figures.append(_figure(f"touch to durable in flash and told, {name}", value, "ms", FEEDBACK_MS))
    return figures


def _figure(name: str, value: float, unit: str, limit: float) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "limit": limit}


def _least(world: TouchWorld) -> int:
    """By bisection; LIMIT_K itself has to do."""
    bad, good = LOW_K - STEP_K, LIMIT_K
    if not _carries(world, good):
        raise AssertionError(
            f"a touch kiosk does not get through a visit with {good}K: {world.kiosk.lines[-5:]}"
        )
    while good - bad > STEP_K:
        middle = (good + bad) // 2 // STEP_K * STEP_K
        if _carries(world, middle):
            good = middle
        else:
            bad = middle
    while not all(_carries(world, good) for _ in range(PASSES)):
        good += STEP_K
    return good


def _carries(world: TouchWorld, heap_k: int) -> bool:
    """Whether a kiosk that has no set yet comes to a visit's end with so much heap, and takes the largest set then."""
    kiosk, server = world.kiosk, world.server
    for kept in (server.records, server.booked, server.seen, server.reports, server.states):
        kept.clear()
    server.views, server.version = {READY_SET: view_bytes(world.ready_set)}, 1
    kiosk.lines.clear()
    kiosk.journal.clear()
    kiosk.flash.write_bytes(world.image())
    kiosk.on(f"{heap_k}K")
    try:
        if not _in_time(world, lambda: kiosk.shown.get("page") == "rest"):
            return False
        world.visit(world.ready_set)
        if not _in_time(world, lambda: kiosk.journal.get("waiting") == 0):
            return False
        server.publish_set(largest_set(world.ready_set))
        return _in_time(world, lambda: bool(server.reports) and server.reports[-1]["running"] == LARGEST_SET)
    except AssertionError:
        return False  # the visitor waited in vain
    finally:
        kiosk.cut()


def _in_time(world: TouchWorld, true: Any) -> bool:
    """Whether it comes true before the kiosk says that it is short of memory."""
    kiosk, until = world.kiosk, time.monotonic() + PATIENCE_S
    while time.monotonic() < until and not kiosk.short and kiosk.process and kiosk.process.poll() is None:
        if true():
            return True
        time.sleep(0.02)
    return False


def _touch_times(world: TouchWorld) -> tuple[float, float]:
    """From the command that puts a finger on an answer until the kiosk tells that its journal holds it."""
    kiosk = world.kiosk
    world.server.views, world.server.version = {READY_SET: view_bytes(world.ready_set)}, 1
    world.server.settings.update(repeat_ms=0)
    kiosk.flash.write_bytes(world.image())
    kiosk.on(MODELS["touch"].heap)
    visitor = Visitor(kiosk, world.ready_set)  # type: ignore[arg-type] # it has what a Visitor needs
    visitor.arrive()
    times = []
    for number in range(ANSWERS):
        visitor.until(lambda show: any(row[0] == "answer" for row in show["targets"]), "answers")
        asked = kiosk.shown["question"]
        rows = [row for row in kiosk.shown["targets"] if row[0] == "answer"]
        x, y, wide, high = rows[number % len(rows)][-4:]
        before = kiosk.thanks
        gc.disable()
        began = time.monotonic()
        kiosk.touch(x + wide // 2, y + high // 2, ms=80)
        while kiosk.thanks == before:
            assert time.monotonic() < began + PATIENCE_S, kiosk.lines[-5:]
            time.sleep(0.0002)
        times.append((kiosk.sounds[-1][0] - began) * 1000)
        gc.enable()
        visitor.until(lambda show, asked=asked: show["question"] != asked, "the next question")
        if not visitor._there("back"):
            visitor.touch("stay")  # the machine is slow, and the visit was about to end
        visitor.touch("back")
        visitor.until(lambda show, asked=asked: show["question"] == asked, "the question before")
    kiosk.cut()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]
