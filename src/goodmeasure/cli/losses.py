"""Every loss with what it asks for, or the card of one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import click

from goodmeasure import losses
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.drawing.terminal import json_text
from goodmeasure.errors import UsageError
from goodmeasure.making.card import asks_for
from goodmeasure.making.loss import Loss
from goodmeasure.traits import asked
from goodmeasure.traits.certificate import certificates

KINDS = ("real", "positive", "counts", "bounded", "yes-no", "classes", "grades", "distribution")


@click.command
@click.argument("name", required=False)
@click.option(
    "--set", "given", multiple=True, metavar="NAME=NUMBER", help="A hyperparameter of the loss, e.g. delta=2."
)
@click.option("--for", "kind", type=click.Choice(KINDS), help="Only losses for targets of this kind.")
@click.option("--convex", is_flag=True, help="Only losses that are convex in the raw output.")
@click.option("--robust", is_flag=True, help="Only losses where no single target can pull without bound.")
@click.option("--smooth", is_flag=True, help="Only losses whose signal does not jump.")
@click.option("--asks", metavar="WHAT", help="Only losses that ask for this: mean, median, quantile, probability, ...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--certificates", "proofs", is_flag=True, help="Print the proofs behind the card of NAME, as JSON to replay."
)
def command(name: str | None, given: tuple[str, ...], as_json: bool, proofs: bool, **wanted: Any) -> int:
    """List the losses with what each asks for, or show the card of one.

    NAME is a loss or what people call it: huber, mse, mae, bce, rmse, ...

    \b
    goodmeasure losses --convex --robust --for positive
    goodmeasure losses huber --set delta=2
    """
    if name is None and proofs:
        raise UsageError("certificates are of one loss", fix="goodmeasure losses huber --certificates")
    if name is None:
        _list(wanted, as_json)
    elif proofs:
        made = certificates(losses.find(name)(**_numbers(given)))
        click.echo(json_text([each.to_dict() for each in made]))
    else:
        _card(name, given, as_json)
    return 0


def _card(name: str, given: tuple[str, ...], as_json: bool) -> None:
    card = losses.find(name)(**_numbers(given)).card()
    if as_json:
        click.echo(json_text(plain_values(card.to_dict())))
        return
    click.echo(str(card))
    click.echo(f"\nnext: goodmeasure explain {'proper' if card.loss.is_classwise or card.loss.is_binary else 'signal'}")


def _numbers(given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for pair in given:
        key, _, number = pair.partition("=")
        try:
            found[key.strip()] = float(number)
        except ValueError:
            raise UsageError(f"--set {pair} does not give a number", fix="--set delta=2") from None
    return found


def listed(chosen: Mapping[str, Loss]) -> list[dict[str, Any]]:
    """Losses by name, with what they ask for."""
    return [
        {"name": name, "asks_for": asks_for(loss), "sentence": loss.facts.sentence, "kinds": _kinds(loss)}
        for name, loss in chosen.items()
    ]


def _list(wanted: dict[str, Any], as_json: bool) -> None:
    chosen = {name: definition() for name, definition in losses.catalogue().items()}
    asked = {loss.facts.asks_for for loss in chosen.values() if loss.facts.asks_for}
    if wanted["asks"] and wanted["asks"] not in asked:
        raise UsageError(
            f"no loss asks for {wanted['asks']!r}", seen=f"they ask for {', '.join(sorted(asked))}", fix="--asks mean"
        )
    chosen = {name: loss for name, loss in chosen.items() if _fits(loss, wanted)}
    if as_json:
        click.echo(json_text(listed(chosen)))
        return
    for kind in KINDS:
        rows_of = [(n, x) for n, x in chosen.items() if _kinds(x)[0] == kind]
        if rows_of:
            click.echo(click.style(f"\n{kind}", bold=True))
        for name, loss in rows_of:
            click.echo(f"  {name:<31} {asks_for(loss)}")
    if not chosen:
        click.echo("no loss is all of that")
    for name in [n for n in ("convex", "robust", "smooth") if wanted[n] and not chosen]:
        without = [n for n, d in losses.catalogue().items() if _fits(d(), {**wanted, name: False})]
        click.echo(f"  without --{name}: {', '.join(without) or 'none either'}")
    click.echo(f"\n{len(chosen)} losses\nnext: goodmeasure losses {next(iter(chosen), 'huber')}")


def _kinds(loss: Loss) -> list[str]:
    """The kinds of targets a loss is for, the one it is listed under first."""
    if loss.is_binary:
        return ["yes-no"]
    if loss.is_classwise:
        return ["classes"]
    if loss.is_graded:
        return ["grades"]
    if math.isfinite(loss.target.high - loss.target.low):
        return ["bounded"]
    amounts = ["positive", *(["counts"] if 0 in loss.target else [])] if loss.target.low == 0 else ["real"]
    return ["distribution", *amounts] if len(loss.activation) > 1 else amounts


def _fits(loss: Loss, wanted: dict[str, Any]) -> bool:
    if wanted["kind"] and wanted["kind"] not in _kinds(loss):
        return False
    if wanted["asks"] and loss.facts.asks_for != wanted["asks"]:
        return False
    for name in ("convex", "robust", "smooth"):
        if wanted[name]:
            found = asked(loss, name)
            if found is None or not found.holds:
                return False
    return True
