"""Arrays at the door of a loss: their shapes, dtypes, targets and weights are checked here, once, with one set of words."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.deriving import mending
from goodmeasure.errors import Problem, ShapeMismatch, TargetOutsideDomain, WeightError, shorter
from goodmeasure.formulas.domains import Domain, OutcomeDomain
from goodmeasure.formulas.evaluation import Array, namespace
from goodmeasure.statistics.arrays import array_of, numbers_of, one_a_row, same_order
from goodmeasure.statistics.row_arguments import equal_length
from goodmeasure.statistics.weights import check_weights


@dataclass(frozen=True)
class Examples:
    """Checked targets and raw outputs in the dtype to compute in, and which examples are present (None: all)."""

    y: Array
    z: Array
    weight: Array | None
    present: Array | None
    dtype: Any
    shape: tuple[int, ...]

    @property
    def xp(self) -> Any:
        return namespace(self.z)


# What targets and raw outputs are called in our own calls; hosts call them otherwise.
NAMES = ("y", "z")
Names = tuple[str, str]


def raw_outputs_beside(y: Any, z: Any, names: Names = NAMES) -> tuple[Array, Any]:
    """Raw outputs as `raw_outputs` gives them; of labels that were given for them it is said that these are the targets."""
    try:
        return raw_outputs(z, names[1])
    except ShapeMismatch as problem:
        raise (problem.mended_by(mending.exchanged(names)) if mending.are_labels(z, beside=y) else problem) from None


def raw_outputs(z: Any, name: str = "z") -> tuple[Array, Any]:
    """Raw outputs in the dtype to compute in, and the dtype that came in: half precisions are computed in single."""
    xp = namespace(z)
    z = array_of(z, name) if xp is np else xp.asarray(z)
    if xp is np and z.dtype == object:
        # In a column of objects None is NaN; what cannot be numbers is refused below, with the first of it named.
        with suppress(TypeError, ValueError, OverflowError):
            z = z.astype(float)
    if xp is np and (z.dtype == object or z.dtype.kind in "USMmcV"):
        raise ShapeMismatch(
            f"raw outputs must be numbers, not {z.dtype}",
            seen=shorter(z.ravel()[:3].tolist()),
            fix=mending.as_raw(z, name),
        )
    if not xp.isdtype(z.dtype, "real floating") and str(z.dtype).rsplit(".", 1)[-1] not in ("float16", "bfloat16"):
        z = xp.astype(z, xp.float64)
    dtype = z.dtype
    if str(dtype).rsplit(".", 1)[-1] in ("float16", "bfloat16"):
        z = xp.astype(z, xp.float32)
    elif xp is np and dtype not in (np.float32, np.float64):
        # Wider and byte-swapped floats: the same numbers in the machine's own double.
        z, dtype = z.astype(np.float64), np.dtype(np.float64) if dtype.itemsize > 8 else dtype.newbyteorder("=")
        z = z.astype(dtype)
    return z, dtype


def check_shapes(
    y_shape: tuple[int, ...], z_shape: tuple[int, ...], outputs: int, loss: object, names: Names = NAMES
) -> None:
    """Targets and raw outputs must match; ``outputs`` raw outputs an example lie on the last axis (1: no axis of their own)."""
    expected = z_shape if outputs == 1 else z_shape[:-1]
    if outputs > 1 and (len(z_shape) <= len(y_shape) or z_shape[-1] != outputs):
        raise ShapeMismatch(
            f"{loss} takes {outputs} raw outputs an example, on the last axis",
            seen=f"raw output of shape {z_shape}, target of shape {y_shape}",
            fix=f"give raw outputs of shape {(*y_shape, outputs)}",
        )
    if y_shape != expected:
        raise ShapeMismatch(
            f"target has shape {y_shape} and raw output {z_shape}: they must match, and nothing is broadcast",
            seen=f"{loss} needs targets of shape {expected}",
            fix=shape_fix(y_shape, expected, names),
        )


def shape_fix(given: tuple[int, ...], expected: tuple[int, ...], names: Names) -> str:
    """What makes targets of one shape those of another, where that may be."""
    y, z = names
    if given == (*expected, 1):
        return f"{y} = {y}[..., 0]"
    if (*given, 1) == expected:
        return f"{z} = {z}[..., 0]"
    if math.prod(given) == math.prod(expected):
        return f"{y} = {y}.reshape({expected})  # if the order of the rows is the same"
    return "give one target for each raw output"


def go_together(loss: Any, y_shape: tuple[int, ...], z_shape: tuple[int, ...]) -> bool:
    """Whether shapes of targets and raw outputs go together."""
    if not loss.is_classwise and len(loss.activation) == 1:
        return y_shape == z_shape
    width = z_shape[-1] if z_shape else 0
    takes = width > 1 if loss.is_classwise and not loss.class_weight else width == _outputs(loss)
    return takes and (y_shape == z_shape[:-1] or (loss.is_classwise and y_shape == z_shape))


def _outputs(loss: Any) -> int:
    return len(loss.class_weight) or len(loss.activation)


def other_way_round(loss: Any, y_shape: tuple[int, ...], z_shape: tuple[int, ...]) -> bool:
    """Whether targets were given for raw outputs, and raw outputs for targets."""
    return go_together(loss, z_shape, y_shape) and not go_together(loss, y_shape, z_shape)


def matching(loss: Any, y: Any, z: Array) -> Array:
    """Targets as an array beside z, of a shape that goes with it: for classes an axis less (indices) or the same (shares)."""
    y = beside(y, z, "y", TargetOutsideDomain)
    check_together(loss, tuple(y.shape), tuple(z.shape))
    check_labels(loss, z)
    return y


def check_together(loss: Any, y_shape: tuple[int, ...], z_shape: tuple[int, ...], names: Names = NAMES) -> None:
    """Shapes of targets and raw outputs that go together, whatever they hold."""
    if other_way_round(loss, y_shape, z_shape):
        raise ShapeMismatch(
            f"target has shape {y_shape} and raw output {z_shape}, which is the other way round",
            seen=f"{loss} takes its raw outputs on the last axis",
            fix=mending.exchanged(names),
        )
    if loss.is_classwise and (not z_shape or z_shape[-1] < 2):
        raise ShapeMismatch(
            f"{loss} compares classes and needs at least 2 raw outputs an example on the last axis",
            seen=f"raw output of shape {z_shape}; with one, the loss is zero whatever it is",
            fix="use the binary_ form of the loss for one output, or give one raw output a class",
        )
    if loss.class_weight and len(loss.class_weight) != z_shape[-1]:
        raise ShapeMismatch(
            f"{loss} has {len(loss.class_weight)} class weights and the raw outputs {z_shape[-1]} classes",
            fix="give one a class",
        )
    of_classes = loss.is_classwise and len(y_shape) != len(z_shape)
    check_shapes(y_shape, z_shape, z_shape[-1] if of_classes else len(loss.activation), loss, names)


def beside(given: Any, like: Array, name: str, kind: type[Problem]) -> Array:
    """Whatever was given as an array of the library, and on the device, that another is on."""
    xp = namespace(like)
    if xp is np:
        return array_of(given, name, kind)
    try:
        return xp.asarray(given, device=like.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise kind(
            f"{name} is not an array of one shape", where=name, seen=shorter(given), fix=f"{name} = numpy.array({name})"
        ) from error


def check_labels(loss: Any, table: Array) -> None:
    """Where labels weigh each for itself, they lie on the last axis."""
    if loss.labels and tuple(table.shape[-1:]) != (loss.labels,):
        raise ShapeMismatch(
            f"{loss} has weights for {loss.labels} labels, which lie on the last axis",
            seen=f"an array of shape {tuple(table.shape)}",
            fix=f"give arrays of shape (rows, {loss.labels})",
        )


def numeric(y: Array, loss: object, present: Array | None = None, name: str = "y") -> Array:
    """Targets that are numbers; in a column of objects None is NaN, and what absent examples hold does not matter."""
    if not isinstance(y, np.ndarray | np.generic):
        return y
    if y.dtype == object:
        # What cannot be numbers is refused below, with the first of it named.
        with suppress(TypeError, ValueError, OverflowError):
            y = (y if present is None else np.where(_beside(present, y), y, 0)).astype(float)
    if y.dtype.kind not in "biuf":
        labels = mending.labels_of(y)
        raise TargetOutsideDomain(
            f"targets of {loss} must be numbers, not {mending.what_they_are(y, labels)}",
            seen=f"targets {', '.join(shorter(label) for label in labels[:3])}",
            fix=mending.as_numbers(loss, y, labels, name),
        )
    return y


def _beside(present: Array, table: Array) -> Array:
    """Which examples count, in a shape that goes with a table of one or several numbers an example."""
    return present if table.ndim == present.ndim else present[..., None]


def check_targets(
    y: Array,
    z: Array,
    domain: Domain,
    present: Array | None,
    loss: object,
    name: str = "target",
) -> None:
    """Every present target lies in the domain, or the error names the first that does not."""
    xp = namespace(z)
    bad, allowed = outside(y, z, domain, present)
    if not bool(xp.any(bad)):
        return
    bad = np.asarray(bad)
    where = tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))
    at = ", ".join(map(str, where))
    raise TargetOutsideDomain(
        f"target {np.asarray(y)[where]} is outside the domain of {loss}: {allowed}",
        where=f"{name}[{at}]" if at else name,
        seen=f"{int(bad.sum())} of {bad.size} targets are outside",
        fix=mending.into_domain(np.asarray(y), z, domain, present, loss, NAMES),
    )


def outside(y: Array, z: Array, domain: Domain, present: Array | None) -> tuple[Array, str]:
    """Which present targets lie outside the domain, and what is allowed."""
    bad, allowed = targets_outside(y, z, domain, namespace(z)), str(domain)
    if isinstance(domain, OutcomeDomain) and domain.classes:
        allowed = f"0 to {z.shape[-1] - 1}" if y.ndim < z.ndim else "probabilities that add up to 1"
    return (bad if present is None else bad & present), allowed


def targets_outside(y: Array, z: Array, domain: Domain, xp: Any) -> Array:
    """Which examples have a target outside the domain; ``xp`` is the namespace that they are arrays of."""
    if isinstance(domain, OutcomeDomain) and domain.classes:
        return _bad_rows(y, xp) if y.ndim == z.ndim else _bad_indices(y, z.shape[-1], xp)
    return domain.outside(y, xp)


def _bad_indices(y: Array, classes: int, xp: Any) -> Array:
    if xp.isdtype(y.dtype, "bool"):
        return xp.zeros(y.shape, dtype=xp.bool)
    bad = (y < 0) | (y >= classes)
    return bad if xp.isdtype(y.dtype, "integral") else bad | (y != xp.round(y)) | xp.isnan(y)


# How far from 1 a row of K probabilities may add up to: so many units of rounding for each, and something besides.
ROUNDINGS, SLACK = 8, 1e-6


def _bad_rows(y: Array, xp: Any) -> Array:
    total = xp.sum(y, axis=-1)
    slack = ROUNDINGS * float(xp.finfo(y.dtype).eps) * y.shape[-1] + SLACK
    return xp.any(~(y >= 0), axis=-1) | ~(xp.abs(total - 1) <= slack)


def weights(given: Any, shape: tuple[int, ...], xp: Any, like: Array) -> Array | None:
    """Weights of shape ``shape``; a multi-label target of shape (N, K) may have one weight a row."""
    if given is None:
        return None
    w = _weights(given) if xp is np else beside(given, like, "sample_weight", WeightError)
    if tuple(w.shape) != shape and len(shape) == 2 and tuple(w.shape) == shape[:1]:
        w = xp.broadcast_to(w[:, None], shape)
    if len(shape) == 1:
        one_a_row(w, "sample_weight")
        equal_length(y=range(shape[0]), sample_weight=w)
    if tuple(w.shape) != shape:
        raise ShapeMismatch(
            f"weights have shape {tuple(w.shape)}, and the examples {shape}", fix="give one weight for each example"
        )
    if not bool(xp.all(w >= 0)) or not bool(xp.all(xp.isfinite(w))):
        check_weights(np.asarray(w))
    return w


def _weights(given: Any) -> Array:
    return numbers_of(given, "sample_weight", WeightError).astype(np.float64, copy=False)


def presence(mask: Any, weight: Array | None, shape: tuple[int, ...], xp: Any) -> Array | None:
    """Which examples count: those in the mask whose weight is not zero. None if all do."""
    present = None if weight is None or bool(xp.all(weight > 0)) else weight > 0
    if mask is None:
        return present
    mask = array_of(mask, "mask", WeightError) if xp is np else xp.asarray(mask)
    if not xp.isdtype(mask.dtype, "bool"):
        raise WeightError(
            f"a mask holds True where an example counts, not {mask.dtype}", fix="mask = mask.astype(bool)"
        )
    if tuple(mask.shape) != shape:
        raise ShapeMismatch(
            f"the mask has shape {tuple(mask.shape)}, and the examples {shape}",
            fix="give True or False for each example",
        )
    return mask if present is None else mask & present


def examples(loss: Any, y: Any, z: Any, weight: Any = None, mask: Any = None) -> Examples:
    """Check everything that a loss is computed from; absent examples are replaced by harmless ones."""
    same_order(y=y, z=z, sample_weight=weight, mask=mask)
    z, dtype = raw_outputs_beside(y, z)
    xp = namespace(z)
    y, shape = matching(loss, y, z), shape_of(loss, z)
    w = weights(weight, shape, xp, z)
    present = presence(mask, w, shape, xp)
    y = numeric(y, loss, present)
    if not loss.is_classwise or y.ndim == z.ndim:
        y = xp.astype(y, z.dtype)
    check_targets(y, z, loss.target, present, loss)
    if present is not None:
        y = xp.where(_beside(present, y), y, xp.asarray(harmless(loss, y, z), dtype=y.dtype))
        z = xp.where(_beside(present, z), z, xp.asarray(0, dtype=z.dtype))
    if loss.is_classwise and y.ndim < z.ndim:
        y = xp.astype(y, xp.int64)
    return Examples(y, z, w, present, dtype, shape)


def shape_of(loss: Any, z: Array) -> tuple[int, ...]:
    """The shape of the examples that raw outputs are of."""
    return tuple(z.shape[:-1] if loss.is_classwise or len(loss.activation) > 1 else z.shape)


def harmless(loss: Any, y: Array, z: Array) -> float:
    """A target that is inside the domain whatever the loss, for an example that is absent."""
    if loss.is_classwise:
        return 1 / z.shape[-1] if y.ndim == z.ndim else 0
    return 1 if 1 in loss.target else 0
