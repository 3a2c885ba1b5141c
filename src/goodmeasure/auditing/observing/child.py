"""The process in which a program is audited: ``python -m goodmeasure.auditing.observing.child DESCRIPTOR REQUEST``."""

from __future__ import annotations

import json
import os
import sys

from goodmeasure.auditing.observing.running import Invocation, run


def main(descriptor: int, request: str) -> int:
    """Run the program, write what came of it to the descriptor, and return the program's own status."""
    os.set_inheritable(descriptor, False)
    os.dup2(2, 1)  # what the program prints is no part of the report
    asked = json.loads(request)
    outcome = run(Invocation(**asked | {"arguments": tuple(asked["arguments"])}), descriptor)
    outcome.write(descriptor)
    return outcome.status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
