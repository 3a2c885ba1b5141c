"""Libraries that write files past Python, whose own functions are refused once the training was cut."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goodmeasure.auditing.observing.judging import Judgement
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.stopping import Cut, Limits

# By module, what writes: a function, or the constructor of a class. Python's own opening of files is watched everywhere.
WRITERS = {
    "h5py._hl.files": ("make_fid",),
    "safetensors.torch": ("save_file", "save_model"),
    "safetensors.numpy": ("save_file",),
    "pyarrow.parquet": ("ParquetWriter.__init__",),
    "polars": (
        "DataFrame.write_csv",
        "DataFrame.write_ipc",
        "DataFrame.write_json",
        "DataFrame.write_ndjson",
        "DataFrame.write_parquet",
    ),
}


def begin(limits: Limits, cut: Cut) -> WritersHost:
    """Watch what is written from here on."""
    return WritersHost(cut)


@dataclass
class WritersHost:
    """Whoever writes past Python."""

    cut: Cut

    def install(self, module: str, seams: Seams) -> None:
        """Let a library ask before it writes."""
        for path in WRITERS[module]:
            owner, (*outer, name) = sys.modules[module], path.split(".")
            for part in outer:
                owner = getattr(owner, part)
            seams.replace(owner, name, self._asking(f"{module}.{path}"))

    def _asking(self, what: str) -> Callable[[Any], Any]:
        def make(run: Any) -> Any:
            def write(*args: Any, **kwargs: Any) -> Any:
                if args[1:2] != ("r",):  # of a file that is opened in one of several ways
                    self.cut.refuse(what)
                return run(*args, **kwargs)

            return write

        return make

    def judge(self, whole: bool) -> Judgement:
        """Nothing is judged of what was written."""
        return Judgement()
