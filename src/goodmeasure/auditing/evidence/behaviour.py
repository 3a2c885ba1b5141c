"""What the loss does when its outputs are changed: directions, silent examples, where it is smallest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import log_simplex, simplex
from goodmeasure.auditing.evidence.loss_probe import LossProbe

_DIRECT = (
    "binary",
    "multiclass",
    "multilabel",
    "regression",
    "count",
    "sequence",
    "language_model",
    "segmentation",
    "ordinal",
    "quantile",
    "",
)
_ROWS = 8


@dataclass
class Behaviour:
    """Readings of the loss as a black box."""

    probe: LossProbe

    @classmethod
    def gather(cls, dossier: Dossier) -> Behaviour:
        probe = dossier.get(LossProbe)
        if probe.task not in _DIRECT:
            raise Unavailable(f"outputs of a {probe.task} task have no single right value")
        return cls(probe)

    @property
    def binary(self) -> bool:
        """Whether every target is 0 or 1 and stands for one output."""
        targets = self.probe.targets
        return (
            self.probe.paired
            and bool(((targets == 0) | (targets == 1)).all())
            and self.probe.task not in ("regression", "count", "quantile")
        )

    def away(self) -> Iterator[tuple[float, int, str]]:
        """The share of outputs that the gradient pushes away from their target, where it is most of them."""
        probe = self.probe
        for output in (probe.subject, probe.noise(1.0)):
            grad = probe.signal(output, probe.targets)
            if grad is None or not bool(grad.isfinite().all()):
                return
            towards = self._towards(output)
            if towards is None:
                return
            pull = -(grad * towards)
            if (axis := probe.class_axis) is not None:
                pull = pull.sum(axis)[probe.counted_rows()]
            felt = pull[pull.abs() > 1e-12]
            if felt.numel() < 3:
                return
            share = float((felt < 0).double().mean())
            if share < (0.75 if probe.task else 0.95) or float(felt.sum()) >= 0:
                return
        yield share, felt.numel(), "outputs"

    def _towards(self, output: torch.Tensor) -> torch.Tensor | None:
        """The direction in which every output would have to move to say its target."""
        probe = self.probe
        if (axis := probe.class_axis) is not None:
            labels = probe.targets.clamp(0, output.shape[axis] - 1).unsqueeze(axis)
            onehot = torch.zeros_like(output).scatter_(axis, labels.long(), 1.0)
            return onehot - 1.0 / output.shape[axis]
        if not probe.paired or not bool(torch.isfinite(probe.targets.double()).all()):
            return None
        targets = probe.matched_targets()
        if self.binary or bool((targets.abs() == 1).all()):
            return 2 * (targets > 0.5).to(targets.dtype) - 1
        return targets - output if probe.task in ("regression", "quantile") else None

    def blind(self) -> Iterator[tuple[float, int]]:
        """The loss when the targets are shuffled among the examples, if it never changes."""
        probe = self.probe
        rows = probe.targets.shape[0] if probe.targets.dim() else 0
        if (
            rows < 4
            or not bool((probe.targets != probe.targets[:1]).any())
            or bool(probe.targets.isnan().any() if probe.targets.is_floating_point() else False)
        ):
            return
        if not probe.follows_targets:
            return
        # outputs among the targets: at a fresh start they may all be equal, or all on one side of every target
        spread = probe.matched_targets().roll(1, 0) + probe.noise(0.1) if probe.paired else probe.noise(1.0)
        values = {probe.value(spread, probe.targets.roll(shift, 0)) for shift in (0, 1, 2, 3)}
        numbers = [v for v in values if v is not None]
        if len(numbers) == len(values) and max(numbers) - min(numbers) <= 1e-6 * max(1e-12, abs(numbers[0])):
            yield numbers[0], rows

    def bottomless(self) -> Iterator[tuple[float, float]]:
        """Outputs at which the loss falls far below anything it takes nearby: the output, the loss."""
        probe = self.probe
        if not probe.paired or not probe.free or probe.targets.dtype == torch.bool:
            return
        now = probe.value(probe.subject, probe.targets)
        for size in (1e3, -1e3):
            one = probe.value(torch.full_like(probe.subject, size), probe.targets)
            two = probe.value(torch.full_like(probe.subject, 10 * size), probe.targets)
            if (
                now is not None
                and one is not None
                and two is not None
                and two < 5 * one < 0
                and two < -100 * max(1.0, abs(now))
            ):
                yield 10 * size, two

    def silent(self) -> Iterator[tuple[int, int, float, list[float]]]:
        """Examples without gradient at any output tried that nevertheless cost something."""
        probe = self.probe
        if probe.rows < 4 or probe.subject.dim() > 2:
            return
        heard = torch.zeros(probe.rows, dtype=torch.bool)
        for output in (probe.subject, *(probe.noise(scale) for scale in (0.1, 1.0, 4.0)), -probe.noise(4.0)):
            grad = probe.signal(probe.like_output(output) if output is not probe.subject else output, probe.targets)
            if grad is None or not bool(grad.isfinite().all()):
                return
            heard |= grad.reshape(probe.rows, -1).abs().amax(1) > 0
        quiet = ~heard
        if not bool(quiet.any()) or bool(quiet.all()):
            return
        cost = self._alone(quiet)
        if cost is not None and abs(cost) > 1e-6 and cost == cost:
            values = sorted(set(probe.targets[quiet].double().reshape(-1).tolist()))
            yield int(quiet.sum()), probe.rows, cost, values

    def _alone(self, rows: torch.Tensor) -> float | None:
        """The loss of these examples without the others."""
        probe = self.probe
        whole = probe.output
        if not isinstance(whole, torch.Tensor):
            return None
        with torch.no_grad():
            try:
                value = probe.call(whole.detach()[rows], probe.targets[rows])
            except Exception:  # the loss holds something of the whole batch: no reading
                return None
        return float(value.sum()) if isinstance(value, torch.Tensor) else None

    def uneven_pull(self) -> Iterator[tuple[float, float]]:
        """How much more one example is pulled than another at the same error."""
        probe = self.probe
        if (
            not (probe.paired and probe.alone)
            or probe.task not in ("regression", "")
            or probe.rows < 4
            or self.binary
            or not probe.targets.is_floating_point()
        ):
            return
        targets = probe.matched_targets()
        if not bool(targets.isfinite().all()) or float(targets.std()) == 0:
            return
        pulls = [probe.signal(targets + sign * 0.5 * targets.std(), probe.targets) for sign in (1.0, -1.0)]
        if any(pull is None or not bool(pull.isfinite().all()) for pull in pulls):
            return
        size = torch.stack([pull.abs() for pull in pulls if pull is not None]).amin(0).reshape(-1)
        felt = size[size > 0]
        if felt.numel() < 4:
            return
        ratio = float(felt.max() / felt.quantile(0.1))
        ratio = max(ratio, float(felt.max() / felt.min()))
        if ratio > 1e4:
            yield ratio, float(targets.reshape(-1)[size.argmax()])

    def wrong_minimum(self) -> Iterator[tuple[float, float, float]]:
        """Classes whose examples cost less when another class is said: the label, the better one, the share of
        examples."""
        axis = self.probe.class_axis
        if axis == 1 and self.probe.subject.dim() == 2 and self.probe.subject.shape[1] <= 32:
            yield from self._wrong_class()
        elif self.binary and self.probe.rows and self.probe.subject.numel() == self.probe.rows:
            yield from self._wrong_side()

    def _wrong_class(self) -> Iterator[tuple[float, float, float]]:
        probe, classes = self.probe, self.probe.subject.shape[1]
        says = self._confident(torch.eye(classes, dtype=probe.subject.dtype))
        for label in sorted(set(probe.targets[probe.counted_rows()].tolist()))[:_ROWS]:
            rows = (probe.targets == label).nonzero().reshape(-1)[: max(2, _ROWS // classes)].tolist()
            best = [self._best(row, says) for row in rows]
            wrong = [b for b in best if b is not None and b != label]
            if best and len(wrong) == len(best):
                yield float(label), float(wrong[0]), 1.0

    def _best(self, row: int, says: torch.Tensor) -> int | None:
        probe = self.probe
        costs = []
        for said in says:
            output = probe.subject.clone()
            output[row] = said
            cost = probe.value(output, probe.targets)
            if cost is None or cost != cost:
                return None
            costs.append(cost)
        low = min(costs)
        label = int(probe.targets[row])
        return label if costs[label] <= low + 1e-6 * max(1.0, abs(low)) else costs.index(low)

    def _confident(self, onehot: torch.Tensor) -> torch.Tensor:
        """Confident outputs on the scale of the model: scores, probabilities, or their logarithms."""
        subject = self.probe.subject
        scores = 5.0 * onehot
        if simplex(subject, 1):
            return scores.softmax(1)
        if log_simplex(subject, 1):
            return scores.log_softmax(1)
        return onehot * 0.9 + 0.05 if self.probe.bounded else scores

    def _wrong_side(self) -> Iterator[tuple[float, float, float]]:
        probe = self.probe
        low, high = (0.05, 0.95) if probe.bounded else (-4.0, 4.0)
        flat = probe.targets.reshape(-1)
        for label in (0.0, 1.0):
            rows = (flat == label).nonzero().reshape(-1)[: _ROWS // 2].tolist()
            wrong = [
                row for row in rows if self._costs(row, high) is not None and self._reversed(row, label, low, high)
            ]
            if rows and len(wrong) == len(rows):
                yield label, 1 - label, 1.0

    def _costs(self, row: int, said: float) -> float | None:
        output = self.probe.subject.clone()
        output.reshape(-1)[row] = said
        return self.probe.value(output, self.probe.targets)

    def _reversed(self, row: int, label: float, low: float, high: float) -> bool:
        right, wrong = self._costs(row, high if label else low), self._costs(row, low if label else high)
        return right is not None and wrong is not None and right > wrong + 1e-6 * max(1.0, abs(wrong))
