"""A real browser for tests of pages: Debian's Chromium, driven by Playwright. In CI its absence is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
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
    """A page that is open, and what it said and asked for since, but for what it ``may_ask`` for."""

    page: Any
    said: list[str] = field(default_factory=list)
    may_ask: Callable[[str], bool] = "about:blank".__eq__

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda asked: None if self.may_ask(asked.url) else self.said.append(asked.url))
        self.page.on("dialog", self.dismissed)

    def dismissed(self, dialog: Any) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()

    def empty(self) -> None:
        """What the page before left behind is taken away."""
        self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        self.page.goto("about:blank")
        self.said.clear()

    def hindrances(self, *rules: str) -> list[str]:
        """What axe finds by these rules (all unless given), each with the first element that it is about."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe())
        # All about what is in order, which nobody reads, takes axe as long as the rest.
        asked = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
        found = self.page.evaluate("async (asked) => (await axe.run(asked)).violations", asked)
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


# Milliseconds: on a machine that others have busy a page has waited for half a minute.
PATIENT = 120_000


@dataclass
class Browser:
    """The browser, and a page of it for each way in which one was opened: a new one takes as long as all that it is asked."""

    running: Any
    pages: dict[str, Opened] = field(default_factory=dict)

    def page(self, width: int, how: dict[str, Any]) -> Opened:
        """The page that is opened so, empty."""
        key = repr((width, sorted(how.items())))
        if key not in self.pages:
            context = self.running.new_context(viewport={"width": width, "height": 900}, **how)
            context.set_default_timeout(PATIENT)
            self.pages[key] = Opened(context.new_page())
        self.pages[key].page.emulate_media(media="null", color_scheme=how.get("color_scheme", "light"))
        return self.pages[key]

    def forget(self, found: Opened) -> None:
        """A page in which a test failed tells nothing of the next."""
        self.pages = {key: page for key, page in self.pages.items() if page is not found}
        found.page.context.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser."""
    found = executable()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield Browser(running)
        running.close()


@contextmanager
def opened(
    running: Browser, path: Path, *, width: int = 1280, within: Path | None = None, **how: Any
) -> Iterator[Opened]:
    """A file opened as a page of this width, which may ask for itself and for what lies ``within`` a folder.

    ``how`` is handed to the browser (colours, no scripts, no policy).
    """
    found = running.page(width, how)
    found.may_ask = path.as_uri().__eq__ if within is None else lambda url: url.startswith(f"{within.as_uri()}/")
    try:
        found.page.goto(path.as_uri())
        yield found
        found.may_ask = "about:blank".__eq__
        found.empty()
    except BaseException:
        running.forget(found)
        raise
