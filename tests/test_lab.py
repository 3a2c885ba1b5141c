"""Is the lab one page that asks nothing of anybody, and do its losses, printed as JavaScript, say what the kernels say?"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from http.server import ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.explaining import exercise
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import symbol
from goodmeasure.lab import modules, printed, vocabulary
from goodmeasure.lab.document import MARK, document, script
from goodmeasure.lab.page import lab_pages, numbered
from goodmeasure.lab.pages import playground
from goodmeasure.lab.server import address, serving
from goodmeasure.making.loss import Loss

SINGLE = {
    name: factory()
    for name, factory in losses.catalogue().items()
    if not factory().is_classwise and len(factory().activation) == 1
}
WRONG_WAYS = ("evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "")


@pytest.fixture(scope="module")
def page() -> str:
    return document(lab_pages())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The modules of the lab as Node loads them."""
    if shutil.which("node") is None:
        pytest.skip("no Node")
    found = tmp_path_factory.mktemp("modules")
    (found / "package.json").write_text('{"type": "module"}')
    for name, text in {**modules.written(), "formulas": printed.module(SINGLE.values())}.items():
        (found / f"{name}.js").write_text(text, encoding="utf-8")
    return found


def node(folder: Path, program: str, given: object) -> object:
    (folder / "given.json").write_text(json.dumps(given))
    begun = 'import { readFileSync } from "node:fs"; const given = JSON.parse(readFileSync("given.json"));\n'
    (folder / "asked.js").write_text(begun + program)
    run = subprocess.run(["node", "asked.js"], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def vectors(loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Targets of a loss and raw outputs, near and far."""
    rng = np.random.default_rng(5)
    z = np.concatenate([rng.normal(size=40), np.linspace(-30, 30, 41), [0.0, 1.0, -1.0]])
    y = (
        rng.integers(0, 2, z.size).astype(float)
        if loss.is_binary
        else np.minimum(np.exp(rng.normal(size=z.size)), loss.target.high)
    )
    return y, z


def test_every_loss_in_javascript_says_what_the_kernels_say(folder: Path) -> None:
    given = {name: [column.tolist() for column in vectors(loss)] for name, loss in SINGLE.items()}
    said = node(
        folder,
        """import { LOSSES } from "./formulas.js";
        const of = (name, [y, z]) => y.map((target, i) => LOSSES[name](target, z[i]));
        const rows = Object.entries(given).map(([name, columns]) => [name, of(name, columns)]);
        console.log(JSON.stringify(Object.fromEntries(rows)));""",
        given,
    )
    assert len(SINGLE) > 35
    for name, loss in SINGLE.items():
        y, z = vectors(loss)
        found = np.array(said[name], dtype=float)  # type: ignore[index]
        truth = np.column_stack([loss.value(y, z), loss.gradient(y, z)])
        assert np.allclose(found, truth, rtol=1e-12, atol=1e-300), name


def test_hyperparameters_are_those_of_the_loss(folder: Path) -> None:
    for loss in (losses.huber(delta=2.0), losses.pinball(level=0.9), losses.binary_focal(gamma=0.5)):
        (folder / "one.js").write_text(printed.module([loss]))
        name = loss.spelling.factory
        program = f'import {{ LOSSES }} from "./one.js"; console.log(JSON.stringify(LOSSES.{name}(...given)));'
        truth = [loss.value([1.0], [-3.0])[0], loss.gradient([1.0], [-3.0])[0]]
        assert np.allclose(node(folder, program, [1.0, -3.0]), truth, rtol=1e-12)  # type: ignore[arg-type]


def test_the_race_in_javascript_is_the_race_in_python(folder: Path) -> None:
    x, y = exercise.points()
    setting = {"rows": x.tolist(), "y": y.tolist(), "start": exercise.START, "steps": exercise.STEPS, "rate": 1.0}
    said = node(
        folder,
        """import { LOSSES } from "./formulas.js"; import { descend } from "./neurons.js";
        const three = [LOSSES.zero_one, LOSSES.binary_cross_entropy, LOSSES.binary_brier];
        console.log(JSON.stringify(three.map((loss) => descend(loss, given))));""",
        setting,
    )
    for run, steps in zip(exercise.runs(), said, strict=True):  # type: ignore[call-overload]
        assert tuple(step["wrong"] for step in steps) == run.wrong
        assert np.allclose([step["pull"] for step in steps], run.signal, rtol=1e-9, atol=0)


def test_every_loss_of_the_playground_runs_in_javascript_as_in_python(folder: Path) -> None:
    sample = playground.samples()[0]
    begun = {**playground.given()["samples"][0], **playground.given()["models"][0], "steps": 20}
    names = list(playground.choices())
    assert {name for name, loss in SINGLE.items() if loss.is_binary} == set(names)
    said = node(
        folder,
        """import { LOSSES } from "./formulas.js"; import { descend } from "./neurons.js";
        const ends = given.names.map((name) => descend(LOSSES[name], given.begun).map((step) => step.weights));
        console.log(JSON.stringify(ends));""",
        {"names": names, "begun": begun},
    )
    for name, path in zip(names, said, strict=True):  # type: ignore[call-overload]
        assert np.allclose(path, playground.trained(SINGLE[name], sample)[:21], rtol=1e-9, atol=1e-12), name


def test_the_slopes_of_the_net_are_those_of_its_loss(folder: Path) -> None:
    model, sample = playground.given()["models"][1], playground.given()["samples"][2]
    said = node(
        folder,
        """import { LOSSES } from "./formulas.js"; import { meanLoss, pull } from "./neurons.js";
        const { start, hidden, rows, y } = given;
        const cost = (weights) => meanLoss(LOSSES.binary_cross_entropy, weights, rows, y, hidden);
        const moved = (k, by) => cost(start.map((w, i) => (i === k ? w + by : w)));
        const slopes = start.map((_, k) => (moved(k, 1e-5) - moved(k, -1e-5)) / 2e-5);
        console.log(JSON.stringify([pull(LOSSES.binary_cross_entropy, start, rows, y, hidden), slopes]));""",
        {**model, **sample},
    )
    found, slopes = np.asarray(said)
    assert len(found) == 4 * playground.HIDDEN + 1
    assert np.abs(found).min() > 0
    assert np.allclose(found, slopes, atol=1e-8)


def typed(folder: Path, formulas: list[str], z: float = 0.37) -> list[tuple[float, float, float] | str]:
    """What each formula that was typed comes to, its slope and its slope by a difference; or what is wrong with it."""
    (folder / "words.js").write_text(vocabulary.module())
    said = node(
        folder,
        """import { typedLoss } from "./typed.js";
        const asked = (text) => {
          try {
            const loss = typedLoss(text);
            const [value, slope] = loss(1, given.z);
            return [value, slope, (loss(1, given.z + 1e-6)[0] - loss(1, given.z - 1e-6)[0]) / 2e-6];
          } catch (error) {
            if (!(error instanceof SyntaxError)) throw error;
            return error.message;
          }
        };
        console.log(JSON.stringify(given.formulas.map(asked)));""",
        {"formulas": formulas, "z": z},
    )
    return list(said)  # type: ignore[call-overload]


def test_every_word_that_is_typed_is_the_word_of_formulas(folder: Path) -> None:
    p, m = 1 / (1 + np.exp(-0.37)), 0.37
    where_it_is = {"log1mexp": ("-p",), "power": ("p", "m")}
    argued = {
        name: where_it_is.get(name, ("p", "m", "0.7")[: len(word.partials)])
        for name, word in vocabulary.offered().items()
    }
    said = typed(folder, [f"{name}({', '.join(args)})" for name, args in argued.items()])
    assert {"log", "exp", "where", "maximum", "softplus", "power"} <= argued.keys()
    for (name, args), found in zip(argued.items(), said, strict=True):
        numbers = [{"p": p, "m": m, "-p": -p, "0.7": 0.7}[arg] for arg in args]
        names = [symbol(letter) for letter in "abc"[: len(args)]]
        formula = vocabulary.offered()[name](*names)
        like = np.zeros(1)
        known = {letter: np.array([number]) for letter, number in zip("abc", numbers, strict=False)}
        (truth,) = on_arrays([formula], known, like=like)
        assert np.isclose(found[0], float(truth[0]), rtol=1e-12, atol=0), name  # type: ignore[arg-type]
        assert np.isclose(found[1], found[2], rtol=1e-5, atol=1e-8), name  # type: ignore[arg-type]


TYPED: dict[str, Loss] = {
    "-log(p)": losses.binary_cross_entropy(),
    "(1 - p)**2": losses.binary_brier(),
    "maximum(0, 1 - m)": losses.hinge(),
    "where(m >= 1, 0, 1 - m)": losses.hinge(),
    "exp(-m)": losses.exponential(),
    "-log(p) * (1-p) ** 2.0": losses.binary_focal(gamma=2.0),
    "(1 - p**.7) / 7e-1": losses.binary_generalized_cross_entropy(q=0.7),
}


@pytest.mark.parametrize("z", [-2.3, -0.4, 0.6, 1.9])
def test_a_formula_that_is_typed_is_the_loss_that_it_says(folder: Path, z: float) -> None:
    for (text, loss), found in zip(TYPED.items(), typed(folder, [*TYPED], z), strict=True):
        said = [loss.value([1.0], [z])[0], loss.gradient([1.0], [z])[0]]
        assert np.allclose(found[:2], said, rtol=1e-9), text  # type: ignore[arg-type]


def test_operators_bind_as_in_python(folder: Path) -> None:
    texts = [
        "1-2-3",
        "2**3**2",
        "-2**2",
        "2**-1*4",
        "2*3+4*5",
        "8/4/2",
        "-(1+2)*3",
        "1 < 2",
        "2 <= 1",
        "3 > 2",
        "1 >= 2",
        "--3",
    ]
    said = typed(folder, texts)
    assert [found[0] for found in said] == [float(eval(text)) for text in texts]


HOSTILE = (
    *(
        "alert(1)",
        "constructor(1)",
        "p.constructor",
        "__proto__",
        "p[0]",
        "`${p}`",
        "p;1",
        "toString(p)",
        "hasOwnProperty(p)",
    ),
    *(
        "import('x')",
        "p=1",
        "(()=>1)()",
        "this",
        "globalThis",
        "window",
        "m?p:1",
        "new Function(1)",
        "valueOf(p)",
        "<b>",
    ),
    *(
        "",
        " ",
        "1+",
        "p p",
        "(p",
        "p)",
        "maximum(1)",
        "log()",
        "log",
        "..",
        "1..2",
        "p**",
        "p,m",
        "é",
        "p" * 300,
        "(" * 150,
    ),
    *("0x10", "1e", "\\u0061", "//"),
)


def test_what_is_no_formula_is_said_and_never_run(folder: Path) -> None:
    for text, found in zip(HOSTILE, typed(folder, list(HOSTILE)), strict=True):
        assert isinstance(found, str), text
        assert found, text


def test_no_text_leads_anywhere_but_to_a_number_or_a_sentence(folder: Path) -> None:
    rng = np.random.default_rng(0)
    pieces = [*"pm1+-*/(),< '${", ".5", "2e3", "**", ">=", "log", "where", "eval"]
    texts = ["".join(rng.choice(pieces, size=rng.integers(1, 12))) for _ in range(3000)]
    said = typed(folder, texts)
    assert all(isinstance(found, str) or len(found) == 3 for found in said)
    assert sum(not isinstance(found, str) for found in said) > 50


class Asked(HTMLParser):
    """Everything in a page that names another place, or is run."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.places += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_page_is_small_names_no_other_place_and_lets_nothing_out(page: str) -> None:
    asked = Asked()
    asked.feed(page)
    assert all(place.startswith("#") or place == "data:," for place in asked.places)
    assert asked.handlers == []
    assert len(page.encode()) <= 1_000_000
    assert page.encode().startswith(MARK)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]  # type: ignore[index]
    text = re.search(r'<script type="module">(.*)</script>', page, re.DOTALL)[1]  # type: ignore[index]
    digest = b64encode(sha256(text.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;;" in policy
    assert policy.startswith("default-src &#39;none&#39;; connect-src &#39;none&#39;")
    assert "unsafe-eval" not in policy
    assert not re.search(r"\beval\b|new Function|import\(|innerHTML|fetch\(|XMLHttpRequest|localStorage", text)


def test_a_module_keeps_its_scope_and_comes_after_what_it_needs() -> None:
    given = {
        "last": 'import { a } from "./first.js";\nimport { c } from "./second.js";\nconst b = a + c;\nexport const d = b;\n',
        "second": 'import { a } from "./first.js";\nconst b = a;\nexport function c() {\n  return b;\n}\n',
        "first": "export const a = 1;\n",
        "unneeded": "export const z = 0;\n",
    }
    found = modules.joined(given, "last")
    assert re.findall(r"const module_(\w+)", found) == ["first", "second", "last"]
    assert "return { c };" in found
    assert not re.search(r"^(import|export)\b", found, re.MULTILINE)


def test_every_import_and_export_of_a_module_is_joined() -> None:
    assert not re.search(r"^(import|export)\b", script(lab_pages()), re.MULTILINE)


def test_no_two_pages_keep_something_in_the_address_by_one_name(page: str) -> None:
    kept = re.findall(r'data-(?:control|question)="([^"]+)"', page.partition("<script")[0])
    assert sorted(set(kept)) == sorted(kept)
    assert len(kept) > 2 * len(lab_pages())


def test_pages_are_found_by_their_numbers() -> None:
    numbers = [page.number for page in lab_pages()]
    assert numbers == sorted(set(numbers))
    assert [numbered(number).number for number in numbers] == numbers
    with pytest.raises(UsageError, match="no page 0") as told:
        numbered(0)
    assert told.value.fix == f"--page {numbers[0]}"


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with serving("the page") as found:
        at_work = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        at_work.start()
        yield found
        found.shutdown()
        at_work.join()


def answer(
    server: ThreadingHTTPServer, path: str = "/", host: str | None = None, method: str = "GET"
) -> tuple[int, str]:
    line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    line.request(method, path, headers={} if host is None else {"Host": host})
    found = line.getresponse()
    said = found.status, found.read().decode()
    line.close()
    return said


def test_the_page_is_served_to_those_who_ask_for_this_host(server: ThreadingHTTPServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert address(server) == f"http://127.0.0.1:{server.server_port}/"
    assert answer(server) == (200, "the page")
    assert answer(server, "/?hide=code", f"localhost:{server.server_port}") == (200, "the page")
    assert answer(server, method="HEAD") == (200, "")


@pytest.mark.parametrize("host", WRONG_WAYS)
def test_another_host_gets_nothing(server: ThreadingHTTPServer, host: str) -> None:
    status, said = answer(server, host=host)
    assert status == 421
    assert "the page" not in said


@pytest.mark.parametrize("path", ["/favicon.ico", "/../../etc/passwd", "/%2e%2e/"])
def test_there_is_one_page(server: ThreadingHTTPServer, path: str) -> None:
    assert answer(server, path)[0] == 404


def test_other_methods_are_refused(server: ThreadingHTTPServer) -> None:
    assert answer(server, method="POST")[0] == 501


def test_a_port_that_is_taken_is_said(server: ThreadingHTTPServer) -> None:
    with pytest.raises(UsageError, match=f"port {server.server_port}"), serving("", server.server_port):
        pass


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_it_stops_when_it_is_asked_to(how: signal.Signals, status: int) -> None:
    line = [sys.executable, "-u", "-c", "from goodmeasure.cli import main; main()", "lab", "--page", "4"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert re.fullmatch(r"the lab is at http://127\.0\.0\.1:\d+/#page-4\n", run.stdout.readline())
        assert run.stdout.readline() == "Ctrl-C stops it\n"
        run.send_signal(how)
        out, err = run.communicate(timeout=20)
    assert run.returncode == status
    assert "stopped" in out + err
    assert "Traceback" not in err


def test_a_page_is_written_whole_and_over_no_other_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, other = tmp_path / "lab.html", tmp_path / "mine.html"
    assert status_of(["lab", "--export", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"wrote {out}")
    assert out.read_text(encoding="utf-8") == document(lab_pages())
    assert status_of(["lab", "--page", "4", "--export", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == document([numbered(4)])
    other.write_text("mine")
    assert status_of(["lab", "--export", str(other)]) == 2
    assert other.read_text() == "mine"


@pytest.mark.parametrize("more", [("--page", "99"), ("--export", "x.html", "--port", "8000"), ("--port", "0")])
def test_what_does_not_fit_is_said(more: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["lab", *more]) == 2
    assert capsys.readouterr().err.startswith("GM009 ")
