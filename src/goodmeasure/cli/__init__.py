"""The command line: each module of this package is a subcommand, loaded when it is used.

Its docstring is the line that ``goodmeasure --help`` prints, and ``command`` in it is what runs.
"""

from __future__ import annotations

import ast
import os
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click

from goodmeasure import __version__
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import Problem, UsageError, nearest
from goodmeasure.reading.writing import FULL, NotWritten

FAULT = 70
STOPPED = 130


class Subcommands(click.Group):
    """A group whose subcommands are the modules beside it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
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
        return super().resolve_command(ctx, args)


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
    """Run the command line and exit: 0 fine, 1 findings at or above --fail-on, 2 usage, 3 data."""
    given = sys.argv[1:] if arguments is None else arguments
    shown = "--traceback" in given
    sys.exit(status_of([a for a in given if a != "--traceback"], traceback=shown))


def status_of(arguments: list[str], *, traceback: bool = False) -> int:
    """The exit status of a command line; what goes wrong is said on standard error in the style of `Problem`."""
    try:
        done = goodmeasure.main(arguments, prog_name="goodmeasure", standalone_mode=False, color=colour())
        if sys.stdout is not None:  # it is None where it was closed before the start
            sys.stdout.flush()
    except (Problem, click.ClickException, click.Abort, KeyboardInterrupt, BrokenPipeError, Exception) as error:
        if traceback:
            raise
        return _said(error)
    return done if isinstance(done, int) else 0


def colour() -> bool | None:
    """Never colour where NO_COLOR is set (no-color.org); else whatever the terminal can show."""
    return False if os.environ.get("NO_COLOR") else None


def _said(error: BaseException) -> int:
    """Say what went wrong, and return the exit status for it."""
    if isinstance(error, BrokenPipeError):
        _drop_output()  # the reader (head, less) has what it wanted
        return 0
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("stopped; nothing more was written", err=True, color=colour())
        return STOPPED
    if isinstance(error, click.ClickException):
        error = as_problem(error)
    if isinstance(error, OSError) and not isinstance(error, Problem) and error.errno in FULL:
        _drop_output()
        error = NotWritten(
            "there is no room for what should be written",
            where="standard output, or the directory of temporary files",
            seen=error.strerror or "",
            fix="free some space, or write elsewhere",
        )
    if isinstance(error, Problem):
        click.echo(rendered(error), err=True, color=colour())
        return error.exit_status
    click.echo(
        f"a fault in goodmeasure itself, not in your data: {type(error).__name__}: {printable(str(error))}\n"
        "  fix   add --traceback to the command to see where, and report it",
        err=True,
        color=colour(),
    )
    return FAULT


def _drop_output() -> None:
    """What standard output does not take is dropped, so that Python does not complain about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
        close = nearest(error.option_name, _options(ctx))
        return UsageError(
            f"there is no option {error.option_name}", fix=f"did you mean {close[0]}?" if close else usage
        )
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return UsageError(f"{_parameter(error.param)} is missing", fix=usage)
    message = error.format_message().rstrip(".")
    return UsageError(message[:1].lower() + message[1:], fix=usage)


def _options(ctx: click.Context | None) -> list[str]:
    return [] if ctx is None else [name for p in ctx.command.get_params(ctx) for name in p.opts]


def _parameter(parameter: Any) -> str:
    if isinstance(parameter, click.Argument):
        return f"the argument {parameter.make_metavar(click.Context(click.Command('goodmeasure')))}"
    return f"the option {parameter.opts[0]}"
