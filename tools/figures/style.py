"""The appearance of all figures, and saving them."""
import os
import shutil

from figures.files import PlotError, require

# Okabe & Ito (2008): distinguishable with every kind of colour vision; markers differ too, for printing in grey.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MARKERS = ["^", "o", "s", "D", "v", "P", "X", "<", ">"]
GREY = "0.4"
HALF_PAGE, FULL_PAGE = 3.5, 7.1  # inches: one and two columns of a journal
STYLE = {"font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
         "legend.fontsize": 7, "legend.frameon": False, "legend.labelspacing": 0.3, "legend.borderpad": 0.1,
         "legend.borderaxespad": 0.4, "axes.linewidth": 0.7, "lines.linewidth": 1.2, "xtick.direction": "in",
         "ytick.direction": "in", "xtick.top": True, "ytick.right": True, "pdf.fonttype": 42, "savefig.dpi": 300}
ABOVE = {"loc": "lower left", "bbox_to_anchor": (-0.02, 1.0)}  # a legend at this position covers no data

INPUTS = set()  # files that this command reads
OUTPUT = {"overwrite": False}  # whether an existing figure may be replaced


def save(figure, out):
    """Writes OUT.png and OUT.pdf as temporary files and renames them into place when both are complete. Links are
    followed, existing files keep their mode."""
    stem = out[:-4] if out.lower().endswith((".png", ".pdf")) else out
    require(os.path.basename(stem), f"--out '{out}': the name of a file is expected")
    pending = []
    for kind in ("png", "pdf"):
        final = os.path.realpath(f"{stem}.{kind}")
        require(final not in INPUTS, f"{stem}.{kind}: cannot be written: it is an input and would be lost")
        require(not os.path.islink(final), f"{stem}.{kind}: cannot be written: it is a circular link")
        require(os.path.isfile(final) or not os.path.exists(final), f"{stem}.{kind}: cannot be written: it exists and "
                "is not a regular file")
        require(not os.path.exists(final) or os.access(final, os.W_OK), f"{stem}.{kind}: cannot be written: it exists "
                "and is write-protected")
        require(OUTPUT["overwrite"] or not os.path.exists(final), f"{stem}.{kind}: cannot be written: it exists; "
                "--overwrite replaces it")
        pending.append((os.path.join(os.path.dirname(final), f".umbra-tmp.{os.getpid()}.{kind}"), final))
    try:
        for aside, _ in pending:
            dated = {"metadata": {"CreationDate": None}} if aside.endswith("pdf") else {}  # same figure, same bytes
            figure.savefig(aside, bbox_inches="tight", pad_inches=0.03, **dated)
        for aside, final in pending:
            if os.path.exists(final):
                shutil.copymode(final, aside)
            os.replace(aside, final)
    except OSError as problem:
        raise PlotError(f"{stem}.png, {stem}.pdf: cannot be written ({problem.strerror or problem}): expected --out in "
                        "a folder that can be written") from problem
    finally:
        for aside, _ in pending:
            if os.path.exists(aside):
                os.remove(aside)
    print(f"wrote {stem}.png and {stem}.pdf")
