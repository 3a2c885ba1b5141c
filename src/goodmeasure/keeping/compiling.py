"""Loops that Numba compiles where it is installed, the extra ``fast``; where it is not, plain code gives the same answers.

Nothing is brought in before a loop is called on so many numbers that compiled code pays: loading Numba alone takes as long as
plain code takes for some ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from importlib.util import find_spec
from types import FunctionType
from typing import Any

import numpy as np

from goodmeasure.strict.extras import needed

# The plain form is called where no argument holds as many numbers; and where the answers are whole numbers, which no form
# rounds, until calls of it had so many times as many together.
_FEWEST, _TOGETHER = 1 << 14, 32


@cache
def installed() -> bool:
    """Whether Numba is installed, without loading it."""
    return find_spec("numba") is not None


@cache
def compiles() -> bool:
    """Whether Numba is here. One that is installed and does not start is told of: nobody chose to do without. Error: GM008."""
    return installed() and bool(needed("numba", "what is compiled"))


@cache
def address_of_gemm() -> int:
    """Where SciPy's BLAS multiplies tables of doubles, for `call_at`: Numba takes seconds to compile a product of its own."""
    from numba.extending import get_cython_function_address

    return int(get_cython_function_address("scipy.linalg.cython_blas", "dgemm"))


class LazyLoop:
    """A loop that is compiled on its first call with enough numbers; fewer are for its plain form, if it has one."""

    def __init__(
        self,
        function: FunctionType,
        plain: Callable[..., Any] | None,
        fewest: int,
        options: dict[str, Any],
        *,
        whole: bool = False,
    ) -> None:
        update_wrapper(self, function)
        self.function = function
        self.plain = plain
        self.fewest = fewest
        self.options = options
        self.whole = whole
        self.met = 0

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The loop as Numba has it. Error: GM008."""
        from goodmeasure.keeping.compiled import compiled

        found: Callable[..., Any] = compiled(**self.options)(_among_compiled(self.function))
        return found

    def __call__(self, *args: Any) -> Any:
        if self.plain is not None and self._are_few(_most(args)):
            return self.plain(*args)
        return self.compiled(*args) if compiles() else (self.plain or self.function)(*args)

    def _are_few(self, numbers: int) -> bool:
        """Whether so many are for the plain form."""
        if not self.whole:
            return numbers < self.fewest
        if numbers >= self.fewest:
            self.met = _TOGETHER * self.fewest
        else:
            self.met += numbers
        return self.met < _TOGETHER * self.fewest


def _most(args: tuple[Any, ...]) -> int:
    """The numbers of the largest array."""
    return max((each.size for each in args if isinstance(each, np.ndarray)), default=0)


class LazyCall:
    """What loops call kernels by, whose addresses they are given: see `goodmeasure.keeping.calling.call_at`."""

    @cached_property
    def compiled(self) -> Any:
        """The call as Numba has it."""
        from goodmeasure.keeping.calling import call_at

        return call_at

    def __call__(self, address: Any, arguments: Any) -> None:
        """Only a compiled loop can call what stands at an address."""
        raise NotImplementedError


call_at = LazyCall()


def _among_compiled(function: FunctionType) -> FunctionType:
    """The function with the compiled forms of the loops that it calls as its globals, where Numba looks for them."""
    known = function.__globals__
    loops = {
        name: known[name] for name in function.__code__.co_names if isinstance(known.get(name), LazyLoop | LazyCall)
    }
    compiled = {name: each.compiled for name, each in loops.items()}
    return FunctionType(
        function.__code__, {**known, **compiled}, function.__name__, function.__defaults__, function.__closure__
    )


def loop(
    *, plain: Callable[..., Any] | None = None, fewest: int = _FEWEST, whole: bool = False, **options: Any
) -> Callable[[Callable[..., Any]], LazyLoop]:
    """Compile a loop, with the options that Numba takes. ``plain`` gives the same on fewer numbers, and without Numba.

    Where the answers are ``whole`` numbers, few numbers at a time are for the compiled loop too, once it had many.
    """

    def decorate(function: Any) -> LazyLoop:
        return LazyLoop(function, plain, fewest, options, whole=whole)

    return decorate
