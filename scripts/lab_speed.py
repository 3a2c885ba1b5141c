"""How fast the playground of the lab is in a browser, with more points than it has: what docs/lab.md says of it.

    python scripts/lab_speed.py [POINTS]

Times are of the thread of the page alone, so that a busy machine does not change them. A sixtieth of a second is 16.7 ms.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any
from unittest.mock import patch

from playwright.sync_api import sync_playwright

from goodmeasure.lab.document import document
from goodmeasure.lab.pages import playground

_MODELS = ("one neuron", f"a net of {playground.HIDDEN}")
_TOLD = """([name, values]) => {
  const control = document.querySelector(`[data-page=playground] [data-control="${name}"]`);
  for (const value of values) {
    control.value = value;
    control.dispatchEvent(new Event(control.type === "range" ? "input" : "change"));
    document.body.getBoundingClientRect();  // what was changed is laid out
  }
}"""


def measured(points: int) -> list[str]:
    """A line for each model."""
    playground.samples.cache_clear()
    with patch.object(playground, "POINTS", points), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.html"
        path.write_text(document([playground.playground]), encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"{path.as_uri()}#page-13&dragged=-")
            return list(_lines(page))


def _lines(page: Any) -> Iterator[str]:
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})

    def milliseconds(name: str, values: list[str]) -> float:
        before = _spent(clock)
        page.evaluate(_TOLD, [name, values])
        return (_spent(clock) - before) / len(values)

    new = [name for name in playground.choices() if name not in playground.RACERS]
    for k, model in enumerate(_MODELS):
        page.evaluate(_TOLD, ["model", [str(k)]])
        show = milliseconds("steps", [str(step) for step in range(playground.STEPS + 1)])
        train = 3 * milliseconds("loss-0", new) / playground.STEPS
        yield f"{model}: a step of three races takes {train:.2f} ms, and to show it {show:.2f} ms"


def _spent(clock: Any) -> float:
    """Milliseconds that the page has worked."""
    found = {each["name"]: each["value"] for each in clock.send("Performance.getMetrics")["metrics"]}
    return 1000 * float(found["TaskDuration"])


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in measured(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
