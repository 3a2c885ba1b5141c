"""Functions that LLVM compiles from its own language, kept on disk between runs: one object file each, checked before it is used.

A file is named by what its machine code follows from: the source of the function, how that is lowered and compiled, LLVM, the
processor and what it can do. What was kept is linked into this process as it is, so it stands in the private directory alone; a
file that is damaged is compiled anew and replaced.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Any, NamedTuple

from goodmeasure.keeping.checked import keep, kept
from goodmeasure.keeping.forking import held_at_fork
from goodmeasure.keeping.private import directory
from goodmeasure.strict.extras import needed

_NAME = "goodmeasure_kernel_"
_lock = threading.RLock()
held_at_fork(_lock)  # LLVM has a lock of its own, which is held while it compiles


@cache
def compiles() -> bool:
    """Whether LLVM is here. One that is installed and does not start is told of: nobody chose to do without. Error: GM008."""
    return find_spec("llvmlite") is not None and bool(needed("llvmlite.binding", "what is compiled"))


class Lowering(NamedTuple):
    """What writes a source in LLVM's language, under the name it is given; and the text that it does so by."""

    write: Callable[[str, str], str]
    text: str


def address(source: str, lowering: Lowering) -> int:
    """Where the function of a source stands in this process: compiled, or loaded from the disk. Error: GM008."""
    with _lock:
        return _machine().address(source, lowering)


@cache
def _machine() -> _Machine:
    return _Machine(needed("llvmlite.binding", "what is compiled"))


class _Machine:
    """This processor, and the functions that were made for it."""

    def __init__(self, llvm: Any) -> None:
        self.llvm, self.known = llvm, dict[str, int]()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        if os.name == "nt":
            llvm.load_library_permanently("ucrtbase.dll")  # elsewhere the process itself has what the C library has
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        target = llvm.Target.from_triple(llvm.get_process_triple())
        self.processor = target.create_target_machine(
            cpu=cpu, features=features, opt=2, jit=True, codemodel="jitdefault",
            reloc="static" if target.name.startswith("x86") else "default",
        )  # fmt: skip
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.processor)
        own = resources.files(__package__).joinpath("machine_code.py").read_text("utf-8")
        self.identity = repr((llvm.llvm_version_info, self.processor.triple, cpu, features, own))

    def address(self, source: str, lowering: Lowering) -> int:
        key = hashlib.sha256(repr((self.identity, lowering.text, source)).encode()).hexdigest()
        if key not in self.known:
            name = f"{_NAME}{key[:32]}"
            found = self.llvm.object_file.ObjectFileRef.from_data(
                self.object(key, lambda: lowering.write(source, name))
            )
            self.engine.add_object_file(found)
            self.engine.finalize_object()
            self.known[key] = self.engine.get_function_address(name)
        return self.known[key]

    def object(self, key: str, text: Callable[[], str]) -> bytes:
        """The machine code of a text, from the disk if it is there whole."""
        folder = directory()
        place = folder and folder / f"{key}.compiled"
        found = kept(place) if place else None
        if found is None:
            found = self.compiled(text())
            if place:
                keep(place, found)
        return found

    def compiled(self, text: str) -> bytes:
        """The machine code of a text."""
        llvm = self.llvm
        module = llvm.parse_assembly(text, llvm.create_context())
        module.triple, module.data_layout = self.processor.triple, str(self.processor.target_data)
        tuning = llvm.create_pipeline_tuning_options(speed_level=3)
        tuning.loop_vectorization, tuning.loop_interleaving = True, True
        passes = llvm.create_pass_builder(self.processor, tuning)
        passes.getModulePassManager().run(module, passes)
        found: bytes = self.processor.emit_object(module)
        return found
