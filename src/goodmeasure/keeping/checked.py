"""Files that begin with the checksum of what they hold, so that one that is damaged is never taken for what was kept."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from goodmeasure.keeping.unfinished import begin_file

_DIGEST = hashlib.sha256().digest_size


def kept(place: Path) -> bytes | None:
    """What a file holds; None if it is not there whole."""
    with suppress(OSError):
        data = place.read_bytes()
        if hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]:
            return data[_DIGEST:]
    return None


def keep(place: Path, data: bytes) -> None:
    """Write a file whole; where the disk does not let us, nothing is kept."""
    with suppress(OSError):
        descriptor, draft = begin_file(place.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(hashlib.sha256(data).digest() + data)
                file.flush()
                draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
