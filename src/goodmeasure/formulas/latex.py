"""Formulas as LaTeX: how mathematics on paper spells the words."""

from __future__ import annotations

from collections.abc import Callable

from goodmeasure.formulas.expression import Expr, neg

_GREEK = {
    "alpha", "beta", "gamma", "delta", "epsilon", "mu", "sigma", "tau", "lambda", "theta", "rho", "eta", "nu", "kappa",
}  # fmt: skip

# The words that are written in a way of their own; each function takes its arguments as LaTeX.
_SPELLED: dict[str, Callable[..., str]] = {
    "div": lambda a, b: rf"\frac{{{a}}}{{{b}}}",
    "less": lambda a, b: f"{a} < {b}",
    "less_equal": lambda a, b: rf"{a} \le {b}",
    "abs": lambda a: rf"\left|{a}\right|",
    "exp": lambda a: f"e^{{{a}}}",
    "expm1": lambda a: f"\\left(e^{{{a}}} - 1\\right)",
    "log1p": lambda a: rf"\ln\left(1 + {a}\right)",
    "logaddexp": lambda a, b: rf"\ln\left(e^{{{a}}} + e^{{{b}}}\right)",
    "log": lambda a: rf"\ln\left({a}\right)",
    "sqrt": lambda a: rf"\sqrt{{{a}}}",
    "sqrt1pm1": lambda a: rf"\left(\sqrt{{1 + {a}}} - 1\right)",
    "hypot1": lambda a: rf"\sqrt{{1 + \left({a}\right)^{{2}}}}",
    "hypot1m1": lambda a: rf"\left(\sqrt{{1 + \left({a}\right)^{{2}}}} - 1\right)",
    "log1psq": lambda a: rf"\ln\left(1 + \left({a}\right)^{{2}}\right)",
    "log_cosh": lambda a: rf"\ln\cosh\left({a}\right)",
    "sech2": lambda a: rf"\operatorname{{sech}}^{{2}}\left({a}\right)",
    "sigmoid": lambda a: rf"\sigma\left({a}\right)",
    "normal_pdf": lambda a: rf"\varphi\left({a}\right)",
    "versin": lambda a: rf"\left(1 - \cos\left({a}\right)\right)",
    "lgamma": lambda a: rf"\ln\Gamma\left({a}\right)",
    "digamma": lambda a: rf"\psi\left({a}\right)",
    "trigamma": lambda a: rf"\psi'\left({a}\right)",
    "i0e": lambda a: rf"I_{{0}}^{{e}}\left({a}\right)",
    "i1e": lambda a: rf"I_{{1}}^{{e}}\left({a}\right)",
    "maximum": lambda a, b: rf"\max\left({a},\, {b}\right)",
    "minimum": lambda a, b: rf"\min\left({a},\, {b}\right)",
    "times": lambda a, b: rf"{a} \cdot {b}",
    "where": lambda c, a, b: rf"\begin{{cases}} {a} & {c} \\ {b} & \text{{otherwise}} \end{{cases}}",
    "either": lambda y, a, b: rf"\begin{{cases}} {a} & {y} = 1 \\ {b} & {y} = 0 \end{{cases}}",
}
# Level of binding: sums, products, signs, powers.
_INFIX = {"add": ("+", 1), "sub": ("-", 1), "mul": (r"\,", 2)}
_LOOSE = {"times": 2, "less": 0, "less_equal": 0, "exp": 4, "div": 4, "where": 4, "either": 4}


def latex(formula: Expr) -> str:
    """A formula as LaTeX, for use between dollar signs."""
    if formula.word is None:
        return _symbol(formula)
    if formula.word is neg:
        return f"-{_bracketed(formula.args[0], 3)}"
    name = formula.word.name
    if name in _INFIX:
        mark, level = _INFIX[name]
        left, right = formula.args
        return f"{_bracketed(left, level)} {mark} {_bracketed(right, level + 1)}"
    if name == "power":
        base, exponent = formula.args
        return f"{_bracketed(base, 5)}^{{{latex(exponent)}}}"
    if name == "times":
        return _SPELLED[name](*(_bracketed(a, 2) for a in formula.args))
    args = [latex(a) for a in formula.args]
    if name in _SPELLED:
        return _SPELLED[name](*args)
    spelled, between = name.replace("_", r"\_"), r",\, "
    return rf"\operatorname{{{spelled}}}\left({between.join(args)}\right)"


def _symbol(formula: Expr) -> str:
    if formula.number is not None:
        return f"{formula.number:.6g}" if isinstance(formula.number, float) else str(formula.number)
    name = str(formula.args[0])
    stem, digits = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
    head, *rest = stem.split("_")
    spelled = f"\\{head}" if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{head}}}"
    below = ",".join([*rest, *([digits] if digits else [])])
    return f"{spelled}_{{\\mathrm{{{below}}}}}" if below else spelled


def _level(formula: Expr) -> int:
    if formula.word is None:
        return 9 if formula.is_symbol or (formula.number or 0) >= 0 else 3
    if formula.word is neg:
        return 3
    if formula.word.name in _INFIX:
        return _INFIX[formula.word.name][1]
    return 4 if formula.word.name == "power" else _LOOSE.get(formula.word.name, 9)


def _bracketed(formula: Expr, level: int) -> str:
    return rf"\left({latex(formula)}\right)" if _level(formula) < level else latex(formula)
