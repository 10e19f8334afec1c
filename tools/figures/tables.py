"""The table of all models as a figure (the paper's Table 1), and their paired differences from a reference."""
import re

import matplotlib.pyplot as plt
import numpy as np
from figures.files import require
from figures.models import chosen
from figures.names import rounded, with_error
from figures.rows import read_changes, read_models, rows_of
from figures.style import COLOURS, FULL_PAGE, GREY, SMALLEST, broken, legend_above, logarithmic, save

LOOKS = {"baseline": ("baseline", COLOURS[4], "s"), "forest": ("random forest", COLOURS[2], "D"),
         "network": ("network", COLOURS[0], "o"), "peer": ("PyTorch", COLOURS[1], "^")}
SCORES = {"chi2": r"$\chi^2$, mean over boxes",
          "chi2_eq1": r"$\chi^2$ of log $\phi$ (Eq. 1 of the paper), mean over boxes"}
PAPER = "Nadler & To (2018), Table 1"
# That forest counts the mean mass of every voxel, as the authors' code did. Of the rows of reproduce those of its recipe
# and target alone are the paper's.
OTHERS = r"(?!.*(our recipe|Eq\. 1|of log10))"
OF_PAPER = [(r"forest, mean prediction per voxel", 272), (r"um_resnet C=20\b", 135), (r"um_resnet C=100\b", 93),
            (r"um_resnet C=200\b", 84)]
MEDIAN = {"color": "black", "marker": "d", "ms": 3.5, "mfc": "white", "mew": 0.7}
TOGETHER = {"color": "black", "marker": "x", "ms": 4, "mew": 0.9, "zorder": 3}
LINES = [(0, (4, 2)), (0, (1, 1.5)), "-.", (0, (8, 1.5, 1, 1.5, 1, 1.5)), (0, (8, 2)), (0, (2, 2))]
ROW, CHARACTERS = 0.165, 52  # inches per line of a label; its length


def plot_table(arguments):
    path, score = arguments.evaluation, arguments.score
    models, result = read_models(path, score, arguments.models)
    reference = result.get("reference")
    if arguments.reference:
        reference = chosen(models, [arguments.reference], path)[0]["name"]
    rows = rows_of(models, score)
    floors = [(f"{row.name}: {with_error(row.mean, row.error)}", row.mean) for row in rows if row.kind == "oracle"]
    rows = [row for row in rows if row.kind != "oracle"]
    require(rows, path, ": at least one model that is not an oracle was expected")
    if score == "chi2" and isinstance(result.get("poisson_chi2"), (int, float)):
        floors.append((f"Poisson noise: {result['poisson_chi2']:.1f}", result["poisson_chi2"]))
    figure, ax, places = make_axes([row.name for row in rows], [row.section for row in rows])
    handles = draw_rows(ax, rows, places)
    if arguments.paper:
        require(score == "chi2", "--paper: the scores of the paper are chi2; expected no other --score")
        handles += draw_paper(ax, rows, places, path)
    handles += draw_lines(ax, rows, reference, floors)
    limit_scores(ax, rows, places)
    ax.set_xlabel(SCORES[score])
    medians = [] if all(row.median is None for row in rows) else ["median"]
    numbers = [[with_error(row.mean, row.error)] +
               ["" if row.median is None else rounded(row.median, row.error)] * len(medians) for row in rows]
    write_numbers(ax, numbers, places, ["mean \u00b1 s.e.", *medians])
    legend_above(ax, handles, columns=4, handlelength=1.8)
    save(figure, arguments.out)


def limit_scores(ax, rows, places):
    """A logarithmic axis if the scores differ much. Of what is far beyond the others only an arrow is shown."""
    far = 30 * np.median([row.mean for row in rows])
    ends = [end for row in rows if row.mean <= far
            for end in (row.mean - row.error, row.mean + row.error, row.median) if end is not None]
    if min(ends) > 0 and max(ends) > 4 * min(ends):
        logarithmic(ax.xaxis)
    if any(row.mean > far for row in rows):
        ax.set_xlim(0.8 * min(ends), 1.6 * max(ends))
    for row, place in zip(rows, places):
        if row.mean > far:
            draw_arrow(ax, 1, place, LOOKS[row.kind][1])


def draw_arrow(ax, side, place, colour):
    """An arrow at the left (0) or right (1) end of the axis."""
    ax.annotate("", (side, place), (side - 0.04 * (2 * side - 1), place), xycoords=ax.get_yaxis_transform(),
                textcoords=ax.get_yaxis_transform(), arrowprops={"arrowstyle": "->", "color": colour, "lw": 1})


def make_axes(names, sections):
    """A figure with one line per row, more for long names, below a line for headers, and a bold heading where a section
    begins. Returns figure, axes and the height of every row."""
    labels, places, bold, place, before = [], [], [], 1.0, ""
    ticks = []
    for name, section in zip(names, sections):
        if section and section != before:
            labels.append(section)
            ticks.append(place)
            bold.append(len(labels) - 1)
            place += 1
        before = section
        labels.append(broken(name, CHARACTERS))
        lines = labels[-1].count("\n")
        places.append(place + 0.4 * lines)
        ticks.append(places[-1])
        place += 1 + 0.8 * lines
    figure, ax = plt.subplots(figsize=(FULL_PAGE, 0.8 + ROW * place))
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.4, right=0.8, bottom=0.5 / height, top=1 - 0.3 / height)
    ax.set_yticks(ticks, labels)
    for i in bold:
        ax.get_yticklabels()[i].set_fontweight("bold")
    ax.set_ylim(place - 0.3, -0.5)
    ax.tick_params(axis="y", length=0)
    for place in places:
        ax.axhline(place, color="0.85", lw=0.5, zorder=0)
    return figure, ax, places


def write_numbers(ax, rows, places, header):
    """Columns of numbers to the right of the axes, aligned on the right, below their headers."""
    at, ends = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "va": "center"}, []
    for column, title in enumerate(header):
        widest = max(len(text.replace(r"$\times 10^{", "xxx").replace("}$", ""))
                     for text in [title, *[row[column] for row in rows]])
        ends.append((ends[-1] if ends else 0) + 6 + 0.63 * SMALLEST * widest)
        for place, text in [(0, title), *[(place, row[column]) for place, row in zip(places, rows)]]:
            ax.annotate(text, (1, place), (ends[-1], 0), ha="right", fontsize=SMALLEST, **at)


def draw_rows(ax, rows, places):
    """Means with their standard errors and the scatter over seeds, and medians; returns the handles of the legend."""
    for row, place in zip(rows, places):
        _, colour, marker = LOOKS[row.kind]
        if row.seeds is not None:
            ax.plot([row.mean - row.seeds, row.mean + row.seeds], [place, place], color=colour, alpha=0.35, lw=6,
                    solid_capstyle="butt")
        ax.errorbar(row.mean, place, xerr=row.error, color=colour, marker=marker, ms=4, elinewidth=1, capsize=2.5)
        if row.median is not None:
            ax.plot(row.median, place, ls="none", **MEDIAN)
        if row.together is not None:
            ax.plot(row.together, place, ls="none", **TOGETHER)
    handles = [plt.Line2D([], [], color=colour, marker=marker, ms=4, ls="none", label=label)
               for kind, (label, colour, marker) in LOOKS.items() if any(row.kind == kind for row in rows)]
    handles.append(plt.Line2D([], [], color=GREY, lw=1, marker="|", ms=5, markevery=[0, 1], label="standard error"))
    if any(row.seeds is not None for row in rows):
        handles.append(plt.Line2D([], [], color=GREY, alpha=0.35, lw=6, label="scatter of seeds"))
    if any(row.median is not None for row in rows):
        handles.append(plt.Line2D([], [], ls="none", label="median", **MEDIAN))
    if any(row.together is not None for row in rows):
        handles.append(plt.Line2D([], [], ls="none", label="mean prediction of seeds", **TOGETHER))
    return handles


def draw_paper(ax, rows, places, path):
    """The numbers of the paper in the rows of its models: of a network those for its seeds."""
    look, drawn = {"color": "black", "marker": "*", "ms": 7, "mfc": "none", "mew": 0.8, "ls": "none"}, set()
    for row, place in zip(rows, places):
        for pattern, value in OF_PAPER:
            if re.match(OTHERS + pattern, row.model["name"]) and row.model["name"] not in drawn:
                ax.plot(value, place, **look)
                drawn.add(row.model["name"])
    require(drawn, path, ": --paper: expected a model of the paper, um_resnet with C = 20, 100 or 200 or a forest")
    return [plt.Line2D([], [], **look, label=PAPER)]


def draw_lines(ax, rows, reference, floors):
    """Vertical lines at the reference and at what no model can be expected to beat; returns their handles."""
    of_reference = [(f"reference: {row.name}", row.mean) for row in rows if row.model["name"] == reference][:1]
    handles = []
    for (label, value), dashes in zip(of_reference + floors, LINES[0 if of_reference else 1:]):
        handles.append(ax.axvline(value, color="black", ls=dashes, lw=0.9, zorder=0.5, label=label))
    return handles


def plot_changes(arguments):
    rows = read_changes(arguments.evaluation, arguments.score, arguments.models)
    require(rows, arguments.evaluation, ": no change was left by --models")
    references = {row.reference for row in rows}
    names = [f"{row.name} (minus {row.short})" if len(references) > 1 and row.short else row.name for row in rows]
    figure, ax, places = make_axes(names, [row.section for row in rows])
    low, high = limits_of(np.array([(row.mean - 2 * row.error, row.mean + 2 * row.error) for row in rows]))
    for row, place in zip(rows, places):
        draw_change(ax, row, place, low < row.mean < high)
    ax.set_xlim(low, high)
    reference = references.pop() if len(references) == 1 else ""
    zero = ax.axvline(0, color="black", ls="--", lw=0.9, zorder=0.5,
                      label=f"reference: {reference}" if reference else "no difference")
    ax.set_xlabel(SCORES[arguments.score].split(",")[0] + " minus that of the reference, mean over the same boxes")
    write_numbers(ax, [[with_error(row.mean, row.error, "+")] for row in rows], places, ["difference \u00b1 s.e."])
    legend_above(ax, [zero, *handles_of_changes()], columns=4, handlelength=1.8)
    save(figure, arguments.out)


def draw_change(ax, row, place, inside):
    """A difference with one and two standard errors; an arrow at the end of the axis if it is beyond."""
    sure = abs(row.mean) > 2 * row.error
    colour = GREY if not sure else COLOURS[0] if row.mean < 0 else COLOURS[1]
    for width, line in ((2, 0.7), (1, 2)):
        ax.plot([row.mean - width * row.error, row.mean + width * row.error], [place, place], color=colour, lw=line)
    marker = "o" if not sure else "<" if row.mean < 0 else ">"
    ax.plot(row.mean, place, color=colour, marker=marker, ms=4.5, mfc=colour if sure else "white")
    if not inside:
        draw_arrow(ax, 1 if row.mean > 0 else 0, place, colour)


def limits_of(bars):
    """The ends of an axis with the bars [n, 2] and zero. Of what is far beyond most of the others only an arrow is
    shown, so that these can be read; the numbers next to the axis are those of all."""
    sizes = np.abs(bars).max(axis=1)
    usual = bars[sizes <= 4 * np.sort(sizes)[(len(sizes) - 1) // 2]]
    low, high = usual.min(), usual.max() or 1.0
    margin = 0.08 * (max(high, 0) - min(low, 0))
    return min(low, 0) - margin, max(high, 0) + margin


def handles_of_changes():
    looks = [("better by more than 2 s.e.", COLOURS[0], "<", COLOURS[0]),
             ("worse by more than 2 s.e.", COLOURS[1], ">", COLOURS[1]), ("neither", GREY, "o", "white")]
    return [plt.Line2D([], [], color=colour, marker=marker, mfc=face, ms=4.5, ls="none", label=label)
            for label, colour, marker, face in looks] + [
        plt.Line2D([], [], color=GREY, lw=2, label="1 standard error"),
        plt.Line2D([], [], color=GREY, lw=0.7, label="2 standard errors")]
