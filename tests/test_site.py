"""Is the site whole: every page there, every link and anchor true, and nothing asked of the network?"""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import goodmeasure as gm
from browser import browser, opened
from goodmeasure import losses
from goodmeasure.auditing.rule import all_rules
from goodmeasure.lab.page import lab_pages

pytest.importorskip("zensical", reason="pip install --group docs")
ROOT = Path(__file__).parent.parent
# Elements that fetch what they name.
FETCHES = {"img", "script", "iframe", "link", "source", "video", "audio", "object", "embed"}
# What the builder links in words at the foot of each page.
CREDIT = "https://zensical.org/"


@dataclass
class Built:
    """The sources of the site, the folder that it is built into, and how long that took in seconds of this process."""

    site: object
    folder: Path
    seconds: float


@pytest.fixture(scope="module")
def built(script, tmp_path_factory):
    website, folder = script("website"), tmp_path_factory.mktemp("built") / "site"
    began = time.process_time()
    site = website.build(folder)
    return Built(site, folder, time.process_time() - began)


@dataclass
class Read(HTMLParser):
    """What a page links, fetches and can be linked by."""

    links: list = field(default_factory=list)
    fetched: list = field(default_factory=list)
    ids: list = field(default_factory=list)
    headings: int = 0
    unsaid: int = 0

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.headings += tag == "h1"
        self.unsaid += tag == "img" and "alt" not in given
        aim = given.get("href", given.get("src"))
        if aim and tag in FETCHES and given.get("rel") not in ("prev", "next", "canonical"):
            self.fetched.append(aim)
        elif aim:
            self.links.append(aim)


@pytest.fixture(scope="module")
def pages(built):
    found = {}
    for path in built.folder.rglob("*.html"):
        found[path.resolve()] = read = Read()
        read.feed(path.read_text(encoding="utf-8"))
    return found


def of_the_builder(pages, built):
    """The pages that the builder made: not those of the lab, which stand in frames as they are."""
    own = built.folder / "lab" / "pages"
    return {path: read for path, read in pages.items() if path.parent != own and path.name != "404.html"}


def test_every_page_is_there_and_stands_in_one_section(built):
    listed = [place for section in built.site.sections for place in section.pages]
    assert sorted(listed) == sorted(built.site.pages)
    missing = [place for place in listed if not (built.folder / place).with_suffix(".html").exists()]
    assert missing == []


def test_it_is_made_soon(built):
    assert built.seconds < 60


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        ("losses", list(losses.catalogue())),
        ("rules", [rule.code for rule in all_rules()]),
        ("lab", [f"{page.number:02}-{page.name}" for page in lab_pages()]),
    ],
)
def test_everything_has_its_page(built, folder, names):
    assert sorted(path.stem for path in (built.folder / folder).glob("*.html")) == sorted(names)


def test_links_and_anchors_lead_somewhere(pages, built):
    lost = []
    for path, read in pages.items():
        for aim in [*read.links, *read.fetched]:
            split = urlsplit(aim)
            if split.scheme or aim.startswith("//"):
                continue
            target = (path.parent / unquote(split.path)).resolve() if split.path else path
            is_known = not split.fragment or target not in pages or unquote(split.fragment) in pages[target].ids
            if not target.exists() or not is_known:
                lost.append(f"{path.relative_to(built.folder)}: {aim}")
    # The page of what is not there stands for any place, so its links begin at the root of a server.
    assert [each for each in lost if not each.startswith("404.html")] == []


def test_no_page_fetches_anything_from_elsewhere(pages):
    away = {aim for read in pages.values() for aim in read.fetched if urlsplit(aim).scheme not in ("", "data")}
    assert away == set()
    styles = "".join(path.read_text(encoding="utf-8") for page in list(pages)[:1] for path in _styles(page))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?https?:", styles) == []


def _styles(page):
    root = next(parent for parent in page.parents if (parent / "assets").is_dir())
    return root.rglob("*.css")


def test_links_in_words_to_elsewhere_are_few_and_secure(pages):
    away = {aim for read in pages.values() for aim in read.links if urlsplit(aim).scheme} - {CREDIT}
    assert all(urlsplit(aim).scheme == "https" for aim in away), away


def test_pages_are_of_one_form(pages, built):
    for path, read in of_the_builder(pages, built).items():
        assert len(read.ids) == len(set(read.ids)), f"{path}: an id twice"
        assert read.headings == 1, path
        assert read.unsaid == 0, f"{path}: a picture without words"


def test_every_loss_shows_its_picture_and_its_formula(built):
    for name in losses.catalogue():
        text = (built.folder / "losses" / f"{name}.html").read_text(encoding="utf-8")
        assert text.count('<svg role="img"') == 2, name
        assert "<math " in text, name
        assert "nan" not in re.findall(r'<path d="([^"]*)"', text), name


def test_the_plain_text_holds_the_whole_reference(built):
    index, whole = ((built.folder / name).read_text(encoding="utf-8") for name in ("llms.txt", "llms-full.txt"))
    for aim in re.findall(r"\]\(([^)]+)\)", index):
        assert (built.folder / aim).exists(), aim
    missing = [name for name in losses.catalogue() if f"gm.losses.{name}(" not in whole]
    missing += [rule.code for rule in all_rules() if f"# {rule.code}: " not in whole]
    missing += [name for name in dir(gm) if callable(getattr(gm, name)) and f"gm.{name}" not in whole]
    assert missing == []
    known = dict(re.findall(r"^- `gm\.([\w.]+)`: (.+)", index, flags=re.MULTILINE))
    assert set(dir(gm)) | {f"losses.{name}" for name in losses.catalogue()} <= known.keys()
    assert all(len(sentence) > 2 for sentence in known.values())
    prose = "".join(re.split(r"```.*?```|`[^`\n]*`", whole, flags=re.DOTALL))
    assert re.findall(r"</?[a-zA-Z][^<>]*>", prose) == []
    assert "(In the lab: Which way, and how hard?)" in prose


STANDING_IN = """
import json, sys
from absent import keep_out
from site_pages.stand_ins import SYSTEMS, stand_in
keep_out(SYSTEMS)
stand_in()
from site_pages import reference
print(json.dumps(reference.pages()))
"""


def test_the_reference_is_the_same_where_the_systems_that_it_speaks_of_are_not_installed(built):
    paths = [str(ROOT / "scripts"), *filter(None, sys.path)]
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run([sys.executable, "-c", STANDING_IN], env=settings, capture_output=True, text=True, check=True)
    assert {place: built.site.pages[place] for place in json.loads(done.stdout)} == json.loads(done.stdout)


@pytest.fixture(scope="module")
def running():
    with browser() as found:
        yield found


def looked_at(site):
    """The first page of each section, a loss, a rule, a page of the lab, and a long one."""
    firsts = [section.pages[0] for section in site.sections]
    return ["losses/gaussian_nll.md", *firsts, "lab/04-exercise.md", "rules/GM103.md", "claims.md"]


# Each by its turn in one of the two ways.
@pytest.mark.parametrize(("colours", "width"), [("light", 1280), ("dark", 360)])
def test_pages_open_without_a_word_and_without_asking(built, running, colours, width):
    root = built.folder.resolve()
    for place in looked_at(built.site)[colours == "light" :: 2]:
        with opened(
            running, (root / place).with_suffix(".html"), width=width, within=root, color_scheme=colours
        ) as found:
            assert found.page.title()
            wide = found.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{place} is {wide} points wide"
            scheme = found.page.evaluate("document.body.getAttribute('data-md-color-scheme')")
            assert scheme == {"light": "default", "dark": "slate"}[colours]
            assert found.said == [], place


def test_names_in_tables_do_not_break_on_a_narrow_screen(built, running):
    root = built.folder.resolve()
    with opened(running, root / "catalogue.html", width=360, within=root) as found:
        lines = "[...document.querySelectorAll('td a code')].map(e => e.getClientRects().length)"
        assert set(found.page.evaluate(lines)) == {1}
        assert found.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_page_for_what_is_not_there_and_the_first_page_fit_where_they_are_opened(built, running):
    root = built.folder.resolve()
    assert not re.findall(r'(?:href|src)="/(?!/)', (root / "404.html").read_text(encoding="utf-8"))
    with opened(running, root / "404.html", within=root) as found:
        assert found.said == []
    with opened(running, root / "index.html", width=1280, within=root) as found:
        cut = "[...document.querySelectorAll('pre code')].slice(0, 3).filter(e => e.scrollWidth > e.clientWidth).length"
        assert found.page.evaluate(cut) == 0


def test_the_search_finds_a_loss_from_a_file(built, running):
    root = built.folder.resolve()
    with opened(running, root / "index.html", within=root) as found:
        found.page.keyboard.press("Control+k")
        found.page.keyboard.type("pseudo_huber")
        found.page.wait_for_selector("a[href*='losses/pseudo_huber.html']")
        assert found.said == []


def test_a_link_to_nothing_stops_the_build(script, tmp_path, monkeypatch):
    website = script("website")
    site = website.Site(
        {"index.md": "# One\n\n[gone](gone.md)\n"}, {}, script("site_pages.navigation").sections(["index.md"])
    )
    monkeypatch.setattr(website, "gathered", lambda: site)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "kept.html").touch()
    with pytest.raises(SystemExit, match="page does not exist"):
        website.build(tmp_path / "site")
    assert (tmp_path / "site" / "kept.html").exists(), "the site of before stays"


def test_a_page_of_no_section_is_told(script):
    with pytest.raises(ValueError, match=r"no section: elsewhere/page\.md"):
        script("site_pages.navigation").sections(["index.md", "elsewhere/page.md"])


def test_what_stands_in_the_folder_of_a_maker_and_is_made_by_nothing_is_told(script, tmp_path, monkeypatch, capsys):
    docs, catalogue = script("docs"), script("catalogue")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "PAGE", tmp_path / "catalogue.md")
    monkeypatch.setattr(catalogue, "pages", lambda: {tmp_path / "losses" / "kept.md": "one\n"})
    (tmp_path / "losses").mkdir()
    (tmp_path / "losses" / "gone.md").touch()
    assert docs.main(["catalogue", "--check"]) == 1
    assert capsys.readouterr().out.count("out of date") == 2
    assert docs.main(["catalogue"]) == 0
    assert [path.name for path in (tmp_path / "losses").iterdir()] == ["kept.md"]
    assert docs.main(["catalogue", "--check"]) == 0
