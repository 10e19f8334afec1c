"""Runs programs with time limits: one at a time, or many tests at once, each in its own process.

A program that exceeds its limit gets SIGTERM and, after a grace period, SIGKILL, as do all processes that it started. All
times are multiplied by UMBRA_CHECK_SCALE: with a small one, a dry run of the whole check takes seconds.
"""
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

SCALE = float(os.environ.get("UMBRA_CHECK_SCALE", "1"))
GRACE = 2.0 * SCALE  # between SIGTERM and SIGKILL
SIDE_BY_SIDE = 12
TEST_LIMIT = 40.0 * SCALE
SHORTEST = 3.0 * SCALE  # no test is started with less time left

_live, _lock = set(), threading.Lock()
_stopped = threading.Event()


class Ended:
    """How a program ended: `status` as in subprocess (negative: a signal), `how` in one word, and its output."""

    def __init__(self, name, status, timed_out, seconds, log):
        self.name, self.status, self.timed_out, self.seconds, self.log = name, status, timed_out, seconds, log

    @property
    def how(self):
        if self.timed_out:
            return "hung"
        if self.status is None:
            return "not_run"
        return "passed" if self.status == 0 else "crashed" if self.signal else "failed"

    @property
    def signal(self):
        """The name of the signal that ended it. A shell or loader that started it reports 128 + the signal's number."""
        number = -self.status if self.status < 0 else self.status - 128
        return next((s.name for s in signal.Signals if s.value == number), "")

    def text(self):
        """Its output; only the beginning and the end if it is very long."""
        most = 1 << 20
        if not self.log or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            if (size := self.log.stat().st_size) <= 2 * most:
                return file.read().decode(errors="replace")
            head = file.read(most)
            file.seek(size - most)
            return (head + b"\n" + file.read()).decode(errors="replace")

    def said(self, lines=1):
        """How it ended, if it did not end by itself, and its last lines."""
        end = {"hung": [f"ended after {self.seconds:.1f} s"], "crashed": [self.signal] if self.status else [],
               "not_run": ["the check was ended" if _stopped.is_set() else "no time was left"]}.get(self.how, [])
        return end + [line[:300] for line in self.text().splitlines() if line.strip()][-lines:]


def _signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass


def _wait(process, seconds):
    try:
        process.wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def run(name, command, log, limit, env=None, cwd=None, separate_stderr=None):
    """Runs a command for at most `limit` seconds, including the time to end it. Its output goes to the file `log`."""
    log = pathlib.Path(log)
    begin = time.monotonic()
    if _stopped.is_set() or limit <= GRACE / 2:
        return Ended(name, None, False, 0, log)
    with log.open("wb") as out, open(separate_stderr or os.devnull, "wb") as err:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, cwd=cwd, start_new_session=True,
                                       stderr=err if separate_stderr else subprocess.STDOUT,
                                       env={**os.environ, **(env or {})})
        except OSError as error:
            out.write(f"{error}\n".encode())
            return Ended(name, 127, False, 0, log)
    with _lock:
        _live.add(process)
    timed_out = not _wait(process, max(limit - GRACE, GRACE / 2))
    if timed_out:
        _signal_group(process, signal.SIGTERM)
        _wait(process, GRACE)
    _signal_group(process, signal.SIGKILL)  # also ends processes that it left running
    _wait(process, 2)  # a process that a driver holds may outlive its SIGKILL
    with _lock:
        _live.discard(process)
    status = process.returncode if process.returncode is not None else -signal.SIGKILL
    if _stopped.is_set():
        status, timed_out = None, False
    return Ended(name, status, timed_out, time.monotonic() - begin, log)


def stop(*_):
    """Ends all programs and starts no more, because the check itself was asked to end."""
    _stopped.set()
    with _lock:
        for process in _live:
            _signal_group(process, signal.SIGKILL)


# ---- tests of GoogleTest ---------------------------------------------------------------------------------------------

def names_of_tests(listing):
    """The full names of tests in the output of --gtest_list_tests."""
    suite, names = "", []
    for line in listing.splitlines():
        line = line.split("#")[0].rstrip()
        if re.fullmatch(r"\S+\.", line):
            suite = line
        elif suite and re.fullmatch(r"  \S+", line):
            names.append(suite + line.strip())
    return names


def failure_of(ended):
    """One line: the first failure that a test reports, or why it was skipped; otherwise the last line of its output."""
    lines = ended.text().splitlines()
    for i, line in enumerate(lines):
        if re.search(r": (Failure|Skipped)$", line) or line == "unknown file: Failure":
            return " ".join(part.strip() for part in lines[i + 1:i + 4] if not part.startswith("[ "))[:400]
    return " | ".join(ended.said())[:400]


def run_tests(names, command_of, folder, limit, env, at_once=SIDE_BY_SIDE, each=TEST_LIMIT):
    """Runs every test in its own process. Returns {"passed": [...], "failed": [...], ...} and one line per failure."""
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + limit

    def one(name):
        left = end - time.monotonic()
        log = folder / (re.sub(r"[^\w.-]", "_", name) + ".log")
        if left < SHORTEST:
            return Ended(name, None, False, 0, log)
        return run(name, command_of(name), log, min(each, left), env)

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        ended = list(pool.map(one, names))
    groups = {how: [] for how in ("passed", "skipped", "failed", "crashed", "hung", "not_run")}
    said = []
    for test in ended:
        how = "skipped" if test.how == "passed" and "[  SKIPPED ]" in test.text() else test.how
        groups[how].append(test.name)
        if how in ("failed", "crashed", "hung"):
            said.append(f"{test.name} {how}: {failure_of(test)}")
    if groups["skipped"] and not groups["passed"]:
        said.append(f"every test was skipped: {failure_of(ended[names.index(groups['skipped'][0])])}")
    return groups, said
