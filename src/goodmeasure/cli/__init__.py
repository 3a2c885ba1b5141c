"""The command line: each module of this package is a subcommand, loaded when it is used.

Its docstring is the line that ``goodmeasure --help`` prints, and ``command`` in it is what runs.
"""

from __future__ import annotations

import ast
import re
import signal
import sys
import warnings
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click

from goodmeasure import __version__
from goodmeasure.cli._streams import UNREAD, aside, colour, drop, opened, unread
from goodmeasure.cli._waiting import let_sleep
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import NotEnoughMemory, Problem, UsageError, nearest, shorter
from goodmeasure.reading.connection import kept_open
from goodmeasure.reading.writing import FULL, NotWritten

FAULT = 70
INTERRUPTED = 130  # 128 and the number of the signal, as a shell says
TERMINATED = 143


class Terminated(BaseException):
    """Somebody asked the program to end (SIGTERM)."""

    asked = False


class Subcommands(click.Group):
    """A group whose subcommands are the modules beside it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        if cmd_name != "audit":  # which runs a program of somebody else, whose threads wait as they do
            let_sleep()
        found: click.Command = import_module(f"{__name__}.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands by what their modules say of themselves: none is loaded to be listed."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _sentence(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = click.utils.make_str(args[0])
        known = self.list_commands(ctx)
        if not name.startswith("-") and name not in known:
            close = nearest(name, known)
            raise UsageError(
                f"there is no command {name!r}",
                seen=f"the commands are {', '.join(known)}",
                fix=f"goodmeasure {close[0]}" if close else "goodmeasure --help",
            )
        found = super().resolve_command(ctx, args)
        _refuse_twice(name, found[1], found[2], ctx)
        return found


def _refuse_twice(name: str, command: click.Command | None, args: list[str], parent: click.Context) -> None:
    """Refuse an option that takes one value and was given several, of which Click would take the last. Error: GM009."""
    if command is None:
        return
    given = command.make_parser(click.Context(command, parent, name)).parse_args(list(args))[2]
    for option in dict.fromkeys(given):
        single = isinstance(option, click.Option) and not (option.multiple or option.is_flag or option.count)
        if single and given.count(option) > 1:
            values = _values_of(option, args)
            raise UsageError(
                f"{option.opts[-1]} takes one value, and was given {given.count(option)} times",
                seen=", ".join(values),
                fix=f"{option.opts[-1]} {values[0]}" if values else f"goodmeasure {name} --help",
            )


def _values_of(option: click.Parameter, args: list[str]) -> list[str]:
    """The values that an option was given, in the words that were typed."""
    pairs = zip(args, [*args[1:], ""], strict=True)
    return [
        word.partition("=")[2] if "=" in word else after
        for word, after in pairs
        if word.partition("=")[0] in option.opts
    ]


def _sentence(name: str) -> str:
    """The docstring of a subcommand's module, read without importing it."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="goodmeasure", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, help="Show where in the program an error arose (may stand anywhere).")
@click.pass_context
def goodmeasure(ctx: click.Context, traceback: bool) -> None:
    """Says what good means for your data in one formula, and derives the rest from it.

    The loss, its learning signal, an honest risk, and the decision for your costs.

    Start with: goodmeasure demo
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 fine, 1 findings at or above --fail-on, 2 usage, 3 data, 141 nobody reads on."""
    opened()
    signal.signal(signal.SIGTERM, _terminated)
    warnings.formatwarning = lambda message, *_, **__: f"note: {printable(str(message))}\n"
    given = sys.argv[1:] if arguments is None else arguments
    shown = "--traceback" in given
    sys.exit(status_of([a for a in given if a != "--traceback"], traceback=shown))


def _terminated(*_: object) -> None:
    Terminated.asked = True
    raise Terminated


def status_of(arguments: list[str], *, traceback: bool = False) -> int:
    """The exit status of a command line; what goes wrong is said on standard error in the style of `Problem`."""
    try:
        with kept_open():
            done = _run(arguments)
        if sys.stdout is not None:  # it is None where it was closed before the start
            sys.stdout.flush()
    except (Problem, click.ClickException, click.Abort, KeyboardInterrupt, Terminated, Exception) as error:
        if traceback:
            raise
        return _said(error)
    return done if isinstance(done, int) else 0


def _run(arguments: list[str]) -> object:
    """What the command returns. Click's own way to run it takes a reader that went away for a finding."""
    try:
        with goodmeasure.make_context("goodmeasure", [*arguments], color=colour()) as ctx:
            return goodmeasure.invoke(ctx)
    except click.exceptions.Exit as left:  # --help and --version
        return left.exit_code


def _said(error: BaseException) -> int:
    """Say what went wrong, and return the exit status for it."""
    if str(error) == "Query interrupted":  # what DuckDB makes of either while it works
        error = Terminated() if Terminated.asked else KeyboardInterrupt()
    if isinstance(error, BrokenPipeError) and unread():
        drop(sys.stdout)
        return UNREAD
    if isinstance(error, click.Abort | KeyboardInterrupt | Terminated):
        aside("stopped; nothing more was written")
        return TERMINATED if isinstance(error, Terminated) else INTERRUPTED
    if isinstance(error, click.ClickException):
        error = as_problem(error)
    if isinstance(error, OSError) and not isinstance(error, Problem) and error.errno in FULL:
        drop(sys.stdout)
        error = NotWritten(
            "there is no room for what should be written",
            where="standard output, or the directory of temporary files",
            seen=error.strerror or "",
            fix="free some space, or write elsewhere",
        )
    if isinstance(error, MemoryError) and not isinstance(error, Problem):
        error = NotEnoughMemory(
            "this takes more memory than there is",
            seen=shorter(str(error)) if str(error) else "",
            fix="leave out rows or columns that are not needed, or take a machine with more memory",
        )
    if isinstance(error, Problem):
        aside(rendered(error))
        return error.exit_status
    aside(
        f"a fault in goodmeasure itself, not in your data: {type(error).__name__}: {printable(str(error))}\n"
        "  fix   add --traceback to the command to see where, and report it"
    )
    return FAULT


def rendered(problem: Problem) -> str:
    """A problem for the terminal: the code stands out, labels are quiet, and the last line says where to read more."""
    head = f"{click.style(problem.code, fg='red', bold=True)} {printable(problem.what)}"
    body = [f"  {click.style(f'{label:6}', dim=True)}{printable(text)}" for label, text in problem.lines()]
    return "\n".join([head, *body, f"  {click.style('more', dim=True)}  goodmeasure explain {problem.code}"])


def as_problem(error: click.ClickException) -> UsageError:
    """What Click found wrong with a command line, in our words."""
    ctx = getattr(error, "ctx", None)
    usage = f"{ctx.command_path} --help" if ctx is not None else "goodmeasure --help"
    if isinstance(error, click.NoSuchOption):
        close = _meant(error.option_name, _options(ctx))
        return UsageError(
            f"there is no option {error.option_name}", fix=f"did you mean {close[0]}?" if close else usage
        )
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return UsageError(f"{_parameter(error.param)} is missing", fix=usage)
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], fix=_chosen(error) or usage)


# What other programs, or other commands of this one, call an option with the same purpose.
_SAME = (
    {"--out", "--output", "--outfile", "--export", "--save", "--to"},
    {"--format", "--json", "--as-json"},
    {"--target", "--label", "--y"},
    {"--weights", "--weight", "--sample-weight"},
    {"--exclude", "--drop", "--ignore-columns"},
    {"--seed", "--random-state", "--random-seed"},
)


def _meant(name: str, options: list[str]) -> list[str]:
    """The options that a name may stand for: by purpose first, then by spelling."""
    same = [each for group in _SAME if name in group for each in options if each in group]
    return same or nearest(name, [each for each in options if each.startswith("--")])


def _chosen(error: click.ClickException) -> str:
    """The option with the value that one which is no choice may stand for; empty where none is near."""
    option, given = getattr(error, "param", None), re.match("'(.*?)' is not one of", error.message)
    if given is None or not isinstance(option, click.Option) or not isinstance(option.type, click.Choice):
        return ""
    return next((f"{option.opts[0]} {close}" for close in nearest(given[1], option.type.choices)), "")


def _options(ctx: click.Context | None) -> list[str]:
    return [] if ctx is None else [name for p in ctx.command.get_params(ctx) for name in p.opts]


def _parameter(parameter: Any) -> str:
    if isinstance(parameter, click.Argument):
        return f"the argument {parameter.make_metavar(click.Context(click.Command('goodmeasure')))}"
    return f"the option {parameter.opts[0]}"
