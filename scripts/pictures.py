"""Take the picture of the demo's report that stands in the README: python scripts/pictures.py (needs Chromium and Playwright)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "report.png"
WIDTH = 1280


def take(page_file: Path, to: Path) -> None:
    """The first screen of a report, as wide as a screen and as high as its header."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(page_file.as_uri())
        height = page.locator("header").bounding_box()["height"]
        page.screenshot(path=to, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        opened.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "goodmeasure-demo"
        demo = "from goodmeasure.cli import main; main()"
        subprocess.run(
            [sys.executable, "-c", demo, "demo", "--out", out.name], cwd=place, check=True, stdout=subprocess.PIPE
        )
        take(out / "report.html", IMAGE)


if __name__ == "__main__":
    main()
