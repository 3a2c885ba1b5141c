"""A real browser for tests of pages: Debian's Chromium, driven by Playwright. In CI its absence is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str:
    """The browser of this machine; without one the test is skipped, and fails in CI."""
    found = next(filter(None, map(shutil.which, NAMES)), "")
    if found and find_spec("playwright"):
        return found
    missing = "no Chromium" if not found else "no Playwright"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{missing}: pages must be looked at")
    pytest.skip(missing)


@cache
def axe() -> str:
    """The script that looks for what hinders people."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@dataclass
class Opened:
    """A page that is open, and what it said and asked for since."""

    page: Any
    said: list[str] = field(default_factory=list)

    def hindrances(self, *rules: str) -> list[str]:
        """What axe finds by these rules (all unless given), each with the first element that it is about."""
        self.page.evaluate(axe())
        found = self.page.evaluate("(rules) => axe.run(rules.length ? {runOnly: rules} : {})", list(rules))[
            "violations"
        ]
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


# Milliseconds: on a machine that others have busy a page has waited for half a minute.
PATIENT = 120_000


@contextmanager
def browser() -> Iterator[Any]:
    """The browser."""
    found = executable()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()


@contextmanager
def opened(running: Any, path: Path, *, width: int = 1280, within: Path | None = None, **how: Any) -> Iterator[Opened]:
    """A file opened as a page of this width, which may ask for itself and for what lies ``within`` a folder.

    ``how`` is handed to the browser (colours, no scripts, no policy).
    """
    own = path.as_uri() if within is None else f"{within.as_uri()}/"
    context = running.new_context(viewport={"width": width, "height": 900}, **how)
    context.set_default_timeout(PATIENT)
    found = Opened(context.new_page())
    found.page.on("console", lambda message: found.said.append(message.text))
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    allowed = str.startswith if within else str.__eq__
    found.page.on("request", lambda asked: None if allowed(asked.url, own) else found.said.append(asked.url))
    found.page.goto(path.as_uri())
    yield found
    context.close()
