"""A picture: axes side by side under the question that they answer, drawn as SVG or by matplotlib, with its numbers as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape

from goodmeasure.drawing.axes import Axes, svg
from goodmeasure.drawing.marks import Rows


@dataclass(frozen=True)
class Picture:
    """What is drawn, whatever draws it.

    Attributes:
        name: a word that sets its parts apart from those of other pictures of a page.
        question: the question that it answers, its title.
        axes: one or more, from left to right.
        size: how wide and tall it is in points.
        said: what is to be seen on it, one sentence; in place of the picture for those who do not see it.
    """

    name: str
    question: str
    axes: tuple[Axes, ...]
    size: tuple[float, float] = (460.0, 230.0)
    said: str = ""

    def svg(self, said: str = "") -> str:
        """The picture for a page, with what is to be seen on it as its alternative text."""
        told = escape(said or self.said or self.question, quote=True)
        return svg(self.name, self.axes, self.size).replace("<svg ", f'<svg role="img" aria-label="{told}" ', 1)

    def parts(self) -> list[str]:
        """The parts of the picture, each as an image of its own that a page can set beside or below the others."""
        wide = self.size[0] / len(self.axes)
        alone = [
            replace(self, name=f"{self.name}-{k}", axes=(axes,), size=(wide, self.size[1]))
            for k, axes in enumerate(self.axes)
        ]
        return [one.svg(self.said or f"{self.question} {one.axes[0].up}".strip()) for one in alone]

    def tables(self) -> Iterator[tuple[tuple[str, str, str], Rows]]:
        """The numbers of each part: the names of its columns, and its rows."""
        for axes in self.axes:
            if rows := axes.rows:
                yield ("", axes.across, axes.up), rows
