"""Does docs/torch.md run as it is written, and are its recipes the ones that are tested?"""

import re
from pathlib import Path

import torch

PAGE = (Path(__file__).parent.parent / "docs" / "torch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_page_runs_from_top_to_bottom():
    torch.manual_seed(0)
    known = {}
    for block in BLOCKS:
        exec(compile(block, "docs/torch.md", "exec"), known)
    assert len(BLOCKS) > 5


def test_the_recipes_are_those_that_are_tested():
    tested = Path(__file__).with_name("test_denominators.py").read_text(encoding="utf-8")
    for part in ("outputs.logits.flatten(0, 1), labels.flatten(), denominator=num_items_in_batch",
                 "self.trainer.accumulate_grad_batches / gm.global_denominator(self.counted)",
                 "criterion(self.model(x), y, denominator=1)"):  # fmt: skip
        assert part in PAGE
        assert part in tested
