"""Settings that all tests share."""

import os

from hypothesis import settings

os.environ.setdefault("KERAS_BACKEND", "torch")
settings.register_profile("suite", max_examples=50, deadline=None, derandomize=True)
settings.load_profile("suite")
