"""Random lives of a journal, power cuts included: hypothesis looks for one that breaks a promise."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nor import PATTERNS, PowerCut, pattern
from world import World

SECTORS = 4
SECTOR_BYTES = 260  # eight presses

small = st.integers(0, 300)
steps = st.one_of(
    st.tuples(st.just("press"), st.integers(1, 12)),
    st.tuples(st.just("text"), st.integers(1, 150)),
    st.tuples(st.just("clock"), st.just(0)),
    st.tuples(st.just("send"), small),
    st.tuples(st.just("send in part"), small),
    st.tuples(st.just("forget"), small),
    st.tuples(st.just("tidy"), st.integers(1, 3)),
    st.tuples(st.just("mount"), st.just(0)),
    st.tuples(st.just("new epoch"), st.just(0)),
)
cuts = st.tuples(
    st.integers(0, 12),
    st.one_of(
        st.tuples(st.sampled_from(("prefix", "half")), st.integers(0, 40)),
        st.tuples(st.sampled_from(("bits", "bytes", "unstable")), st.integers(0, 10_000)),
    ),
)
lives = st.lists(st.tuples(st.one_of(st.none(), cuts), st.lists(steps, min_size=1, max_size=12)), max_size=6)


def do(world: World, name: str, number: int) -> None:
    if name == "press":
        for _ in range(number):
            world.press()
    elif name == "text":
        world.text(number)
    elif name == "clock":
        world.clock()
    elif name == "send":
        world.send(number)
    elif name == "send in part":
        world.send(number, portion=number)
    elif name == "forget":
        epoch = world.journal.epochs()[number % len(world.journal.epochs())][0]
        world.forget(epoch, number % (1 + world.promises.booked.get(epoch, 0)))
    elif name == "tidy":
        for _ in range(number):
            world.journal.tidy()
    elif name == "mount":
        world.mount()
    elif name == "new epoch":
        world.journal.new_epoch("fork")
    world.state()


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(content=st.sampled_from(PATTERNS), seed=st.integers(0, 1000), life=lives)
def test_no_life_breaks_a_promise(content: str, seed: int, life: list) -> None:
    sectors, promises = pattern(content, SECTORS, SECTOR_BYTES, seed), None
    for turn, (cut, todo) in enumerate(life):
        world = World(sectors, seed + turn, promises, cut=cut)
        world.state()
        try:
            for name, number in todo:
                do(world, name, number)
        except PowerCut:
            pass
        sectors, promises = world.flash.sectors, world.promises
    world = World(sectors, seed + 99, promises)
    world.state()
    world.drain()
    world.tidy()
    world.state()
    assert world.press(), "no room although everything is booked"


def test_a_booked_record_whose_sector_was_being_erased_may_be_gone_when_the_server_forgets() -> None:
    """A life that hypothesis found: the erase is cut after its first byte, then the server is restored."""
    life = [
        (None, [("press", 1), ("press", 6)]),
        ((7, ("prefix", 1)), [("clock", 0), ("new epoch", 0), ("send", 236), ("tidy", 1)]),
        (None, [("forget", 0)]),
    ]
    test_no_life_breaks_a_promise.hypothesis.inner_test("zeros", 0, life)


def test_marks_that_a_cut_left_half_set_do_not_hide_what_the_server_forgot() -> None:
    """Another life that hypothesis found: of two sectors booked at once only the later one got its mark."""
    life = [
        ((9, ("prefix", 29)), [("clock", 0), ("clock", 0), ("text", 121), ("text", 49)]),
        (None, [("clock", 0), ("press", 1)]),
        ((0, ("prefix", 1)), [("send in part", 261)]),
        (None, [("press", 5), ("forget", 0), ("press", 1)]),
    ]
    test_no_life_breaks_a_promise.hypothesis.inner_test("zeros", 0, life)
