#!/usr/bin/env python3
"""Times the import of a large halo catalog in text by umbra, pandas and polars, in turns, every reading in a process of its own.

    python3 bench/peers/import_peers.py --umbra build/bench/import --rounds 9 --out bench/results/NAME/import.json

The file (79 columns, 196 MB with the default --rows) is written to --folder first and stays in the cache of the system. A time is that
from the file to the wanted columns in memory; starting Python and importing the library are not part of it. umbra also checks every
number and reads the header; pandas and polars get the line at which rows begin and the columns to read. All use --threads threads,
but pandas has one. "bytes" reads the file in blocks into one buffer, "whole file" into memory of its size. Of the file compressed
with gzip, "zlib" is the time to decompress it with Python's zlib, without reading rows. A library that is not installed is left out.
"""
import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zlib

INTEGERS = {"id": "id", "upid": "upid"}
NUMBERS = {"scale": "scale", "mvir": "mvir", "x": "x", "y": "y", "z": "z", "Spin": "spin", "Macc": "macc", "Mpeak": "mpeak",
           "Vacc": "vacc", "Vpeak": "vpeak", "Halfmass_Scale": "halfmass_scale"}
HEADER_LINES = 3
BLOCK = 1 << 20


def wanted(path):
    """The numbers of the wanted columns in the file, in ascending order, and umbra's name of each."""
    with open(path, encoding="ascii") as file:
        names = [name.split("(")[0] for name in file.readline()[1:].split()]
    ours = {**INTEGERS, **NUMBERS}
    return {i: ours[name] for i, name in enumerate(names) if name in ours}


def read_pandas(path):
    import pandas
    columns = wanted(path)
    start = time.perf_counter()  # with its own guess of the types and in its own pieces it is fastest
    table = pandas.read_csv(path, sep=" ", header=None, skiprows=HEADER_LINES, usecols=list(columns), engine="c")
    seconds = time.perf_counter() - start
    return seconds, len(table), {columns[i]: table[i].sum().item() for i in columns}


def read_polars(path):
    import polars
    columns = wanted(path)
    start = time.perf_counter()
    table = polars.read_csv(path, separator=" ", has_header=False, skip_rows=HEADER_LINES, columns=list(columns))
    seconds = time.perf_counter() - start
    return seconds, len(table), {name: column.sum() for name, column in zip(columns.values(), table.get_columns())}


def read_bytes(path):
    block = bytearray(BLOCK)
    start = time.perf_counter()
    with open(path, "rb", buffering=0) as file:
        while file.readinto(block):
            pass
    return time.perf_counter() - start, None, {}


def read_whole(path):
    start = time.perf_counter()
    with open(path, "rb", buffering=0) as file:
        file.read()
    return time.perf_counter() - start, None, {}


def read_zlib(path):
    start = time.perf_counter()
    unpack = zlib.decompressobj(31)
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK >> 2):
            unpack.decompress(block)
    return time.perf_counter() - start, None, {}


READERS = {"pandas": read_pandas, "polars": read_polars, "bytes": read_bytes, "whole file": read_whole, "zlib": read_zlib}


def read_here(name, path):
    """One reading in this process, as a line of JSON."""
    module = __import__(name) if name in ("pandas", "polars") else None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, rows, sums = READERS[name](path)
    print(json.dumps({"program": f"{name} {module.__version__}" if module else name, "rows": rows, "seconds": seconds, "sums": sums,
                      "memory_before_mb": before, "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def run(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), POLARS_MAX_THREADS=str(threads))
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout)


def check_sums(results):
    """Whether all readers found the same rows and numbers. Sums differ in the order of their terms."""
    ours = results["umbra"][0]
    for name, runs in results.items():
        for column, total in runs[0]["sums"].items():
            if column in ours["sums"] and abs(total - ours["sums"][column]) > 1e-9 * abs(total):
                sys.exit(f"import_peers.py: the sum of '{column}' is {total} for {name}, but {ours['sums'][column]} for umbra")
        if runs[0]["rows"] not in (None, ours["rows"]):
            sys.exit(f"import_peers.py: {name} read {runs[0]['rows']} rows, umbra {ours['rows']}")


def measure(a, tmp):
    text = os.path.join(tmp, "hlist_1.00000.list")
    subprocess.run([a.umbra, "--write", text, "--rows", str(a.rows)], check=True)
    packed = text + ".gz"
    with open(packed, "wb") as out:
        subprocess.run(["gzip", "-c", text], stdout=out, check=True)
    here = [sys.executable, os.path.abspath(__file__), "--read"]
    peers = [name for name in ("pandas", "polars") if importlib.util.find_spec(name)]
    commands = {"umbra": [a.umbra, text, "--out", os.path.join(tmp, "catalog.h5")]}
    commands.update({name: here + [name, text] for name in [*peers, "bytes", "whole file"]})
    commands.update({"umbra, gzip": [a.umbra, packed], "zlib": here + ["zlib", packed]})
    results = {name: [] for name in commands}
    loads = []
    for turn in range(a.rounds + 1):  # the first is not counted: it warms the caches
        for name in list(commands) if turn % 2 == 0 else list(commands)[::-1]:
            line = run(commands[name], a.threads)
            if turn > 0:
                results[name].append(line)
        loads.append(os.getloadavg()[0])
    check_sums(results)
    return results, {"file_bytes": os.path.getsize(text), "packed_bytes": os.path.getsize(packed), "load": loads[1:]}


def processor():
    with open("/proc/cpuinfo", encoding="ascii") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(names)} cores of {names[0]}" if names else platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--umbra", default="build/bench/import", help="umbra's program")
    parser.add_argument("--rows", type=int, default=269_000, help="of the file")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", help="of the file, 400 MB; by default that for temporary files")
    parser.add_argument("--out", help="JSON file for every sample")
    parser.add_argument("--read", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.read:
        return read_here(*a.read)
    with tempfile.TemporaryDirectory(dir=a.folder) as tmp:
        results, facts = measure(a, tmp)
    times = {name: [line["seconds"] for line in runs] for name, runs in results.items()}
    times["umbra, writing the catalog"] = [line["write_seconds"] for line in results["umbra"]]
    print(f"{a.rows} rows, {facts['file_bytes'] / 1e6:.0f} MB, {a.threads} threads, {a.rounds} rounds, "
          f"load {statistics.median(facts['load']):.0f}")
    print("| | seconds | of umbra's | memory added |\n| --- | --- | --- | --- |")
    own = statistics.median(times["umbra"])
    for name, samples in times.items():
        median = statistics.median(samples)
        memory = [line["peak_memory_mb"] - line["memory_before_mb"] for line in results.get(name, [])]
        version = results[name][0]["program"] if name in results and name in results[name][0]["program"] else name
        print(f"| {version} | {median:.3f} ({min(samples):.3f}-{max(samples):.3f}) | {median / own:.2f} x | "
              + (f"{statistics.median(memory):.0f} MB |" if memory else "|"))
    if a.out:
        runs = {name: {"program": results[name][0]["program"], "seconds": times[name],
                       "memory_before_mb": [line["memory_before_mb"] for line in results[name]],
                       "peak_memory_mb": [line["peak_memory_mb"] for line in results[name]]} for name in results}
        runs["umbra, writing the catalog"] = {"seconds": times["umbra, writing the catalog"]}
        with open(a.out, "w", encoding="utf-8") as file:
            json.dump({"what": "bench/peers/import_peers.py: seconds from the file to the wanted columns in memory, in turns",
                       "machine": processor(), "python": platform.python_version(), "rows": a.rows,
                       "threads": a.threads, **facts, "medians": {name: statistics.median(t) for name, t in times.items()},
                       "runs": runs}, file, indent=1)
    return None


if __name__ == "__main__":
    main()
