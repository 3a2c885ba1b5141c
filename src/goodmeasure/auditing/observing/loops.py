"""Loops in which a program trains, and which no loader ends: after enough steps they end as if their numbers had run out."""

from __future__ import annotations

import ast
import builtins
import dis
import linecache
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any
from weakref import WeakSet

from goodmeasure.auditing.evidence.lines import is_own, user_frames
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut

_TURNS = 2  # turns in which an outer loop trains until it ends: its second may hold the evaluation of its first


@dataclass(eq=False)
class Loop:
    """One loop while it runs, and in how many of its turns the program trained once enough steps were seen."""

    number: int
    where: str
    turns: int = 0
    fresh: bool = True  # no step was made in this turn yet
    ending: bool = False  # this turn is its last

    def step(self, innermost: bool) -> None:
        """A training step was made inside."""
        self.turns += self.fresh
        self.fresh = False
        self.ending = self.ending or innermost or self.turns >= _TURNS


class CountedLoop(Loop):
    """What a range, a zip or an enumeration gives, handed out to one loop."""

    def __init__(self, owner: Loops, source: Iterable[Any], frame: FrameType) -> None:
        super().__init__(owner.begun(), f"{frame.f_code.co_filename}:{frame.f_lineno}")
        self.frame, self.line = id(frame), frame.f_lineno  # a frame that is kept would keep all that it knows
        self._owner, self._source = owner, iter(source)
        owner.running.add(self)

    def __iter__(self) -> CountedLoop:
        return self

    def __next__(self) -> Any:
        given = next(self._source)
        if self.ending:
            self._owner.cut.short(self.where)
            raise StopIteration
        self.fresh = True
        return given


@dataclass(eq=False)
class Loops:
    """The loops around the training steps of a program."""

    cut: Cut
    running: WeakSet[CountedLoop] = field(default_factory=WeakSet)
    _begun: int = 0
    _frames: dict[FrameType, LineWatch] = field(default_factory=dict)

    def begun(self) -> int:
        """Count another loop that begins."""
        self._begun += 1
        return self._begun

    def install(self, seams: Seams, namespace: dict[str, Any]) -> None:
        """Let the loops of a module over ranges, and over what is counted or paired there, be ended from here."""
        if any(str(getattr(one, "__module__", "")).startswith("numba") for one in namespace.values()):
            return  # functions that are compiled with what they find under these names
        for name in _COUNTED.keys() - namespace.keys():  # or the program has one of its own
            namespace[name] = _counting(self, _COUNTED[name])
            seams.later(partial(namespace.pop, name, None))

    def install_modules(self, seams: Seams) -> None:
        """The same for every module of the program that was imported by now."""
        for name, module in list(sys.modules.items()):
            if isinstance(module, ModuleType) and _of_the_program(name, getattr(module, "__file__", None) or ""):
                self.install(seams, vars(module))

    def counted(self, source: Iterable[Any], frame: FrameType) -> Iterable[Any]:
        """This as the program asked for it in this frame: what a loop runs over can be ended from here."""
        if not _begins_a_loop(frame.f_code, frame.f_lasti):
            return source
        return CountedLoop(self, source, frame)

    def stepped(self) -> None:
        """A training step too many: the innermost loop ends after this turn, those around it after their second."""
        for number, one in enumerate(self._around()):
            one.step(innermost=number == 0)
        if self._frames:
            sys.settrace(_no_calls)

    def _around(self) -> Iterator[Loop]:
        """The loops around this step, the innermost first: those that wait in a generator, then those of each function."""
        debugged = sys.gettrace() not in (None, _no_calls)
        frames = list(user_frames())
        here = {id(frame) for frame in frames}
        yield from sorted((one for one in self.running if one.frame not in here), key=lambda one: -one.number)
        for frame in frames:
            found: list[tuple[int, Loop]] = [(one.line, one) for one in self.running if one.frame == id(frame)]
            found += [] if debugged else self._watched(frame)
            yield from (one for _, one in sorted(found, key=lambda pair: -pair[0]))

    def _watched(self, frame: FrameType) -> list[tuple[int, Loop]]:
        """The ``while`` loops of one function, each with its first line."""
        path = frame.f_code.co_filename
        around = _around(path, frame.f_lineno) if _is_a_block(frame) else ()
        if around and frame not in self._frames:
            frame.f_trace = self._frames[frame] = LineWatch(self, frame.f_lineno)
        return [(place.header, self._frames[frame].loop(place, path)) for place in around]

    def left(self, frame: FrameType) -> None:
        """The loops of a frame are done."""
        self._frames.pop(frame, None)
        frame.f_trace = None
        if not self._frames:
            self.rest()

    def rest(self) -> None:
        """Watch nothing any more."""
        self._frames.clear()
        if sys.gettrace() is _no_calls:
            sys.settrace(None)


_COUNTED: dict[str, Any] = {one.__name__: one for one in (builtins.range, zip, enumerate, map, reversed)}


def _counting(loops: Loops, plain: Any) -> type:
    """What a program finds under the name of a builtin: it is called as one, and what is one is an instance of it."""

    class Kind(type):
        def __call__(cls, *given: Any, **options: Any) -> Any:
            return loops.counted(plain(*given, **options), sys._getframe(1))

        def __instancecheck__(cls, one: Any) -> bool:
            return isinstance(one, plain | CountedLoop)

    return Kind(plain.__name__, (), {})


def _of_the_program(name: str, path: str) -> bool:
    """Whether a module belongs to the program: not to a library, and not to this package."""
    if name == "__main__":
        return True
    return name.partition(".")[0] != __name__.partition(".")[0] and is_own(path) and Path(path).is_absolute()


@cache
def _begins_a_loop(code: CodeType, at: int) -> bool:
    """Whether what is called here is what a ``for`` runs over."""
    behind = (part.opname for part in dis.get_instructions(code) if part.offset > at)
    return [name for name in behind if name not in ("CACHE", "EXTENDED_ARG")][:2] == ["GET_ITER", "FOR_ITER"]


@dataclass(frozen=True)
class WhilePlace:
    """Where a ``while`` stands: its header, its body, and the statement behind it (0 where nothing comes)."""

    header: int
    first: int
    last: int
    after: int


@dataclass(eq=False)
class LineWatch:
    """What happens at every line of one frame until its ``while`` loops are left."""

    owner: Loops
    line: int  # on which the program was last seen
    loops: dict[WhilePlace, Loop] = field(default_factory=dict)

    def loop(self, place: WhilePlace, path: str) -> Loop:
        """What is known of the loop at this place."""
        return self.loops.setdefault(place, Loop(0, f"{path}:{place.header}"))

    def __call__(self, frame: FrameType, event: str, argument: Any) -> LineWatch | None:
        line = frame.f_lineno
        if event == "line":
            self.loops = {place: one for place, one in self.loops.items() if place.header <= line <= place.last}
        if event == "return" or not self.loops:
            self.owner.left(frame)
            return None
        if event == "line":
            self._at(frame, line)
            self.line = line
        return self

    def _at(self, frame: FrameType, line: int) -> None:
        """The program has come to this line: a loop whose last turn is over is left."""
        for place, one in sorted(self.loops.items(), key=lambda item: item[0].header):
            if line == place.header or (line == place.first and line <= self.line):
                one.fresh = True
                if one.ending and _left(frame, place):
                    self.owner.cut.short(one.where)
                    return


def _left(frame: FrameType, place: WhilePlace) -> bool:
    """Whether the program can be made to go on behind a ``while``."""
    try:
        frame.f_lineno = place.after  # type: ignore[misc]  # within a trace function it may be set
    except ValueError:  # nothing stands behind it, or it cannot be reached from here
        return False
    return True


def _is_a_block(frame: FrameType) -> bool:
    """Whether a frame runs statements: a module or a function, and no comprehension."""
    name = frame.f_code.co_name
    return name == "<module>" or not name.startswith("<")


def _no_calls(frame: FrameType, event: str, argument: Any) -> None:
    """Watch no function that is called: the frames of interest were called already."""


@cache
def _tree(path: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:  # a text that is no Python, a template or a cell with magics
        return None


@cache
def _around(path: str, line: int) -> tuple[WhilePlace, ...]:
    """The ``while`` loops around a line of a file, within its function, the innermost first."""
    tree = _tree(path)
    found: list[WhilePlace] = []
    for node, behind in _path(tree.body, line, 0) if tree is not None else ():
        if isinstance(node, _DEFINES):
            found.clear()
        elif isinstance(node, ast.While) and line <= (node.body[-1].end_lineno or 0):
            found.append(WhilePlace(node.lineno, node.body[0].lineno, node.body[-1].end_lineno or 0, behind))
    return tuple(reversed(found))


def _path(body: list[ast.stmt], line: int, behind: int) -> Iterator[tuple[ast.stmt, int]]:
    """The statements that hold a line, from the outside in, each with the line on which the program goes on behind it."""
    for number, node in enumerate(body):
        if node.lineno <= line <= (node.end_lineno or 0):
            after = body[number + 1].lineno if number + 1 < len(body) else behind
            yield node, after
            within = node.lineno if isinstance(node, ast.While) else after if isinstance(node, ast.If) else 0
            for block in _blocks(node):
                yield from _path(block, line, within)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for owner in (node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        for name in ("body", "orelse", "finalbody"):
            yield getattr(owner, name, [])


def unreached(places: Iterable[tuple[FrameType, int]]) -> Iterator[str]:
    """The lines of a program that come after these, on which it was ended: the rest of each function, and of the program."""
    for frame, line in places:
        path = frame.f_code.co_filename
        if is_own(path) and _is_a_block(frame) and (rest := _behind(path, line)):
            yield f"{path}:{rest}"


_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _behind(path: str, line: int) -> str:
    """The statements of a function, or of a module, behind the one that holds a line."""
    tree = _tree(path)
    body, rest = tree.body if tree is not None else [], list[ast.stmt]()
    while body:
        number = next((k for k, node in enumerate(body) if line <= (node.end_lineno or 0)), len(body) - 1)
        rest = [node for node in body[number + 1 :] if not isinstance(node, _DEFINES)]
        within = [node for node in ast.walk(body[number]) if isinstance(node, _DEFINES)]
        body = next((node.body for node in within if node.body[0].lineno <= line <= (node.end_lineno or 0)), [])
    if not rest:
        return ""
    first, last = rest[0].lineno, rest[-1].end_lineno
    return str(first) if first == last else f"{first}-{last}"
