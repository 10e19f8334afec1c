"""Stages that several parts share: the machine, tests (each in its own process), training steps, kernels."""
import glob
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

import estimates
import running

ROOT = pathlib.Path(__file__).absolute().parent.parent
sys.path += [str(ROOT), str(ROOT.parent / "bench")]  # report.py, in a bundle and in the repository
import report  # noqa: E402

SMALL = {"OMP_NUM_THREADS": "1", "UMBRA_MOST_FLOPS": "1e7"}  # for tests: references run on one thread
FALLBACK = "conv3d=cuda_3_mma,linear=cuda_3_mma"


def outcome(status, said=(), timed_out=False, **names):
    """The report of a stage. The status is passed, failed, hung, crashed, cut short, skipped, not_run or no_gpu."""
    return {"status": status, "timed_out": timed_out, "said": list(said), **{k: v for k, v in names.items() if v}}


def of_program(ended, lines=1):
    return outcome(ended.how, ended.said(lines), ended.timed_out)


# ---- the machine -----------------------------------------------------------------------------------------------------

def has_gpu():
    """Whether this machine has an NVIDIA GPU and a driver, found without umbra."""
    if shutil.which("nvidia-smi"):
        try:
            listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10)
            return "GPU " in listed.stdout
        except (OSError, subprocess.TimeoutExpired):
            return True  # there is a driver, although it does not answer
    return bool(glob.glob("/dev/nvidia[0-9]*"))


def machine(check, limit):
    """Runs bench/machine, which prints driver, runtime, resident clusters and peaks; names the sizes of which fewer clusters are
    resident than planned."""
    ended = running.run("machine", check.bundle.command("machine", "cuda"), check.log("machine.json"), limit, check.bundle.env,
                        separate_stderr=check.log("machine.log"))
    sentence = check.log("machine.log").read_text(errors="replace").strip().splitlines()[-1:]
    if ended.how == "passed":
        lines = json_lines(check.log("machine.json").read_text(errors="replace"))
        return outcome("passed", ended.said() + [said for line in lines for said in estimates.fewer_clusters(check.model, line)])
    if ended.how == "failed" and not has_gpu():
        return outcome("no_gpu", sentence)
    return outcome(ended.how, sentence + ended.said(), ended.timed_out)


# ---- tests -----------------------------------------------------------------------------------------------------------

def list_tests(check, limit, program="cuda_tests"):
    """The names of all tests of the program, and how the program that listed them ended."""
    listed = running.run("list", check.bundle.command(program, "--gtest_list_tests"), check.log(program + ".list"), limit, check.bundle.env)
    return running.names_of_tests(listed.text()), listed


def tests(check, folder, names, limit, environment=None, program="cuda_tests", **options):
    """Runs the named tests, each in its own process."""
    groups, said = running.run_tests(
        names, lambda name: check.bundle.command(program, "--gtest_filter=" + name), check.log(folder), limit,
        {**check.bundle.env, **(SMALL if environment is None else environment)}, **options)
    bad = groups["hung"] or groups["crashed"] or groups["failed"] or groups["not_run"]
    ran_none = not groups["passed"] and groups["skipped"]
    counts = ", ".join(f"{len(group)} {how.replace('_', ' ')}" for how, group in groups.items() if group)
    passed = groups.pop("passed")
    return outcome("failed" if bad or ran_none else "passed", [counts or "no tests"] + said, bool(groups["hung"]),
                   passed=len(passed), **groups)


# ---- training steps --------------------------------------------------------------------------------------------------

def median_of(line):
    return f"{statistics.median(line['total_ms']):.3f} ms, median of {len(line['total_ms'])} steps"


def json_lines(text):
    """The lines of JSON in a log."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                pass
    return found


def step(check, limit, precision, steps, channels=200):
    """The captured training step; if its best kernels fail, again with cuda_3_mma, which needs no feature of Hopper."""
    def attempt(name, seconds, *more):
        return running.run(name, check.bundle.command("train_step", "--device", "cuda", f"model.channels={channels}", "--steps", steps,
                                                      "--graph", "on", "--precision", precision, *more),
                           check.log(name + ".log"), seconds, check.bundle.env)
    best = attempt(f"step_{channels}_{precision}", 0.55 * limit)
    lines = json_lines(best.text())
    if best.how == "passed" and lines:
        return outcome("passed", [median_of(lines[-1]) + estimates.of_step(check.model, channels, precision)], lines=lines)
    said = [f"the best kernels: {best.how}: {' | '.join(best.said(2))}"]
    if precision == "fp32":  # its best kernels need no feature of Hopper
        return outcome(best.how if best.how != "passed" else "failed", said, best.timed_out)
    other = attempt(f"step_{channels}_{precision}_mma", limit - best.seconds, "--kernels", FALLBACK)
    lines = json_lines(other.text())
    said.append(f"with {FALLBACK}: " + (median_of(lines[-1]) if lines else f"{other.how}: {' | '.join(other.said(2))}"))
    return outcome(best.how if best.how != "passed" else "failed", said, best.timed_out or other.timed_out, lines=lines)


def pytorch(check, limit, channels=200, precisions=("bf16", "tf32"), steps=50):
    """PyTorch's steps, all in one process, which prints a line as soon as a variant is done."""
    runs = [f"{variant}:{launch}:{precision}" for launch in ("graph", "eager") for precision in precisions
            for variant in ("channels_last", "plain")]
    script = check.bundle.folder / "peers" / "pytorch_um_resnet.py"
    ended = running.run("pytorch", ["python3", script, "--device", "cuda", "--channels", str(channels), "--steps", str(steps),
                                    "--runs", ",".join(runs)], check.log(f"pytorch_{channels}.log"), limit)
    lines = json_lines(ended.text())
    said = [f"{line['program']} {line['launch']} {line['precision']}: " + (median_of(line) if "total_ms" in line else line["error"][:200])
            for line in lines]
    status = "cut short" if ended.timed_out and lines else ended.how
    return outcome(status, said if ended.how == "passed" else said + ended.said(), ended.timed_out, lines=lines)


# ---- kernels ---------------------------------------------------------------------------------------------------------

def entries(path):
    """The runs in a file written by Google Benchmark, even if it was cut short."""
    try:
        return report.entries(path)
    except (OSError, ValueError, KeyError):
        return []


def kernels(check, name, pattern, limit, bundle=None, search=0.2, repetitions=3):
    """Times the kernels whose names match. It is not a failure if the limit cuts this short; the report then names the kernel
    that was running."""
    bundle = bundle or check.bundle
    log, out = check.log(f"kernels_{name}.log"), check.log(f"kernels_{name}.json")
    begin = [*bundle.command("bench_kernels", "--device=cuda", "--benchmark_filter=" + pattern)]
    listed = running.run("list", [*begin, "--benchmark_list_tests"], check.log(f"kernels_{name}.list"), limit / 4, bundle.env)
    names = [line for line in listed.text().splitlines() if "/" in line] if listed.how == "passed" else []
    # Of the time of one launch, which a short kernel is averaged over 20 of: at least 10 ms for a repetition.
    ended = running.run(name, [*begin, "--benchmark_min_time=0.0005", f"--benchmark_repetitions={repetitions}",
                               "--benchmark_report_aggregates_only=true", f"--benchmark_out={out}", "--benchmark_out_format=json"],
                        log, limit - listed.seconds, {**bundle.env, "UMBRA_PEER_SECONDS": str(search)})
    runs = entries(out)
    done = {re.sub(r"/(manual_time|real_time|repeats:\d+)", "", run["run_name"]) for run in runs}
    next_one = next((n for n in names if re.sub(r"/(manual_time|real_time|repeats:\d+)", "", n) not in done), "")
    refused = {run["run_name"]: run.get("error_message", "") for run in runs if run.get("error_occurred")}
    said = [f"{len(done)} of {len(names)} kernels timed"] + [f"{n}: {why}"[:300] for n, why in list(refused.items())[:5]]
    if ended.timed_out:
        return outcome("cut short" if done else "hung", said + ["ended during " + (next_one or "an unknown kernel")], True,
                       during=next_one)
    if ended.how != "passed":
        return outcome(ended.how, said + [f"in {next_one}: " + " | ".join(ended.said())], during=next_one)
    return outcome("failed" if refused or not done else "passed", said)
