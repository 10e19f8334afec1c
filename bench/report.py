#!/usr/bin/env python3
"""Writes the samples of bench/run.sh as cpu.json and as the tables of cpu.md, or the kernels of a GPU as gpu_kernels.md:

    report.py --gpu OUT/kernels_*.json --machine OUT/machine.json --out OUT      (called by gpu_check.sh)
"""
import argparse
import json
import math
import pathlib
import platform
import re
import statistics
import subprocess

# Rates of products in TF32 and bf16 without sparsity, TFLOP/s, from the data sheets: the peak of tensor cores is not
# measured here, so percentages of a roofline in these precisions refer to the nominal rate.
NOMINAL = (("H100 PCIe", 378, 756), ("H100 NVL", 418, 835), ("GH200", 495, 989), ("H200", 495, 989), ("H100", 495, 989), ("A100", 156, 312))
ESTIMATES = {"us": "model, µs", "cluster": "blocks of a cluster"}
PEERS = {"cudnn": "cuDNN", "cublaslt": "cuBLASLt", "cublaslt_useful": "cuBLASLt useful", "cublaslt_dense": "cuBLASLt dense"}


def spread(values):
    """Median and quartiles as text: 12.3 (12.1-12.9)."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    digits = 0 if statistics.median(values) >= 200 else 1 if statistics.median(values) >= 20 else 2
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def table(groups, model, mode, columns):
    first = "C" if model == "um_resnet" else "images"
    lines = [f"| {first} | program | " + " | ".join(columns.values()) + " | umbra is faster by | peak memory, MB |",
             "| --- " * (4 + len(columns)) + "|"]
    for size in sorted({s for net, s, m, _ in groups if (net, m) == (model, mode)}):
        own = statistics.median(groups[model, size, mode, "umbra"]["total_ms"])
        for (net, c, m, program), group in groups.items():
            if (net, c, m) != (model, size, mode):
                continue
            ratio = "" if program.startswith("umbra") else f"{statistics.median(group['total_ms']) / own:.1f}"
            cells = [spread(group[key]) for key in columns]
            lines.append(f"| {c} | {program} | " + " | ".join(cells) + f" | {ratio} | {max(group['peak_memory_mb']):.0f} |")
    return "\n".join(lines)


def kernels(path, machine):
    """A table of medians per op: every problem, every rung."""
    ops = {}
    for run in json.loads(path.read_text())["benchmarks"]:
        if run.get("aggregate_name") == "median":
            op, rung, problem = run["run_name"].split("/")[:3]
            ops.setdefault(op, {}).setdefault(problem, []).append((rung, run))
    lines = []
    for op, problems in ops.items():
        lines += [f"## {op}", "", "| problem | rung | time, µs | useful GFLOP/s | of peak | GB/s | of copy |", "| --- " * 7 + "|"]
        for problem, rungs in problems.items():
            for rung, run in rungs:
                flops, bytes_ = run["FLOP/s"] / 1e9, run["bytes/s"] / 1e9
                lines.append(f"| {problem} | `{rung}` | {run['real_time'] / 1e3:.4g} | {flops:.3g} | {flops / machine['peak_gflops']:.0%} | "
                             f"{bytes_:.3g} | {bytes_ / machine['copy_gbs']:.0%} |")
        lines.append("")
    return "\n".join(lines)


def entries(path):
    """The runs in a file of Google Benchmark, also if it was cut short."""
    text = path.read_text()
    try:
        return json.loads(text)["benchmarks"]
    except json.JSONDecodeError:
        end = text.rfind("    }")
        return [] if end < 0 or '"benchmarks"' not in text else json.loads(text[:end] + "    }]}")["benchmarks"]


def precision_of(problem):
    return "bf16" if " bf16" in problem else "tf32" if " tf32" in problem else "fp32"


def group_of(set_, problem):
    """The stage of a layer of the UM ResNet (kernels of 3^3), the set of any other problem."""
    if set_ != "layers" or not (match := re.search(r"i(\d+)x\1x\1 k3x3x3 s(\d)", problem)):
        return set_
    extent, stride = int(match[1]), int(match[2])
    stage = {8: 1, 4: 1 if stride == 1 else 2, 2: 2 if stride == 1 else 3, 1: 3}.get(extent)
    return f"layer{stage}" if stage else "stem"


class GpuKernels:
    """ops[op][(set, problem)][rung]: seconds, their coefficient of variation, FLOP/s, bytes/s, the peer's plan."""

    def __init__(self, paths, machine, model=None):
        """`model`: {"op/rung/problem": {"us": …, "cluster": …}}, estimates of tools/sass."""
        self.machine, self.model, self.ops, self.refused = machine, model or {}, {}, []
        spread = {}
        for run in (run for path in paths for run in entries(path)):
            op, rung, problem, set_ = (run["run_name"].split("/") + [""])[:4]
            set_ = "" if set_ in ("manual_time", "real_time") else set_
            place = self.ops.setdefault(op, {}).setdefault((set_, problem), {})
            if run.get("error_occurred"):
                self.refused.append((op, rung, problem, run.get("error_message", "")))
            elif run.get("aggregate_name") == "cv":
                spread[op, set_, problem, rung] = run["real_time"]
            elif run.get("aggregate_name", "median") == "median":
                place[rung] = {"seconds": run["real_time"] * {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}[run["time_unit"]],
                               "flops": run.get("FLOP/s", 0), "bytes": run.get("bytes/s", 0), "plan": run.get("label", "")}
        for (op, set_, problem, rung), cv in spread.items():
            if rung in self.ops[op][set_, problem]:
                self.ops[op][set_, problem][rung]["cv"] = cv

    def estimate(self, op, rung, problem):
        return self.model.get(f"{op}/{rung}/{problem}", {})

    def peak(self, precision):
        """Peak FLOP/s: measured multiply-adds in fp32, otherwise the nominal rate of the tensor cores."""
        if precision == "fp32":
            return self.machine["peak_gflops"] * 1e9
        for name, tf32, bf16 in NOMINAL:
            if all(word in self.machine["gpu"] for word in name.split()):
                return 1e12 * (tf32 if precision == "tf32" else bf16)
        return None

    def roofline(self, problem, run):
        peak = self.peak(precision_of(problem))
        shares = [run["bytes"] / (self.machine["copy_gbs"] * 1e9)] + ([run["flops"] / peak] if peak else [])
        return max(shares) if peak or not run["flops"] else None

    @staticmethod
    def own(rungs):
        return {name: run for name, run in rungs.items() if name.split("+")[0] not in PEERS}

    def tables(self):
        lines = []
        for op, problems in self.ops.items():
            columns = [p for p in PEERS if any(p in rungs for rungs in problems.values())]
            modelled = [key for key in ESTIMATES if any(key in self.estimate(op, rung, problem)
                                                        for (_, problem), rungs in problems.items() for rung in rungs)]
            head = ["problem", "rung", "time, µs", *(ESTIMATES[key] for key in modelled), "useful TFLOP/s", "of roofline"] + [f"vs {PEERS[p]}" for p in columns]
            lines += [f"## {op}", "", "| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
            for (set_, problem), rungs in problems.items():
                for rung, run in rungs.items():
                    share = self.roofline(problem, run) if rung.split("+")[0] not in ("cublaslt_useful", "cublaslt_dense") else None
                    ratios = [f"{rungs[p]['seconds'] / run['seconds']:.2f}" if p in rungs and p != rung else "" for p in columns]
                    time = f"{run['seconds'] * 1e6:.4g}" + (f" ± {run['cv']:.0%}" if run.get("cv", 0) >= 0.005 else "")
                    time = " | ".join([time, *(str(self.estimate(op, rung, problem).get(key, "")) for key in modelled)])
                    lines.append(f"| {problem} ({set_}) | `{rung}` | {time} | {run['flops'] / 1e12:.3g} | "
                                 f"{'' if share is None else f'{share:.0%}'} | " + " | ".join(ratios) + " |")
            lines.append("")
        return "\n".join(lines)

    def summary(self):
        """umbra's fastest rung compared with the peer's call alone: geometric mean and extremes per group and precision."""
        groups = {}
        for op, problems in self.ops.items():
            peer = "cublaslt" if op.startswith("linear") else "cudnn"
            for (set_, problem), rungs in problems.items():
                own = self.own(rungs)
                if peer in rungs and own:
                    ratio = rungs[peer]["seconds"] / min(run["seconds"] for run in own.values())
                    groups.setdefault((op, group_of(set_, problem), precision_of(problem), peer), []).append((ratio, problem))
        lines = ["| op | group | precision | peer | problems | umbra is faster by (geometric mean) | least | most |", "| --- " * 8 + "|"]
        for (op, group, precision, peer), ratios in sorted(groups.items()):
            mean = math.exp(statistics.mean(math.log(r[0]) for r in ratios))
            least, most = min(ratios), max(ratios)
            lines.append(f"| {op} | {group} | {precision} | {PEERS[peer]} | {len(ratios)} | {mean:.2f} | {least[0]:.2f} ({least[1]}) | {most[0]:.2f} ({most[1]}) |")
        return "\n".join(lines)

    def plans(self):
        return "\n".join(f"- {op} {problem}: {run['plan']}" for op, problems in self.ops.items()
                         for (_, problem), rungs in problems.items() for rung, run in rungs.items() if run["plan"] and "+" not in rung)

    def text(self):
        nominal = {p: self.peak(p) for p in ("tf32", "bf16")}
        rates = (f"are of {nominal['tf32'] / 1e12:.0f} (TF32) and {nominal['bf16'] / 1e12:.0f} TFLOP/s (bf16), the nominal rates of its tensor cores "
                 "without sparsity, not of measured ones" if nominal["bf16"] else "are left out: the nominal rate of this card is unknown")
        refused = "\n".join(f"- {op} `{rung}` {problem}: {why}" for op, rung, problem, why in self.refused)
        return f"""# Kernels on {self.machine['gpu']}

Medians, warm, from graphs of launches timed with events. Useful FLOPs: multiplications with padding do not count, for umbra or its
peers. A ratio is the peer's time divided by this rung's: above 1 the rung is faster. cuDNN and cuBLASLt are timed alone, in their own
layout, with the best of their plans; "+conversions" is the same call with conversions from and to umbra's layouts. "cuBLASLt useful" and
"dense" are matrix products with as many multiplications as the convolution needs, and as it has including all padding. Of roofline: of
{self.machine['peak_gflops'] / 1e3:.1f} TFLOP/s fp32 and {self.machine['copy_gbs']:.0f} GB/s, both measured in the same run; percentages of compute in TF32 and bf16
{rates}.

## Summary

{self.summary()}

{self.tables()}
## Plans of the peers

{self.plans()}
""" + (f"\n## What could not be timed\n\n{refused}\n" if refused else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", required=True, help="a line printed by bench/machine; with --gpu the file that contains it")
    parser.add_argument("--samples", help="file with the lines of train_step and of its peers")
    parser.add_argument("--gpu", nargs="+", type=pathlib.Path, help="files of bench_kernels --device=cuda")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    if a.gpu:
        machine = json.loads(pathlib.Path(a.machine).read_text())
        (pathlib.Path(a.out) / "gpu_kernels.md").write_text(GpuKernels(a.gpu, machine).text())
        return
    machine = json.loads(a.machine)
    samples = [json.loads(line) for line in pathlib.Path(a.samples).read_text().splitlines()]
    groups = {}
    for s in samples:
        size = s["channels"] if s["model"] == "um_resnet" else s["batch"]
        group = groups.setdefault((s["model"], size, s["mode"], s["program"]), {})
        for key in ("forward_ms", "backward_ms", "optimizer_ms", "total_ms"):
            group.setdefault(key, []).extend(s[key])
        group.setdefault("peak_memory_mb", []).append(s["peak_memory_mb"])
    machine["kernel"] = platform.release()
    machine["compiler"] = subprocess.run(["c++", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    machine["commit"] = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    machine["pytorch"] = next(s["version"] for s in samples if "version" in s)
    out = pathlib.Path(a.out)
    (out / "cpu.json").write_text(json.dumps({"machine": machine, "samples": samples}, indent=1) + "\n")
    step = {"forward_ms": "forward", "backward_ms": "backward", "optimizer_ms": "optimiser", "total_ms": "step"}
    training = table(groups, "um_resnet", "train", step)
    inference = table(groups, "um_resnet", "inference", {"total_ms": "1,000 boxes"})
    images = table(groups, "resnet18", "train", step)
    text = f"""# The UM ResNet on {machine['cpu']}, {machine['threads']} threads

Measured peak {machine['peak_gflops']:.0f} GFLOP/s fp32 ({machine['peak_gflops_1']:.0f} on one thread), copy {machine['copy_gbs']:.0f} GB/s
({machine['copy_gbs_1']:.0f} on one thread); {machine['compiler']}; PyTorch {machine['pytorch']}; umbra {machine['commit']}. fp32, batches of 32 boxes.
Milliseconds: median and quartiles of all steps of three interleaved rounds. "live" is PyTorch without the dead
parameters of layer3.

## Training step

{training}

## Inference

{inference}

## ResNet18, training step on 64 images of 3 x 64 x 64

{images}
"""
    (out / "cpu.md").write_text(text)
    (out / "kernels.md").write_text(f"""# Kernels on {machine['cpu']}, {machine['threads']} threads

Medians of three repetitions, warm. Useful FLOPs: multiplications with padding do not count. Every buffer counts once in GB/s, so
operands that stay in cache exceed the copy bandwidth. Of peak: of {machine['peak_gflops']:.0f} GFLOP/s fp32, which bf16 dot products may
exceed; of copy: of {machine['copy_gbs']:.0f} GB/s, read and written bytes of a copy beyond the caches. umbra {machine['commit']}.

{kernels(out / 'kernels.json', machine)}""")
    print(text)


if __name__ == "__main__":
    main()
