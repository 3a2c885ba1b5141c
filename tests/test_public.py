"""What does importing cost, and is what is public what is promised?"""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import goodmeasure as gm

HEAVY = (
    "scipy",
    "numba",
    "sklearn",
    "torch",
    "jax",
    "keras",
    "matplotlib",
    "duckdb",
    "mpmath",
    "pandas",
    "polars",
    "rich",
)


def loaded(code: str) -> set[str]:
    probe = f"import sys\n{code}\nprint(' '.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_brings_in_numpy_at_most():
    assert not loaded("import goodmeasure") & set(HEAVY)


def test_a_loss_needs_numpy_alone():
    code = "import goodmeasure as gm\nfor make in gm.losses.catalogue().values(): make().signal"
    assert not loaded(code) & set(HEAVY)


@pytest.mark.parametrize("name", dir(gm))
def test_every_public_name_is_there_and_says_what_it_is(name):
    found = getattr(gm, name)
    if inspect.isclass(found) or inspect.isfunction(found):
        assert (found.__doc__ or "").strip(), name
        assert not (found.__doc__ or "").startswith(f"{name}("), "a sentence, not a signature"


def test_what_is_not_public_is_not_there():
    with pytest.raises(AttributeError, match="no_such_thing"):
        gm.no_such_thing  # noqa: B018


def test_threads_are_a_setting():
    before = gm.threads
    gm.threads = 1
    assert gm.threads == 1
    with pytest.raises(ValueError, match="threads"):
        gm.threads = 0
    gm.threads = before


def test_no_room_has_the_name_of_a_public_function():
    rooms = {room.name for room in Path(gm.__file__).parent.iterdir() if room.is_dir()}
    assert not {name for name in rooms & set(dir(gm)) if not inspect.ismodule(getattr(gm, name))}
