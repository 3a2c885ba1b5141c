"""Pages that need nothing but themselves: how templates fill them, and a policy that lets nothing out."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any


def templates(package: str) -> Any:
    """The templates of a package: what they are filled with is escaped, and what they lack is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(script: str, *, images: bool = False) -> str:
    """What a page may fetch or run: nothing but its own styles, the one script by its hash, and images written in it if said."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; connect-src 'none'; {'img-src data:; ' * images}script-src 'sha256-{digest}'; "
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    )
