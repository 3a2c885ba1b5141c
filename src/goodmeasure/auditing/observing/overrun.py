"""A program that does not come back when its time is over: it is inside a library, where Python cannot end it."""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from goodmeasure.auditing.observing.stopping import AGAIN_S, Cut, Limits

_GRACE_S = 3.0  # in which a program that was told to end comes back
_LAST_S = 30.0  # after which one is left that comes back and goes on
_STUCK_S = 6.0  # after the time, in which a library has let no other thread run


@contextmanager
def left_where_it_is(limits: Limits, cut: Cut, leave: Callable[[FrameType], None], descriptor: int) -> Iterator[None]:
    """Inside, ``leave`` is called with the frame of a program that does not end, from a thread of its own.

    Where a library lets no thread run, the process ends, and what was being run is written to the descriptor.
    """
    if limits.all:
        yield
        return
    over, main = threading.Event(), threading.get_ident()

    def watch() -> None:
        while not over.wait(0.5):
            _unless_heard_of(limits, descriptor)
            if _late(limits, cut) and not over.is_set():
                faulthandler.cancel_dump_traceback_later()  # judging takes its time
                leave(sys._current_frames()[main])
                return

    _unless_heard_of(limits, descriptor)
    threading.Thread(target=watch, name="goodmeasure", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        faulthandler.cancel_dump_traceback_later()


def _unless_heard_of(limits: Limits, descriptor: int) -> None:
    """End the process from outside Python, unless this is called again before."""
    left = limits.started + limits.budget_s - time.monotonic()
    faulthandler.dump_traceback_later(max(0.0, left) + _STUCK_S, exit=True, file=descriptor)


def _late(limits: Limits, cut: Cut) -> bool:
    """Whether a program was told to end and does not hear it, or goes on in spite of it for long."""
    end, now = limits.started + limits.budget_s, time.monotonic()
    due = cut.heard + AGAIN_S if cut.heard else end
    return now > due + _GRACE_S or now > end + _LAST_S
