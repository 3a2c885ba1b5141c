"""What pytest gets from this package: ``audited``, with which a test fails where the training in it has findings."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from goodmeasure.auditing.finding import Audit


@pytest.fixture
def audited() -> Audited:
    """Audit what runs in this test: it fails at a warning or worse, and where nothing was there to look at."""
    return Audited()


class Audited:
    """How a test is audited, and what was found in it.

    Attributes:
        audit: the report, once the test has run.

    Example:
        >>> from goodmeasure.auditing.pytest_plugin import Audited
        >>> audited = Audited()
        >>> audited.ignoring("GM308").codes
        ('GM308',)
    """

    def __init__(self) -> None:
        self.codes: tuple[str, ...] = ()
        self.audit: Audit | None = None

    def ignoring(self, *codes: str) -> Audited:
        """Leave out findings of these codes.

        Args:
            codes: codes such as "GM308".

        Returns:
            This object.
        """
        self.codes += codes
        return self

    def run(self) -> Generator[None, Any, Any]:
        """Observe what runs between two steps, and fail where it has findings."""
        from goodmeasure.auditing.observing.within import Within

        watching = Within(lambda finding: None)
        with watching:
            result = yield
        self.audit = watching.audit.without(self.codes) if watching.audit is not None else None
        if self.audit is None or not self.audit.looked_at or not self.audit.ok:
            pytest.fail(f"{self.audit}", pytrace=False)
        return result


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Run a test that asks for ``audited`` under observation."""
    asked = pyfuncitem.funcargs.get("audited")
    if not isinstance(asked, Audited):
        return (yield)
    return (yield from asked.run())
