#!/usr/bin/env python3
"""Scores what galaxy_zoo.py trained, and writes the tables of docs/images.md.

    galaxy_zoo_tables.py score --data FOLDER --out OUT --pytorch VERSION     writes results/galaxy_zoo/accuracy.json
    galaxy_zoo_tables.py pages [--check]                                     writes the tables, or compares them with it

FOLDER has `labels.csv` with the columns objid, class, label and split. Accuracies are those of the validation images.
Differences are those of the mean over seeds, paired by image, with the standard error over images. --check exits with
status 1 and names the first line that differs. Needs only the standard library.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import re
import statistics
import sys

from galaxy_zoo import ROOT, ROWS, read_rows

RESULTS = ROOT / "bench/results/galaxy_zoo/accuracy.json"
PAGE = ROOT / "docs/images.md"


# ---- scores ----
def read_labels(folder):
    """Class names and, by objid, the class of the validation images."""
    rows = read_rows(folder / "labels.csv")
    names = {int(row["label"]): row["class"] for row in rows}
    return ([names[k] for k in sorted(names)],
            {row["objid"]: int(row["label"]) for row in rows if row["split"] == "val"})


def read_probabilities(path, labels, classes):
    """[validation images, classes], in the order of the labels."""
    shares = {pathlib.Path(row["file"]).stem: [float(row[f"probability_{name}"]) for name in classes]
              for row in read_rows(path)}
    return [shares[image] for image in labels]


def predicted(shares):
    return [share.index(max(share)) for share in shares]


def with_error(differences):
    """Mean of differences of images, and its standard error."""
    return [statistics.fmean(differences), statistics.stdev(differences) / math.sqrt(len(differences))]


def score_row(folder, labels, classes):
    paths = sorted(folder.glob("seed-?.csv"))
    seeds = [read_probabilities(path, labels, classes) for path in paths]
    true, choices = list(labels.values()), [predicted(seed) for seed in seeds]
    right = [[choice == label for choice, label in zip(seed, true)] for seed in choices]
    confusion = [[sum(seed[i] == k for seed in choices for i in range(len(true)) if true[i] == label)
                  for k in range(len(classes))] for label in range(len(classes))]
    mean = [[statistics.fmean(values) for values in zip(*image)] for image in zip(*seeds)]
    together = [choice == label for choice, label in zip(predicted(mean), true)]
    row = {"seeds": [path.stem.removeprefix("seed-") for path in paths],
           "accuracy": [statistics.fmean(seed) for seed in right], "together": statistics.fmean(together),
           "confusion": confusion}
    return row, [statistics.fmean(image) for image in zip(*right)]


def score(options):
    data, out = pathlib.Path(options.data), pathlib.Path(options.out)
    classes, labels = read_labels(data)
    true, rows, shares = list(labels.values()), {}, {}
    for name in ROWS:
        if list((out / name).glob("seed-?.csv")):
            rows[name], shares[name] = score_row(out / name, labels, classes)
    for name, row in rows.items():
        if name != "recipe":
            pairs = [a - b for a, b in zip(shares[name], shares["recipe"])]
            row["difference"] = with_error(pairs)
            row["difference_of_classes"] = [with_error([pair for pair, label in zip(pairs, true) if label == k])
                                            for k in range(len(classes))]
    result = {"machine": {"cpu": cpu_name(), "threads": os.cpu_count(), "pytorch": options.pytorch},
              "date": datetime.date.today().isoformat(), "classes": classes,
              "images": [true.count(k) for k in range(len(classes))], "rows": rows,
              "time": {path.stem.removeprefix("time-"): json.loads(path.read_text())
                       for path in sorted(out.glob("time-*.json"))}}
    path = pathlib.Path(options.results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print("\n\n".join(tables(result).values()))


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.processor())


# ---- pages ----
def percent(value):
    return f"{100 * value:.1f} %"


def points(difference):
    return f"{100 * difference[0]:+.1f} ± {100 * difference[1]:.1f}".replace("-", "−")


def accuracy_table(result):
    lines = ["| | accuracy, mean of the seeds | scatter of the seeds | mean of their probabilities | minus the recipe, points |",
             "| --- | --- | --- | --- | --- |"]
    for name, row in result["rows"].items():
        scatter = percent(statistics.stdev(row["accuracy"])) if len(row["accuracy"]) > 1 else ""
        lines.append(f"| {ROWS[name][0]} | {percent(statistics.fmean(row['accuracy']))} | {scatter} | "
                     f"{percent(row['together'])} | {points(row['difference']) if 'difference' in row else ''} |")
    return "\n".join(lines)


def recall(row, k):
    return row["confusion"][k][k] / sum(row["confusion"][k])


def class_table(result):
    rows = result["rows"]
    lines = ["| class | images | umbra | PyTorch | PyTorch − umbra, points |", "| --- | --- | --- | --- | --- |"]
    for k, name in enumerate(result["classes"]):
        lines.append(f"| {name} | {result['images'][k]} | {percent(recall(rows['recipe'], k))} | "
                     f"{percent(recall(rows['pytorch'], k))} | {points(rows['pytorch']['difference_of_classes'][k])} |")
    return "\n".join(lines)


def confusion_table(result):
    classes, seeds = result["classes"], len(result["rows"]["recipe"]["seeds"])
    lines = ["| true, taken for | " + " | ".join(classes) + " |", "| --- |" + " --- |" * len(classes)]
    for name, counts in zip(classes, result["rows"]["recipe"]["confusion"]):
        lines.append(f"| {name} | " + " | ".join(f"{count / seeds:.1f}" for count in counts) + " |")
    return "\n".join(lines)


def time_table(result):
    lines = ["| | umbra, s per epoch | PyTorch, s per epoch | umbra / PyTorch (95 %) |", "| --- | --- | --- | --- |"]
    for name, sample in result["time"].items():
        def spread(values):
            return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"
        lines.append(f"| {name} | {spread(sample['umbra'])} | {spread(sample['pytorch'])} | {sample['ratio']:.2f} "
                     f"({sample['low']:.2f}–{sample['high']:.2f}) |")
    return "\n".join(lines)


def tables(result):
    made = {"accuracy": accuracy_table, "classes": class_table, "confusion": confusion_table, "time": time_table}
    return {name: make(result) for name, make in made.items()
            if name != "classes" or "pytorch" in result["rows"]}


def pages(options):
    result = json.loads(pathlib.Path(options.results).read_text())
    text = before = pathlib.Path(options.page).read_text()
    for name, table in tables(result).items():
        block = re.compile(rf"(<!-- galaxy zoo: {name} -->\n).*?(<!-- /galaxy zoo -->)", re.S)
        if not block.search(text):
            sys.exit(f"{options.page}: there is no place for the table '{name}'")
        text = block.sub(lambda match, table=table: f"{match[1]}\n{table}\n\n{match[2]}", text)
    if not options.check:
        pathlib.Path(options.page).write_text(text)
    elif text != before:
        wrong = next(line for line, right in zip(before.splitlines(), text.splitlines()) if line != right)
        sys.exit(f"{options.page}: not as in {options.results}: {wrong}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("score")
    command.set_defaults(function=score)
    command.add_argument("--data", required=True, help="the folder of images")
    command.add_argument("--out", required=True, help="the folder of the runs")
    command.add_argument("--pytorch", required=True, help="version of PyTorch")
    command.add_argument("--results", default=RESULTS)
    command = commands.add_parser("pages")
    command.set_defaults(function=pages)
    command.add_argument("--results", default=RESULTS)
    command.add_argument("--page", default=PAGE)
    command.add_argument("--check", action="store_true")
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()
