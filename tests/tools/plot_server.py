#!/usr/bin/env python3
"""Runs tools/plot.py as often as a test asks, each time in a process of its own that begins with the imports done, which
take longer than most figures, and without Python's search for cyclic garbage, which takes a sixth of a figure's time.

Reads lines FOLDER<tab>WORDS. plot.py runs in FOLDER with these words, its output goes to the files `said` and `complaint`
there, and the answer is a line with its exit status.
"""
import gc
import os
import runpy
import shlex
import sys

PLOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "plot.py")
sys.path.insert(0, os.path.dirname(PLOT))
sys.dont_write_bytecode = True
import plot  # noqa: F401, E402
gc.disable()


def run(folder, words):
    os.chdir(folder)
    for name, stream in (("said", 1), ("complaint", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), stream)
    sys.argv = [PLOT, *shlex.split(words)]
    runpy.run_path(PLOT, run_name="__main__")


while line := sys.stdin.readline():
    child = os.fork()
    if child == 0:
        run(*line.rstrip("\n").split("\t"))
        sys.exit("plot.py ended without an exit status")
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
