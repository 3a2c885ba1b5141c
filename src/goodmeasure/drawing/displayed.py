"""What every result can do that has said what its rows are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from goodmeasure.drawing.coloured import coloured
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.frames import FrameKind, frame
from goodmeasure.drawing.markup import html
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import picture_of
from goodmeasure.drawing.plain import plain
from goodmeasure.drawing.plots import plot
from goodmeasure.errors import UsageError
from goodmeasure.strict.calls import strict_class

if TYPE_CHECKING:
    from rich.console import Group


@strict_class
class Displayed(ABC):
    """A result that is shown: as text, in notebooks, by Rich, and as a frame. What its rows are is said once, in `_display`."""

    @abstractmethod
    def _display(self) -> Display:
        """The rows of this result, with a title and notes."""

    def _picture(self) -> Picture | None:
        """What this result looks like: its intervals below each other, or its curve; None where it has neither."""
        return picture_of(self._display())

    def plot(self, ax: Any = None) -> Any:
        """Draw this result with matplotlib.

        Args:
            ax: axes of matplotlib to draw on; a figure of its own unless given.

        Returns:
            The axes that were drawn on: one, or an array of them where the picture has several parts.

        Raises:
            GM008: matplotlib is not installed
            GM009: this result holds nothing that could be drawn, or ``ax`` is nothing to draw on

        Example:
            >>> import goodmeasure as gm
            >>> found = gm.risk(gm.losses.squared_error(), [1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
            >>> found.plot().get_xlabel()
            'mean loss'
        """
        picture = self._picture()
        if picture is None:
            raise UsageError(f"{type(self).__name__} holds no intervals and no curve to draw", fix="print it")
        return plot(picture, ax)

    def to_frame(self, kind: FrameKind | None = None) -> Any:
        """The rows of this result as a frame, with an interval in three columns.

        Args:
            kind: "pandas", "polars", "pyarrow", or "dict" for NumPy arrays by name. By default the kind of frame that
                this result was made from, else pandas where it is installed, else "dict".

        Returns:
            A frame of that kind, a row for each row that is printed.

        Raises:
            GM008: that library is not installed
            GM009: there is no such kind of frame

        Example:
            >>> import goodmeasure as gm
            >>> found = gm.risk(gm.losses.squared_error(), [1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
            >>> found.to_frame("dict")["n"][0]
            np.int64(3)
        """
        return frame(self._display(), kind)

    def __str__(self) -> str:
        return plain(self._display())

    def _repr_html_(self) -> str:
        return html(self._display(), self._shown_picture())

    def _shown_picture(self) -> Picture | None:
        """The picture that a notebook shows beside the rows: one that says more than their intervals do."""
        return None if type(self)._picture is Displayed._picture else self._picture()

    def __rich__(self) -> Group:
        return coloured(self._display())
