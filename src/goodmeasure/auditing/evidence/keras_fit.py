"""A Keras model and its loss, run on Keras's torch back end so that the same graph and rules apply."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.trace import Node
from goodmeasure.auditing.evidence.wiring import Wiring, World, run

_KINDS = {
    "BinaryCrossentropy": ("binary_cross_entropy", "binary_cross_entropy_with_logits"),
    "BinaryFocalCrossentropy": ("binary_cross_entropy", "binary_cross_entropy_with_logits"),
    "CategoricalCrossentropy": ("probability_cross_entropy", "cross_entropy"),
    "CategoricalFocalCrossentropy": ("probability_cross_entropy", "cross_entropy"),
    "SparseCategoricalCrossentropy": ("probability_cross_entropy", "cross_entropy"),
    "MeanSquaredError": ("mse_loss",) * 2,
    "MeanAbsoluteError": ("l1_loss",) * 2,
    "Huber": ("huber_loss",) * 2,
    "LogCosh": ("huber_loss",) * 2,
    "MeanAbsolutePercentageError": ("mape_loss",) * 2,
    "MeanSquaredLogarithmicError": ("msle_loss",) * 2,
    "Poisson": ("keras_poisson",) * 2,
    "KLDivergence": ("keras_kl",) * 2,
    "Hinge": ("keras_hinge",) * 2,
    "SquaredHinge": ("keras_hinge",) * 2,
    "CategoricalHinge": ("keras_categorical_hinge",) * 2,
}


@dataclass
class KerasFit:
    """The traced run, the kind of the loss in this package's words, and the loss's own options."""

    wiring: Wiring
    kind: str
    options: dict[str, Any]
    program: dict[str, Any]

    @classmethod
    def gather(cls, dossier: Dossier) -> KerasFit:
        if dossier.case.framework != "keras":
            raise Unavailable("not a Keras model")
        dossier.case.need("model", "inputs", "targets")
        keras = sys.modules["keras"]
        if keras.backend.backend() != "torch":
            raise Unavailable(
                f"the Keras back end is {keras.backend.backend()}; the audit reads graphs of the torch back end"
            )
        world = dossier.get(World).given
        loss = loss_object(keras, world)
        if not callable(loss):
            raise Unavailable(
                "several losses: each is audited with its output" if loss else "no loss is given or compiled"
            )
        program = _as_torch(keras, world, loss)
        wiring = run(program, "keras")
        config: dict[str, Any] = getattr(loss, "get_config", dict)()
        pair = _KINDS.get(type(loss).__name__)
        kind = pair[bool(config.get("from_logits"))] if pair else ""
        return cls(wiring, kind, {**config, "classes_last": True}, program)

    def call(self) -> tuple[Node, Node, Node | None]:
        """The loss node, the prediction and the target, as a loss call takes them."""
        output = self.wiring.outputs[0][1]
        node = Node(self.kind, output.tensor, (output,), stage="loss")
        return node, output, self.wiring.targets[0] if self.wiring.targets else None


def loss_object(keras: Any, given: dict[str, Any]) -> Any:
    """The loss as an object with a configuration, whether it was named, given or compiled."""
    loss = given.get("loss")
    if loss is None:
        loss = getattr(given["model"], "loss", None)
    found = keras.losses.get(loss) if isinstance(loss, str) else loss
    for kind in vars(keras.losses).values():
        if isinstance(kind, type) and issubclass(kind, keras.losses.Loss) and kind is not keras.losses.Loss:
            try:
                made = kind()
            except TypeError:
                continue
            if getattr(made, "fn", None) is found:
                return made
    return found


def _as_torch(keras: Any, given: dict[str, Any], loss: Any) -> dict[str, Any]:
    import numpy as np
    import torch

    def tensor(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tensor(part) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(tensor(part) for part in value)
        if isinstance(value, torch.Tensor):
            return value
        array = np.asarray(value)
        return torch.as_tensor(array.astype("float32") if array.dtype == np.float64 else array)

    def value(output: Any, targets: Any) -> Any:
        result = loss(targets, output)
        return result.mean() if isinstance(result, torch.Tensor) else result

    class Called:
        """The model as a function of one positional argument, as Keras calls it."""

        def __call__(self, inputs: Any) -> Any:
            return given["model"](inputs, training=False)

        def forward(self, inputs: Any) -> Any:
            """The signature that is checked before the call."""
            return self(inputs)

    inputs = tensor(given["inputs"])
    wrapped = (inputs,)
    return {
        **given,
        "model": _parametric(given["model"], Called()),
        "loss": value,
        "inputs": wrapped,
        "targets": tensor(given["targets"]),
    }


def _parametric(model: Any, called: Any) -> Any:
    import torch

    if not isinstance(model, torch.nn.Module):
        return called

    class Wrapped(torch.nn.Module):  # type: ignore[misc]
        """Carries the parameters of the Keras model."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, inputs: Any) -> Any:
            return called(inputs)

    return Wrapped()
