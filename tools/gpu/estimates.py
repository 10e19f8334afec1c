"""What the model of the machine code (tools/sass) expects of kernels and steps: model.json, which gpu_bundle.sh writes where there
is a disassembler."""
import json


def read(path):
    """{"clusters": {"8": how many run at a time}, "kernels": {"op/rung/problem": {"us": …, "cluster": …}},
    "steps": {"200 bf16": {"us": …, "launches": …}}}"""
    try:
        found = json.loads(path.read_text())
        return {key: found[key] for key in ("clusters", "kernels", "steps")}
    except (OSError, ValueError, KeyError):
        return {"clusters": {}, "kernels": {}, "steps": {}}


def fewer_clusters(model, machine):
    """A line per number of blocks of which this GPU runs fewer clusters at a time than plans and the model count on. `machine`: what
    bench/machine printed. Plans leave out sizes of which it runs none."""
    here = machine.get("resident_clusters", {})
    return [f"clusters of {size} blocks: {here[size]} run at a time, but plans count on {planned}: those with more than {here[size]} take a second wave"
            for size, planned in model["clusters"].items() if 0 < here.get(size, planned) < planned]


def of_step(model, channels, precision):
    """What follows the measured time of a step."""
    step = model["steps"].get(f"{channels} {precision}")
    return f"; by the model {step['us'] / 1e3:.3f} ms, {step['launches']} launches" if step else ""


def compared(model, ops):
    """A line per kernel that was timed and is in the model, longest first: both times and the blocks of a cluster. `ops`: those
    of report.GpuKernels."""
    if not model["kernels"]:
        return ["this bundle has no estimates of the model"]
    timed = {f"{op}/{rung}/{problem}": run["seconds"] * 1e6 for op, problems in ops.items() for (_, problem), rungs in problems.items()
             for rung, run in rungs.items()}
    lines = []
    for name, kernel in sorted(model["kernels"].items(), key=lambda item: -item[1]["us"]):
        if name in timed:
            clusters = f", clusters of {kernel['cluster']}" if "cluster" in kernel else ""
            lines.append(f"{name}: {timed[name]:.2f} µs, by the model {kernel['us']:.2f} µs{clusters}")
    return lines or ["no kernel that was timed is in the model"]
