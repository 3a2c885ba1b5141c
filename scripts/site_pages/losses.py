"""Pages of losses: as they are kept, with the picture of each in its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from catalogue import PICTURE
from loss_pictures import picture

from goodmeasure import losses


def illustrated(kept: Mapping[str, str]) -> dict[str, str]:
    """The pages with their pictures, which follow the colours of the site."""
    found = dict(kept)
    for name, definition in losses.catalogue().items():
        drawn, said = picture(definition())
        parts = "".join(replace(drawn, said=said).parts())
        place = f"losses/{name}.md"
        figure = f'<figure class="picture"><div>{parts}</div><figcaption>{said}</figcaption></figure>'
        found[place] = kept[place].replace(PICTURE, figure)
    return found
