"""Are counts that are drawn as normal numbers those that they stand for, to less than draws can tell?"""

import numpy as np
import pytest
from scipy import special, stats

from goodmeasure.calibrating.decomposition import Cells
from goodmeasure.calibrating.significance import chance_of_events, drawn_events
from goodmeasure.statistics.drawn_counts import LARGE, binomials, multinomials


class Quantiles:
    """In place of a generator: all quantiles of the normal distribution, so that what is made of them has no chance in it."""

    @staticmethod
    def standard_normal(shape):
        draws, columns = shape
        return np.repeat(special.ndtri((np.arange(draws) + 0.5) / draws)[:, None], columns, axis=1)

    @staticmethod
    def binomial(n, p, shape):
        return np.zeros(shape)


@pytest.mark.parametrize("p", [0.001, 0.03, 0.3, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("times", [1.001, 10, 10_000])
def test_a_large_binomial_lies_below_every_bound_as_often_as_it_should(p, times):
    n = int(np.ceil(LARGE * times / (p * (1 - p))))
    draws = 400_000
    found = np.sort(binomials(Quantiles(), np.array([n]), np.array([p]), draws)[:, 0])
    assert (found == np.rint(found)).all()
    bounds = np.unique(found)
    shares = np.searchsorted(found, bounds, side="right") / draws
    assert np.abs(shares - stats.binom.cdf(bounds, n, p)).max() < 2e-5


def test_small_binomials_beside_large_ones_are_drawn_exactly():
    n, p = np.array([3, 10**6, 0, 50]), np.array([0.5, 0.3, 0.2, 1.0])
    found = binomials(np.random.default_rng(0), n, p, 20_000)
    assert (found[:, 2] == 0).all()
    assert (found[:, 3] == 50).all()
    counts = np.bincount(found[:, 0].astype(int), minlength=4)
    assert stats.chisquare(counts, 20_000 * stats.binom.pmf(np.arange(4), 3, 0.5)).pvalue > 1e-4
    assert np.abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.03


def test_few_of_each_come_as_numpy_draws_them():
    n, p, chance = np.array([5, 400]), np.array([0.1, 0.7]), np.array([0.2, 0.0, 0.8])
    one, other = np.random.default_rng(3), np.random.default_rng(3)
    assert (binomials(one, n, p, 7) == other.binomial(n, p, (7, 2))).all()
    assert (multinomials(one, 900, chance, 7) == other.multinomial(900, chance, 7)).all()


def test_large_multinomials_add_up_and_vary_together_as_they_should():
    chance = np.array([1e-7, 0.1, 0.2, 0.0, 0.3, 3e-5, 0.39996990])
    chance /= chance.sum()
    size, draws = 3_000_000, 40_000
    found = multinomials(np.random.default_rng(1), size, chance, draws)
    assert found.sum(axis=1) == pytest.approx(size, rel=1e-12)
    assert (found[:, 3] == 0).all()
    expected = size * (np.diag(chance) - np.outer(chance, chance))
    scale = np.sqrt(np.maximum(np.outer(np.diag(expected), np.diag(expected)), 1e-30))
    assert np.abs((np.cov(found.T) - expected) / scale).max() < 6 / np.sqrt(draws)
    off = (found.mean(axis=0) - size * chance) / np.sqrt(np.maximum(np.diag(expected), 1e-30))
    assert np.abs(off).max() < 5 / np.sqrt(draws)


def test_a_large_count_among_many_is_as_skewed_as_a_count():
    size, chance = 2_500_000, np.full(1_000, 1e-3)
    found = multinomials(np.random.default_rng(2), size, chance, 2_000)
    assert stats.skew(found.ravel()) == pytest.approx(1 / np.sqrt(2_500), abs=6 * np.sqrt(6 / found.size))


def test_millions_of_calibrated_rows_look_off_as_often_as_they_should():
    """The share of p-values up to .05 is .05, and so is that up to one half, where all cells are drawn as normal numbers."""
    rng, runs = np.random.default_rng(5), 200
    p, n = np.linspace(0.01, 0.99, 20), np.full(20, 800_000.0)
    chances = []
    for run in range(runs):
        cells = Cells(p, rng.binomial(n.astype(int), p).astype(float), n, n)
        chances.append(chance_of_events(cells, drawn_events(cells, 99, run)))
    for bound in (0.05, 0.5):
        assert np.mean(np.array(chances) <= bound) == pytest.approx(bound, abs=4 * np.sqrt(bound * (1 - bound) / runs))
