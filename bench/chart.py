#!/usr/bin/env python3
"""The README's chart of speed, from the samples of bench/run.sh:

    chart.py [--results results/MACHINE/cpu.json] [--out CHART.svg]     writes the chart
    chart.py --check CHART.svg                                          compares the chart's numbers with the results

The SVG contains its numbers as JSON in <metadata>; --check computes them again from the results, names the first that
differs and exits with status 1. Needs only the standard library.
"""
import argparse
import html
import json
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "bench/results/amd-epyc-2-threads/cpu.json"
CHART = ROOT / "docs/images/speed.svg"
# Okabe & Ito (2008): distinguishable with every kind of colour vision.
BARS = (("umbra", "umbra", "#0072B2"), ("umbra bf16", "umbra, precision=bf16", "#56B4E9"),
        ("pytorch", "PyTorch", "#D55E00"), ("pytorch live", "PyTorch without the dead parameters", "#E69F00"))
FORMATS = ("pytorch plain", "pytorch channels_last")  # PyTorch's memory formats, of which the faster one is shown


def collect(results):
    """Per C and program: quartiles and median of a training step in ms, and the largest peak memory in MB."""
    samples = {}
    for s in results["samples"]:
        if (s["model"], s["mode"]) == ("um_resnet", "train"):
            times, memory = samples.setdefault(s["channels"], {}).setdefault(s["program"], ([], []))
            times += s["total_ms"]
            memory.append(s["peak_memory_mb"])
    data = {"cpu": results["machine"]["cpu"], "threads": results["machine"]["threads"],
            "pytorch": results["machine"]["pytorch"], "channels": {}}
    for channels, programs in sorted(samples.items()):
        better = min((p for p in FORMATS if p in programs), key=lambda p: statistics.median(programs[p][0]))
        rows = data["channels"][str(channels)] = {}
        for name, _, _ in BARS:
            times, memory = programs[better if name == "pytorch" else name]
            low, _, high = statistics.quantiles(times, n=4)
            rows[name] = {"step_ms": [round(t, 3) for t in (low, statistics.median(times), high)],
                          "peak_memory_mb": round(max(memory), 3)}
    return data


def differences(old, new, where="the chart"):
    """What differs between two trees of numbers, one line each."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return [line for key in new for line in differences(old[key], new[key], f"{where}: {key}")]
    return [] if old == new else [f"{where}: {json.dumps(old)}, but the results give {json.dumps(new)}"]


def read_chart(path):
    match = re.search(r'<metadata id="data">(.*?)</metadata>', path.read_text(encoding="utf-8"), re.DOTALL)
    if not match:
        sys.exit(f"chart.py: {path}: has no <metadata> with numbers: it was not made by this script")
    try:
        return json.loads(html.unescape(match[1]))
    except ValueError as problem:
        sys.exit(f"chart.py: {path}: its <metadata> is not JSON ({problem})")


def text(x, y, words, **style):
    look = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return f'<text x="{x:g}" y="{y:g}"{look}>{html.escape(words)}</text>'


def short(value):
    """Three figures: 7.88, 51.9, 257."""
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


LEFT, PANEL, SCALE, TOP, BAR, GROUP = 64, 412, 2.6, 92, 15, 80  # pixels; SCALE: per percent of PyTorch's value


def panel(data, left, title, unit, values):
    """One panel: bars in per cent of PyTorch's; `values` gives (low, middle, high) of a program's numbers."""
    bottom = TOP + GROUP * len(data["channels"])
    parts = [text(left, TOP - 16, title, font_weight="bold")]
    for percent in (0, 25, 50, 75, 100):
        x = left + SCALE * percent
        parts.append(f'<line x1="{x:g}" y1="{TOP - 6}" x2="{x:g}" y2="{bottom - 8}" stroke="#d0d0d0"/>')
        parts.append(text(x, bottom + 8, f"{percent} %", text_anchor="middle", fill="#555"))
    for i, (channels, rows) in enumerate(data["channels"].items()):
        whole = values(rows["pytorch"])[1]
        y = TOP + GROUP * i
        parts.append(text(left - 10, y + 2.2 * BAR, f"C = {channels}", text_anchor="end"))
        for (name, _, colour) in BARS:
            low, middle, high = (SCALE * 100 * value / whole for value in values(rows[name]))
            parts.append(f'<rect x="{left}" y="{y}" width="{middle:.1f}" height="{BAR - 2}" fill="{colour}"/>')
            centre = y + (BAR - 2) / 2
            if high > low:
                ends = "".join(f"M{left + end:.1f} {centre - 3:g}v6" for end in (low, high))
                parts.append(f'<path d="M{left + low:.1f} {centre:g}H{left + high:.1f}{ends}" stroke="#222"/>')
            parts.append(text(left + max(high, middle) + 5, y + 11, f"{short(values(rows[name])[1])} {unit}"))
            y += BAR
    return parts


def draw(data):
    height = TOP + GROUP * len(data["channels"]) + 42
    width = 2 * (LEFT + PANEL) - 60
    body = [f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>']
    x = LEFT
    for _, label, colour in BARS:
        body.append(f'<rect x="{x}" y="22" width="12" height="12" fill="{colour}"/>')
        body.append(text(x + 18, 33, label))
        x += 46 + round(6.6 * len(label))
    step = "Training step of 32 boxes: median and quartiles"
    body += panel(data, LEFT, step, "ms", lambda row: row["step_ms"])
    body += panel(data, 2 * LEFT + PANEL - 20, "Peak memory", "MB", lambda row: [row["peak_memory_mb"]] * 3)
    body.append(text(LEFT, height - 10, f"per cent of PyTorch {data['pytorch'].split('a')[0]}; fp32 except for bf16; "
                     f"{data['threads']} threads of an {data['cpu']}", fill="#555"))
    numbers = html.escape(json.dumps(data).replace('}, "', '},\n"'), quote=False)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-family="Helvetica, Arial, sans-serif" font-size="12.5" fill="#222">\n'
            f'<title>Training step and memory of umbra and PyTorch</title>\n<metadata id="data">{numbers}</metadata>\n'
            + "\n".join(body) + "\n</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS, help="cpu.json of bench/run.sh")
    parser.add_argument("--out", type=pathlib.Path, default=CHART)
    parser.add_argument("--check", type=pathlib.Path, metavar="CHART.svg", help="write nothing, compare")
    a = parser.parse_args()
    data = collect(json.loads(a.results.read_text(encoding="utf-8")))
    if a.check:
        wrong = differences(read_chart(a.check), data)
        if wrong:
            sys.exit("\n".join(f"chart.py: {line}" for line in wrong[:1]))
        print(f"{a.check} shows the numbers of {a.results}")
        return
    a.out.write_text(draw(data), encoding="utf-8")
    print(f"wrote {a.out}")


if __name__ == "__main__":
    main()
