"""Are the polynomials of the kernels' words what scripts/minimax.py fits?"""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from goodmeasure.kernels import float32, float64

SCRIPT = Path(__file__).parent.parent / "scripts" / "minimax.py"
# What is refitted here; `scripts/minimax.py --check` refits the rest, which takes longer.
QUICK = ("E float32", "M float32", "L float32", "U float32", "T float32", "V float32", "H float32", "L float64")


@pytest.fixture(scope="module")
def minimax():
    spec = importlib.util.spec_from_file_location("minimax", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["minimax"] = module  # its dataclass looks itself up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["minimax"]


@pytest.mark.parametrize("name", QUICK)
def test_coefficients_are_those_of_the_script(minimax, name):
    assert minimax.held(name) == minimax.fitted(name), f"python scripts/minimax.py {name[0]}"


@pytest.mark.parametrize("module", [float32, float64])
def test_every_coefficient_of_a_module_is_fitted(minimax, module):
    dtype = module.FLOAT.__name__
    fits = {name.split()[0]: fit for name, fit in minimax.FITS.items() if name.endswith(dtype)}
    fitted = {f"{letter}{k}" for letter, fit in fits.items() for k in range(fit.terms)}
    assert fitted == {name for name in vars(module) if re.fullmatch(r"[A-Z]\d+", name)}
