"""What every result can do that has said what its rows are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from goodmeasure.drawing.coloured import coloured
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.frames import FrameKind, frame
from goodmeasure.drawing.markup import html
from goodmeasure.drawing.plain import plain
from goodmeasure.strict.calls import strict_class

if TYPE_CHECKING:
    from rich.console import Group


@strict_class
class Displayed(ABC):
    """A result that is shown: as text, in notebooks, by Rich, and as a frame. What its rows are is said once, in `_display`."""

    @abstractmethod
    def _display(self) -> Display:
        """The rows of this result, with a title and notes."""

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
        return html(self._display())

    def __rich__(self) -> Group:
        return coloured(self._display())
