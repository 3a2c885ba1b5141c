"""Is every block of a table counted once, and the earliest error told, whoever reads what?"""

import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodmeasure.engines.taking_turns import shared
from goodmeasure.reading.blocks import Stretch

LENGTHS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=6)


class Refused(Exception):
    """Of a block; its text says which."""


def table(lengths, reading=None, *, refused=(), unopened=None):
    """Stretches of blocks that say where they stand; what is read is noted as it begins and ends."""
    for order, (blocks, beside) in enumerate(lengths):
        if order == unopened:
            raise Refused(f"{order}, 0")

        def of(order=order, blocks=blocks):
            for at in range(blocks):
                if reading is not None:
                    reading.append((order, "begins"))
                    time.sleep(1e-4)
                    reading.append((order, "ends"))
                if (order, at) in refused:
                    raise Refused(f"{order}, {at}")
                yield {"at": (order, at)}

        yield None, Stretch(of(), beside)


def keep(take):
    taken = []
    take(lambda _, block: taken.append(block["at"]))
    return taken


@given(LENGTHS, st.integers(1, 4))
def test_every_block_is_taken_once(lengths, threads):
    found = Counter(at for taken in shared(table(lengths), keep, threads) for at in taken)
    assert found == Counter((order, at) for order, (blocks, _) in enumerate(lengths) for at in range(blocks))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_what_the_database_reads_is_read_in_order(lengths):
    reading = []
    shared(table([(blocks, False) for blocks in lengths], reading), keep, 3)
    orders = [order for order, _ in reading]
    assert orders == sorted(orders)
    assert [what for _, what in reading] == ["begins", "ends"] * sum(lengths)


def test_stretches_are_read_beside_each_other():
    """Two threads that wait for each other both get a stretch of their own."""
    met = threading.Barrier(2, timeout=20)

    def meeting():
        met.wait()
        yield {"at": 0}

    def stretches():
        yield None, Stretch((block for block in [{"at": "first"}]), True)
        yield None, Stretch(meeting(), True)
        yield None, Stretch(meeting(), True)

    assert sum(map(len, shared(stretches(), keep, 2))) == 3


@given(LENGTHS.filter(lambda lengths: any(blocks for blocks, _ in lengths)), st.integers(1, 3), st.data())
def test_of_several_errors_the_earliest_is_raised(lengths, threads, data):
    every = [(order, at) for order, (blocks, _) in enumerate(lengths) for at in range(blocks)]
    refused = data.draw(st.sets(st.sampled_from(every), min_size=1))
    unopened = data.draw(st.none() | st.integers(0, len(lengths) - 1))
    order, at = min([*refused, *([] if unopened is None else [(unopened, 0)])])
    with pytest.raises(Refused, match=f"^{order}, {at}$"):
        shared(table(lengths, refused=refused, unopened=unopened), keep, threads)


@given(LENGTHS.filter(lambda lengths: any(blocks for blocks, _ in lengths)), st.data())
def test_a_block_that_cannot_be_counted_is_an_error_too(lengths, data):
    every = [(order, at) for order, (blocks, _) in enumerate(lengths) for at in range(blocks)]
    refused = data.draw(st.sets(st.sampled_from(every), min_size=1))

    def work(take):
        def count(_, block):
            if block["at"] in refused:
                raise Refused("{}, {}".format(*block["at"]))

        take(count)

    with pytest.raises(Refused, match="^{}, {}$".format(*min(refused))):
        shared(table(lengths), work, 2)


def test_of_two_blocks_of_a_stretch_the_earlier_is_told_whichever_ends_first():
    """And what was read is closed, whoever holds the error."""
    closed, later = [], threading.Event()

    def blocks():
        try:
            for at in range(9):
                yield {"at": at}
        finally:
            closed.append(True)

    def work(take):
        def count(_, block):
            if block["at"] == 1:
                assert later.wait(20), "another thread takes the next"
                raise Refused("1")
            if block["at"] == 2:
                later.set()
                raise Refused("2")

        take(count)

    with pytest.raises(Refused, match=r"^1$") as caught:
        shared(iter([(None, Stretch(blocks(), False))]), work, 2)
    assert caught.value.__traceback__ is not None
    assert closed


def test_an_interrupt_ends_what_is_read():
    """One that reaches a thread as it begins; the other would count for ever."""
    began = threading.Event()

    def endless():
        while True:
            began.set()
            yield {"at": 0}

    def work(take):
        if began.is_set() and threading.current_thread().name.endswith("_0"):
            raise KeyboardInterrupt
        take(lambda *_: time.sleep(1e-4))

    with pytest.raises(KeyboardInterrupt):
        shared(iter([(None, Stretch(endless(), True))]), work, 2)
