"""The script that is run where there is an accelerator: does it hold, and does it see what is wrong?"""

from __future__ import annotations

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def test_losses_are_right_on_the_device(script, capsys):
    assert script("on_device").main(["--device", DEVICE, "huber", "focal"]) == 0, capsys.readouterr().out
    assert "0 wrong" in capsys.readouterr().out


@pytest.mark.parametrize("named", ["huber", "focal"])
def test_a_wrong_number_is_told_of(script, capsys, monkeypatch, named):
    on_device = script("on_device")
    right = on_device.found

    def spoiled(check, device, dtype, **how):
        answers = right(check, device, dtype, **how)
        return answers if dtype == torch.float64 else [1.2 * each for each in answers]

    monkeypatch.setattr(on_device, "found", spoiled)
    monkeypatch.setattr(on_device, "OPTIONS", on_device.OPTIONS[:1])
    assert on_device.main(["--device", DEVICE, named]) == 1
    assert "torch.float32: " in capsys.readouterr().out


def test_where_there_is_no_device_it_says_so(script, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert script("on_device").main([]) == 1
    assert "--device cpu" in capsys.readouterr().out
