"""Audits scripts one after another, each in a process that is forked from this one, which has imported their libraries.

``python audit_scripts_run.py FOLDER SCRIPT...`` prints a line of JSON for each: its name, its seconds, what came of it.
``LIBRARIES`` names others than the usual ones.
"""

import gc
import importlib
import json
import os
import pkgutil
import random
import resource
import sys
from pathlib import Path

import numpy as np
import torch

import goodmeasure.auditing.evidence as evidence
from goodmeasure.auditing.observing import keras_host, sklearn_host, torch_host  # noqa: F401
from goodmeasure.auditing.observing.running import Invocation, run
from goodmeasure.auditing.rule import all_rules


def audited(script, folder):
    """What an audit of this script tells, and the CPU seconds that it took."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _in_child(script, folder, write)
    os.close(write)
    with os.fdopen(read) as told:
        text = told.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"crash": "the process ended before it told anything"}


def _in_child(script, folder, descriptor):
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.chdir(folder)
    random.seed(0)  # a script that seeds nothing says the same each time
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)
    try:
        outcome = run(Invocation(str(script))).to_dict()
    except BaseException as error:  # a fault of the observation: the test shows it
        outcome = {"crash": repr(error)}
    outcome["cpu"] = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with os.fdopen(descriptor, "w") as told:
        json.dump(outcome, told)
    os._exit(0)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for library in os.environ.get("LIBRARIES", "keras lightning torchmetrics").split():
        importlib.import_module(library)
    all_rules()
    for module in pkgutil.iter_modules(evidence.__path__):
        importlib.import_module(f"{evidence.__name__}.{module.name}")
    gc.freeze()  # or each child's collector walks through all that was imported, and copies every page of it
    for name in sys.argv[2:]:
        print(json.dumps({"script": Path(name).stem} | audited(Path(name), sys.argv[1])), flush=True)
