#!/usr/bin/env python3
"""Turns the samples of bench/run.sh into cpu.json and the tables of cpu.md."""
import argparse
import json
import pathlib
import platform
import statistics
import subprocess


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--samples", required=True)
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
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
Milliseconds: median and quartiles of all steps of three interleaved rounds. "live" is PyTorch rewritten without the dead
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
