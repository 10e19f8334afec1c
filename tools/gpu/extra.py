"""Stages that take longer than a quarter of an hour and run on request:  gpu_check.sh extra --stages sanitizer,profile"""
import pathlib
import statistics
import tempfile

import running
import steps
from steps import of_program, outcome

HOUR = 3600


def all_tests(check, limit):
    """Every test at its full size, including those of the peers."""
    names, listed = steps.list_tests(check, 60)
    own = steps.tests(check, "all_tests", names, limit / 2, {"OMP_NUM_THREADS": "2"}, at_once=8, each=HOUR / 4) if names else of_program(listed)
    names, listed = steps.list_tests(check, 60, "peers_tests")
    peers = steps.tests(check, "peers", names, limit / 2, {}, "peers_tests", at_once=4, each=HOUR / 4) if names else of_program(listed)
    worse = own if own["status"] != "passed" else peers
    return {**worse, "said": own["said"] + peers["said"]}


def sass(check, limit):
    """Checks the machine code of the tensor-core kernels. The script exits with status 77 if there is no disassembler."""
    ended = running.run("sass", ["bash", check.bundle.folder / "sass_check.sh", check.bundle.folder / "bin" / "cuda_tests"], check.log("sass.log"), limit)
    return outcome("skipped", ended.said()) if ended.status == 77 else of_program(ended, 3)


def sanitizer(check, limit):
    """Small problems under compute-sanitizer. racecheck may report false errors in pipelines of TMA and wgmma: check them by hand."""
    names, listed = steps.list_tests(check, 60)
    names = [n for n in names if ("CudaGauntlet" in n or "CudaTrain.AReplayed" in n) and "cudnn" not in n and "cublaslt" not in n]
    outcomes = []
    for tool in ("memcheck", "racecheck"):
        def command_of(name, tool=tool):
            return ["compute-sanitizer", "--tool", tool, "--target-processes", "all", "--error-exitcode", "9", "--print-limit", "20",
                    *check.bundle.command("cuda_tests", "--gtest_filter=" + name)]
        groups, said = running.run_tests(names, command_of, check.log(tool), limit / 2,
                                         {**check.bundle.env, "OMP_NUM_THREADS": "1", "UMBRA_MOST_FLOPS": "3e5"}, each=HOUR / 6)
        outcomes.append((tool, groups, said))
    bad = [name for _, groups, _ in outcomes for how in ("failed", "crashed", "hung", "not_run") for name in groups[how]]
    said = [f"{tool}: {len(groups['passed'])} passed, {len(groups['skipped'])} skipped" for tool, groups, _ in outcomes]
    return outcome("failed" if bad or not names else "passed", said + [line for _, _, lines in outcomes for line in lines], failed=bad)


FAST = r"(cuda_[3-9][^/]*|cudnn|cublaslt[_a-z]*)/"
OWN = r"(cuda_[2-9]|cuda_1_block)"
SETS = {
    "squares": rf"linear_.*{FAST}.*/squares/",
    "layers200": rf"conv_(fprop|dgrad|wgrad)/({FAST}|cuda_2).*c(200|400|800):.*/(layers|step)/",
    "rest": rf"(stem3d|batch_norm|adam|conv_inference).*{OWN}.*/layers/|peak",
    "volumes": rf"conv_(fprop|dgrad|wgrad)/{FAST}.* (tf32|bf16).*/volumes/",
    "images": rf"conv_(fprop|dgrad|wgrad)/{FAST}.* (tf32|bf16).*/images/",
    "layers20": rf"conv_(fprop|dgrad|wgrad)/{FAST}.*c(1|20|40|80):.*/layers/",
    "layers100": rf"conv_(fprop|dgrad|wgrad)/{FAST}.*c100:.*/layers/",
    "fp32": r"conv_(fprop|dgrad|wgrad)/(cuda_2|cudnn/).* p[0-9x]+/(volumes|images)/",
    "conversions": r"conv_(fprop|dgrad|wgrad)/cudnn.conversions.*c200.*/layers/",
}


def bench(check, limit):
    """Every fast kernel, compared with the best plans of cuDNN and cuBLASLt."""
    said, status = [], "passed"
    for name, pattern in SETS.items():
        result = steps.kernels(check, name, pattern, limit / len(SETS), search=1)
        said += [f"{name}: {line}" for line in result["said"]]
        status = status if result["status"] in ("passed", "cut short") else "failed"
    return outcome(status, said)


def all_steps(check, limit):
    """Steps of umbra and PyTorch at every size and precision, and of umbra with cuDNN's convolutions."""
    said, status = [], "passed"
    for channels in (20, 100, 200):
        results = {f"C={channels} {p}": steps.step(check, limit / 20, p, 100, channels) for p in ("bf16", "tf32", "fp32")}
        results[f"C={channels}"] = steps.pytorch(check, limit / 6, channels, ("bf16", "tf32", "fp32"))
        said += [f"{name}: {line}" for name, result in results.items() for line in result["said"]]
        status = status if all(result["status"] == "passed" for result in results.values()) else "failed"
    cudnn = running.run("cudnn", check.bundle.command("train_step", "--device", "cuda", "model.channels=200", "--steps", 50, "--precision", "tf32",
                                                      "--kernels", "conv3d=cudnn"), check.log("step_cudnn.log"), limit / 20, check.bundle.env)
    lines = steps.json_lines(cudnn.text())
    return outcome(status, said + ["C=200 tf32 with cuDNN: " + (steps.median_of(lines[-1]) if lines else " | ".join(cudnn.said(2)))])


def profile(check, limit):
    """The time of every op of a step, slowest first."""
    for channels in (20, 200):
        for precision in ("fp32", "tf32", "bf16"):
            ended = running.run("profile", check.bundle.command("train_step", "--device", "cuda", f"model.channels={channels}", "--steps", 3,
                                                                "--precision", precision, "--profile"),
                                check.log(f"profile_{channels}_{precision}.log"), limit / 6, check.bundle.env)
            if ended.how != "passed":
                return of_program(ended)
    return outcome("passed")


def training(check, limit):
    """Five seeds on the GPU in each precision and on the CPU in fp32: chi^2 must agree within the scatter of the seeds."""
    with tempfile.TemporaryDirectory() as folder:
        return train_all(check, limit, pathlib.Path(folder))


def train_all(check, limit, folder):
    catalog, env = check.bundle.folder / "catalog.h5", check.bundle.env
    if not catalog.exists():
        catalog = folder / "mock.h5"
        if (made := running.run("mock", check.bundle.command("mock", "--out", catalog), check.log("mock.log"), limit / 10, env)).how != "passed":
            return of_program(made)
    chi2 = {}
    for device, precision in (("cuda", "fp32"), ("cuda", "tf32"), ("cuda", "bf16"), ("cpu", "fp32")):
        for seed in range(1, 6):
            out = folder / f"{device}_{precision}_{seed}"
            ended = running.run("train", check.bundle.command(
                "train", "--data", catalog, "--config", check.bundle.folder / "configs" / "um_resnet.toml", "--out", out, f"train.seed={seed}",
                f"device={device}", f"precision={precision}", "train.epochs=15"), check.log(out.name + ".log"), limit / 25, env)
            if ended.how != "passed":
                return of_program(ended, 3)
            rows = [line for line in (out / "metrics.csv").read_text().splitlines() if ",validation," in line]
            chi2.setdefault(f"{device} {precision}", []).append(float(rows[-1].split(",")[4]))
    mean, spread = ({run: f(values) for run, values in chi2.items()} for f in (statistics.mean, statistics.stdev))
    far = [r for r in chi2 if abs(mean[r] - mean["cpu fp32"]) > 2 * max(spread[r], spread["cpu fp32"]) * (2 / 5) ** 0.5]
    return outcome("failed" if far else "passed", [f"{r}: chi2 {mean[r]:.2f} +- {spread[r]:.2f}" for r in chi2], failed=far)


STAGES = [("all_tests", HOUR, all_tests), ("sass", 600, sass), ("sanitizer", HOUR, sanitizer), ("bench", HOUR / 2, bench),
          ("steps", HOUR / 2, all_steps), ("training", HOUR, training), ("profile", 600, profile)]
