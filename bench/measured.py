"""Runs a program and writes what it took: `python -S -m bench.measured PROGRAM ARGUMENT …`.

A process of its own does that, and a small one: what Linux says of a child's largest size begins with that of whoever
started it, and a benchmark that has made a gigabyte is large.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time


def main() -> None:
    """Prints JSON, after the program has ended: wall, cpu (seconds), memory (bytes), status, out (what it printed)."""
    begin = time.perf_counter()
    done = subprocess.run(
        sys.argv[1:],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    wall = time.perf_counter() - begin
    # Of the program and of all that it has waited for.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
        "status": done.returncode,
        "out": done.stdout.decode(errors="replace"),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
