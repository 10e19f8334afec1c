"""The tables of the model, as Markdown."""
import collections

GROUPS = (("convolutions", lambda row: row.op.startswith("conv") and not row.kernel.startswith("pack_")),
          ("packed operands of convolutions", lambda row: row.op.startswith(("conv", "pack_operand"))),
          ("batch norm", lambda row: row.op.startswith("batch_norm")),
          ("stem", lambda row: row.op.startswith("stem")),
          ("optimiser", lambda row: row.op.startswith(("adam", "sgd"))),
          ("fully connected", lambda row: row.op.startswith("linear")),
          ("others", lambda row: True))


def group_of(row):
    return next(name for name, has in GROUPS if has(row))


def loops_table(all_loops):
    yield "| kernel | slices of | copies | producer: floor / model | consumer: floor / model | multiplication | both multiply |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for one in sorted(all_loops, key=lambda one: one.kernel):
        for kind, producer in one.producers.items():
            needs = one.multiplication()
            slow = f" ({producer.of_most.model / needs:.2f} x)" if producer.of_most.model > needs else ""
            yield (f"| {one.kernel} | {kind} | {producer.most} | {producer.of_most.floor} / {producer.of_most.model}{slow} | {one.consumer.floor} / "
                   f"{one.consumer.model}{', waits' if one.waits else ''} | {needs:.0f} | {one.slice_of_consumers():.0f} |")


def steps_table(steps):
    """`steps`: {(channels, precision): (rows, µs of gaps)}. Launches and microseconds of groups."""
    yield "| | " + " | ".join(f"C = {channels}, {precision}" for channels, precision in steps) + " |"
    yield "| --- |" + " --- |" * len(steps)
    sums = {key: collections.defaultdict(lambda: [0, 0.0]) for key in steps}
    for key, (rows, _) in steps.items():
        for row in rows:
            total = sums[key][group_of(row)]
            total[0] += 1
            total[1] += row.us
    for name, _ in GROUPS:
        yield f"| {name} | " + " | ".join("{0[0]}: {0[1]:.0f}".format(sums[key][name]) for key in steps) + " |"
    yield "| gaps | " + " | ".join(f"{gaps:.0f}" for _, gaps in steps.values()) + " |"
    yield "| **step** | " + " | ".join(f"**{len(rows)}: {sum(row.us for row in rows) + gaps:.0f}**" for rows, gaps in steps.values()) + " |"
    yield "| MB | " + " | ".join(f"{sum(row.bytes for row in rows) / 1e6:.0f}" for rows, _ in steps.values()) + " |"


def kernels_table(rows):
    """One line per kernel and problem of a step, most expensive first."""
    alike = collections.defaultdict(list)
    for row in rows:
        alike[row.op, row.kernel, row.problem].append(row)
    yield "| op | kernel | launches | µs each | MB each | bound | problem |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for (op, kernel, problem), same in sorted(alike.items(), key=lambda item: -sum(row.us for row in item[1])):
        row = same[0]
        yield (f"| {op} | {kernel} | {len(same)} | {sum(one.us for one in same) / len(same):.2f} | {row.bytes / 1e6:.2f} | {row.bound} | "
               f"{problem} |")
