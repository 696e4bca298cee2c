"""Run a program that is told to stop when its parent dies: `tether.py PARENT_PID PROGRAM ARGUMENT…`.

A program of its own, because Popen's preexec_fn is not safe in a process that has threads. Standard
library only; it replaces itself with the program.
"""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux; elsewhere children outlive a parent that was killed


def hold_children() -> None:
    """Every process forked from now on is killed when the one that forked it dies.

    A queue cluster whose sentinel is killed would leave workers behind that sleep, or work, for ever. What
    they were at is safe to cut: it is somebody else's as soon as their heartbeat is missed.
    """
    with contextlib.suppress(OSError, AttributeError):
        prctl = ctypes.CDLL(None).prctl
        os.register_at_fork(after_in_child=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL))


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
