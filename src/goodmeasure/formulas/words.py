"""The vocabulary of formulas: every word under one roof, and the exact identities among words.

A row says how a word is differentiated, what it is in a book (``book``, which arbitrary precision evaluates as the truth), and,
where that form cancels or overflows, what it is in more elementary words that do not (``meaning``). How a language spells the
elementary words stands with that language. The rows stand in `elementary_words`, `special_words` and `bessel_words`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

from goodmeasure.errors import FormulaError
from goodmeasure.formulas import expression
from goodmeasure.formulas.bessel_words import *
from goodmeasure.formulas.elementary_words import *
from goodmeasure.formulas.expression import Word, identity
from goodmeasure.formulas.expression import less as less
from goodmeasure.formulas.expression import less_equal as less_equal
from goodmeasure.formulas.expression import log as log
from goodmeasure.formulas.expression import power as power
from goodmeasure.formulas.expression import sign as sign
from goodmeasure.formulas.special_words import *
from goodmeasure.strict.definitions import each_once

# --- exact identities: left becomes right ----------------------------------------------------------------------------

# Ones, zeros and signs. A term whose coefficient is exactly zero is absent.
identity(lambda x: (x + 0, x))
identity(lambda x: (0 + x, x))
identity(lambda x: (x - 0, x))
identity(lambda x: (0 - x, -x))
identity(lambda x: (x * 1, x))
identity(lambda x: (1 * x, x))
identity(lambda x: (x * 0, 0))
identity(lambda x: (0 * x, 0))
identity(lambda x: (0 / x, 0))
identity(lambda x: (x / 1, x))
identity(lambda x: (x * expression.expression(-1), -x))
identity(lambda x: (expression.expression(-1) * x, -x))
identity(lambda x: (x**1, x))
identity(lambda x: (x**0, 1))
identity(lambda x: (-(-x), x))
identity(lambda x, y: (-(x - y), y - x))
identity(lambda x, y: (x + -y, x - y))
identity(lambda x, y: (-x + y, y - x))
identity(lambda x, y: (x - -y, x + y))
identity(lambda x, y: (-x * y, -(x * y)))
identity(lambda x, y: (x * -y, -(x * y)))
identity(lambda x, y: (-x / y, -(x / y)))
identity(lambda x, y: (x / -y, -(x / y)))
identity(lambda x: (abs(-x), abs(x)))
identity(lambda x: ((-x) ** 2, x**2))
identity(lambda x: (abs(x) ** 2, x**2))
identity(lambda x, a: ((a + x) - a, x))
identity(lambda x, a: ((x * a) / a, x))
identity(lambda x, a: ((a * x) / a, x))
identity(lambda y, x, a: ((y * (x * a)) / a, y * x))
identity(lambda x, y: ((1 / x) * y, y / x))
identity(lambda x, y: (y * (1 / x), y / x))
identity(lambda y, x: (where(y, x, x), x))
identity(lambda x, y: (where(expression.expression(1), x, y), x))
identity(lambda x, y: (where(expression.expression(0), x, y), y))
identity(lambda x, y: (where(1, x, y), x))
identity(lambda x, y: (where(0, x, y), y))
identity(lambda y, x: (either(y, x, x), x))
identity(lambda x, y: (either(expression.expression(1), x, y), x))
identity(lambda x, y: (either(expression.expression(0), x, y), y))
identity(lambda y: (times(y, 0), 0))
identity(lambda x: (times(0, x), 0))
identity(lambda y: (times(y, 1), y))
identity(lambda y, x: (times(y, -x), -times(y, x)))
identity(lambda y, x: (xlogy(y, x), times(y, log(x))))

# Exponentials and logarithms.
identity(lambda x: (log(exp(x)), x))
identity(lambda x: (exp(log(x)), x))
identity(lambda x: (log(sigmoid(x)), -softplus(-x)))
identity(lambda x: (log(softplus(x)), log_softplus(x)))
# What lies between two sigmoids a softplus apart is a product of two sigmoids, and never their difference.
identity(lambda x, z: (log(sigmoid(x) - sigmoid(x - softplus(z))), -(softplus(-x) + softplus(softplus(x) - z))))
identity(lambda x: (softplus(x) - softplus(-x), x))
identity(lambda x: (softplus(-x) - softplus(x), -x))
identity(lambda x: (1 - sigmoid(x), sigmoid(-x)))
identity(lambda x: (1 - exp(x), -expm1(x)))
identity(lambda x, a: (1 - x**a, -expm1(a * log(x))), positive=("x",))
identity(lambda x: (exp(x) - 1, expm1(x)))
identity(lambda x: (log(1 + exp(x)), softplus(x)))
identity(lambda x: (log1p(exp(x)), softplus(x)))
identity(lambda x, y: (log(exp(x) + exp(y)), logaddexp(x, y)))
identity(lambda x, y, a: (log(a * exp(x) + exp(y)), logaddexp(log(a) + x, y)), positive=("a",))
identity(lambda x, y, b: (log(exp(x) + b * exp(y)), logaddexp(x, log(b) + y)), positive=("b",))
identity(lambda x, y, a, b: (log(a * exp(x) + b * exp(y)), logaddexp(log(a) + x, log(b) + y)), positive=("a", "b"))
identity(lambda x: (expm1(-(x**2)), -gauss_rise(x)))
identity(lambda x: (log(-expm1(x)), log1mexp(x)))
identity(lambda x: (log1p(-sigmoid(x)), -softplus(x)))
identity(lambda x: (sigmoid(-x) / sigmoid(x), exp(-x)))
identity(lambda x: (sigmoid(x) / sigmoid(-x), exp(x)))
identity(lambda x, c: (c / sigmoid(x), c * (1 + exp(-x))))
identity(lambda x: (maximum(sigmoid(x), 0), sigmoid(x)))
identity(lambda x, y: (log1p(exp(x) * exp(y)), softplus(x + y)))
identity(lambda x, a: (log1p(a * exp(x)), softplus_odds(x, a)), positive=("a",))
identity(lambda x, a: (log1p(exp(x) / a), softplus_odds(x, 1 / a)), positive=("a",))
identity(lambda x, y: (softplus_odds(x, exp(y)), softplus(x + y)))
identity(lambda x, y: (sigmoid_odds(x, exp(y)), sigmoid(x + y)))
identity(lambda x: (1 / (1 / x), x))
identity(lambda x: (log1p(sigmoid(x)), log1p_sigmoid(x, 1)))
identity(lambda x, a: (log1p(a * sigmoid(x)), log1p_sigmoid(x, a)))
identity(lambda x, a: (log1p(a * softplus(x)), log1p_softplus(x, a)))
identity(lambda x: (log1p(1 + exp(x)), log(2) + softplus_odds(x, 0.5)))
identity(lambda x, a: (log1p(1 / (a * sigmoid(x))), log1p(1 / a) + softplus_odds(-x, 1 / (1 + a))), positive=("a",))
identity(lambda x: (sigmoid(x) - 1, -sigmoid(-x)))
identity(lambda x, c, a: (c / (a * exp(x)), c / a * exp(-x)))
identity(lambda x, c, a: (c / (a * softplus(x)), c / a * exp(-log_softplus(x))))
identity(lambda x: (log(1 / x), -log(x)))
identity(lambda x: (log(1 + x), log1p(x)))
identity(lambda x: (log(1 - x), log1p(-x)))
identity(lambda x: (log1p(x**2), log1psq(x)))
identity(lambda x: (sqrt(1 + x**2), hypot1(x)))
identity(lambda x: (sqrt(1 + x) - 1, sqrt1pm1(x)))
identity(lambda x, a: (exp(x) ** a, exp(a * x)))
identity(lambda x, a: (softplus(x) ** a, exp(a * log_softplus(x))))
identity(lambda x, c: (c / exp(x), c * exp(-x)))
# The second derivative of an exponential: a factor that overflows stands once, outside of what may be zero.
identity(lambda x, b, c, d: (exp(x) * b - c * (exp(x) * d), exp(x) * (b - c * d)))
identity(lambda x, b, c, d: (c * (exp(x) * d) - exp(x) * b, -(exp(x) * (b - c * d))))
identity(lambda x, b, c, d: (c * (exp(x) * d) + exp(x) * b, exp(x) * (c * d + b)))
identity(lambda x, c: (c / softplus(x), c * exp(-log_softplus(x))))
# The slope of the share is small far out; that of the product would be a difference of two terms that are not.
identity(lambda x, c: ((c * log1psq_pull(x)) * x, c * square_share(x)))


@cache
def vocabulary() -> dict[str, Word]:
    """Every word by its name: those that the modules of this room hold. There is no other list."""
    found: dict[str, Word] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        held = import_module(f"{__package__}.{module.name}")
        each_once(str(held.__file__), r"(\w+): Word = ")
        for word in vars(held).values():
            if isinstance(word, Word) and found.setdefault(word.name, word) is not word:
                raise FormulaError(
                    f"two words are named {word.name}", where=f"formulas/{module.name}.py", fix="give one another name"
                )
    return dict(sorted(found.items()))
