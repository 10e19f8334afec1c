"""The parts of the check: their stages in order, with the limit of each."""
import collections
import re
import statistics
import time

import estimates
import extra
import running
import steps
from steps import outcome

Stage = collections.namedtuple("Stage", "name limit run")
Part = collections.namedtuple("Part", "limit stages")
ARCHIVE = 12  # seconds that every part reserves for its archive

# ---- triage: which kernels work --------------------------------------------------------------------------------------

ENVIRONMENT = """
nvidia-smi
nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv
uname -a; nproc; ldd --version | head -1; nvcc --version | tail -2
python3 -c 'import torch; print("torch", torch.__version__, "cuda", torch.version.cuda, "cudnn", torch.backends.cudnn.version())'
"""


def environment(check, limit):
    ended = running.run("environment", ["bash", "-c", ENVIRONMENT], check.log("environment.log"), limit)
    return outcome("cut short" if ended.timed_out else "passed", ended.said(), ended.timed_out)


def is_of_peer(name):
    return bool(re.search(r"cudnn|cublaslt", name, re.IGNORECASE))


def protocol(check, limit):
    """Barriers, copies, wgmma and clusters; products of 200 columns with MN-major operands first."""
    names, listed = steps.list_tests(check, limit / 2)
    names = [name for name in names if "Protocol" in name]
    if not names:
        return outcome(listed.how if listed.how != "passed" else "failed", ["no protocol tests are listed"] + listed.said())
    names.sort(key=lambda name: "n200" not in name)
    return steps.tests(check, "protocol", names, limit - listed.seconds)


def rank(name):
    """Tensor-core kernels first, then tests that train (they take longest), then the rest."""
    return 0 if re.search(r"cuda_[4-9]_", name) else 1 if re.search(r"CudaTrain|Golden", name) else 2


def rungs(check, limit):
    """The gauntlet of every rung, training, optimisers and goldens, without the peers."""
    names, listed = steps.list_tests(check, limit / 2)
    names = sorted((n for n in names if "Cuda" in n and not is_of_peer(n)), key=rank)
    if not names:
        return outcome(listed.how if listed.how != "passed" else "failed", ["no tests are listed"] + listed.said())
    return steps.tests(check, "tests", names, limit - listed.seconds)


def step(precision, count):
    return lambda check, limit: steps.step(check, limit, precision, count)


# ---- measure: how fast -----------------------------------------------------------------------------------------------

FAST = r"(cuda_[367][^/]*|cudnn|cublaslt)/"  # 3 is the fallback; 4 and 5 are only steps towards 6 and 7
SQUARES = rf"^linear_.*/{FAST}.* (tf32|bf16).*/squares/"
# The convolutions of a step at C = 200: of layers with the library, then of packed operands, as the step launches them.
SHAPES_200 = r".*(c200:[0-9]+ i[48]x|c400:[0-9]+ i2x|c800:800 i1x).* (tf32|bf16).*"
LAYERS = rf"^conv_OP/((cuda_[67][^/]*|cudnn|cublaslt)/{SHAPES_200}/layers|cuda_7[^/]*/{SHAPES_200}/step)/"


def again(check, limit):
    """The tests that failed in triage, again."""
    names = check.failures_of_triage()
    if names is None:
        return outcome("skipped", ["there is no report of triage"])
    return steps.tests(check, "again", names, limit) if names else outcome("skipped", ["nothing failed in triage"])


def squares(check, limit):
    return steps.kernels(check, "squares", SQUARES, limit)


def layers(op):
    return lambda check, limit: steps.kernels(check, "layers200_" + op, LAYERS.replace("OP", op), limit)


def tables(check, _):
    """Writes gpu_kernels.md, the table of all kernels that were timed, and compares them with the model."""
    files = sorted(path for path in check.logs.glob("kernels_*.json") if steps.entries(path))
    if not files:
        return outcome("skipped", ["no kernel was timed"])
    machine = steps.json_lines(check.log("machine.json").read_text())
    if not machine or "peak_gflops" not in machine[0]:
        return outcome("skipped", ["the peaks of this GPU are unknown, so there is no roofline"])
    kernels = steps.report.GpuKernels(files, machine[0], check.model["kernels"])
    check.log("gpu_kernels.md").write_text(kernels.text())
    return outcome("passed", estimates.compared(check.model, kernels.ops))


# ---- change: old against new -----------------------------------------------------------------------------------------

CHANGED = r"^conv_(fprop|dgrad|wgrad)/cuda_[67][^/]*/.*c200:200 .* bf16.*/layers/"
MOST_TURNS = 8


def turns(limit, measure):
    """Calls measure(side, name, seconds) for old and new in alternating order, at least once each, at most MOST_TURNS
    times, and while time is left. measure returns numbers by name and an error message, which is empty if there was no
    error. Returns a list of numbers per side and name, and the error messages."""
    samples, complaints = {"old": {}, "new": {}}, []
    end, turn, longest = time.monotonic() + limit, 0, 0.0
    while turn == 0 or (turn < MOST_TURNS and end - time.monotonic() > 2.2 * longest):
        for i, side in enumerate(("old", "new") if turn % 2 == 0 else ("new", "old")):
            start = time.monotonic()
            numbers, complaint = measure(side, f"{side}_{turn}", (end - start) / (2 - i))
            longest = max(longest, time.monotonic() - start)
            complaints += [f"{side}: {complaint}"] if complaint else []
            for name, value in numbers.items():
                samples[side].setdefault(name, []).append(value)
        turn += 1
        if complaints:
            break
    return samples, complaints


def compared(samples, complaints):
    said, ratios = list(complaints), {}
    for name in samples["old"]:
        if name in samples["new"]:
            old, new = statistics.median(samples["old"][name]), statistics.median(samples["new"][name])
            ratios[name] = new / old
            said.append(f"{name}: old {old:.4g}, new {new:.4g}, new / old {new / old:.3f} ({len(samples['new'][name])} turns)")
    missing = sorted(set(samples["old"]) ^ set(samples["new"]))
    said += [f"{name}: measured on one side only" for name in missing]
    return outcome("failed" if complaints or missing or not ratios else "passed", said, samples=samples, ratios=ratios)


def changed_step(check, limit):
    """Times the bf16 step at C = 200, in ms."""
    def measure(side, name, seconds):
        bundle = check.sides[side]
        ended = running.run(name, bundle.command("train_step", "--device", "cuda", "model.channels=200", "--steps", 100, "--precision", "bf16"),
                            check.log(f"step_{name}.log"), seconds, bundle.env)
        lines = steps.json_lines(ended.text())
        if ended.how != "passed" or not lines:
            return {}, f"{ended.how}: {' | '.join(ended.said())}"
        return {"step, ms": statistics.median(lines[-1]["total_ms"])}, ""
    return compared(*turns(limit, measure))


def changed_kernels(check, limit):
    """Times kernels, in ns."""
    def measure(side, name, seconds):
        result = steps.kernels(check, name, check.filter or CHANGED, seconds, check.sides[side])
        numbers = {run["run_name"].removesuffix("/manual_time"): run["real_time"]
                   for run in steps.entries(check.log(f"kernels_{name}.json")) if run.get("aggregate_name") == "median"}
        return numbers, "" if result["status"] == "passed" else f"{result['status']}: {' | '.join(result['said'])}"
    return compared(*turns(limit, measure))


PARTS = {
    "triage": Part(300, [
        Stage("machine", 20, steps.machine), Stage("environment", 25, environment), Stage("protocol", 35, protocol),
        Stage("tests", 155, rungs), Stage("step", 50, step("bf16", 20))]),
    "measure": Part(300, [
        Stage("machine", 15, steps.machine), Stage("pytorch", 80, steps.pytorch), Stage("step_bf16", 24, step("bf16", 100)),
        Stage("step_tf32", 20, step("tf32", 100)), Stage("step_fp32", 15, step("fp32", 50)), Stage("squares", 28, squares),
        Stage("layers200_fprop", 20, layers("fprop")), Stage("layers200_dgrad", 20, layers("dgrad")), Stage("layers200_wgrad", 20, layers("wgrad")),
        Stage("again", 40, again), Stage("tables", 3, tables)]),
    "change": Part(180, [
        Stage("machine", 15, steps.machine), Stage("steps", 70, changed_step), Stage("kernels", 80, changed_kernels)]),
    "extra": Part(None, [Stage("machine", 60, steps.machine), *(Stage(*stage) for stage in extra.STAGES)]),
}
