#!/usr/bin/python3
"""Figures from the files written by umbra's tools; each command writes OUT.png and OUT.pdf.

An error prints one line (exit status 1; wrong usage: 2). Needs matplotlib, numpy and h5py (Debian: python3-matplotlib,
python3-h5py); if this Python lacks them, the command continues in one that has them. The code of the figures is in the
folder figures.
"""
import argparse
import math
import os
import sys

sys.dont_write_bytecode = True  # no __pycache__ next to the sources
from figures.interpreter import candidates, continue_elsewhere
try:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from figures.classes import plot_confusion, plot_mistakes
    from figures.files import PlotError
    from figures.forest import plot_halos, plot_importance
    from figures.front import plot_front
    from figures.mass_functions import plot_smf
    from figures.predictions import plot_predictions
    from figures.style import INPUTS, OUTPUT, STYLE
    from figures.single_boxes import plot_boxes
    from figures.sub_box import plot_slice
    from figures.tables import plot_changes, plot_table
    from figures.training import plot_loss
    from figures.words import Parser
except ImportError as missing:
    continue_elsewhere(missing.name or missing, candidates())


CHOICE = "only models whose name, or folder, contains one of these texts (default: all)"


def number(kind, least, said):
    def parse(text):
        value = kind(text)
        if not (math.isfinite(value) and value >= least):
            raise argparse.ArgumentTypeError(f"{said} was expected, not {text}")
        return value
    parse.__name__ = kind.__name__
    return parse


def commands_of_classes(command):
    add = command("confusion", plot_confusion, "how often each class is taken for another, of the validation samples")
    add("--evaluation", "JSON written by evaluate for a data set of classes", required=True)
    add("--models", CHOICE, nargs="+", metavar="TEXT")
    add = command("mistakes", plot_mistakes, "images of the validation samples about which a network is wrong and most "
                  "certain")
    add("--predictions", "HDF5 written by predict for images whose classes are known", required=True)
    add("--data", "the folder of images, or the data set (HDF5), of the predictions", required=True)


def commands_of_forests(command):
    add = command("halos", plot_halos, "predicted against true stellar masses of halos that a forest was not fitted on")
    add("--predictions", "HDF5 written by forest predict from a catalog with stellar masses", required=True)
    add = command("importance", plot_importance, "how much each column matters to a forest, with standard errors over "
                  "trees, or to several forests on average, with the scatter over them")
    add("--importance", "JSON written by forest importance, of forests with other seeds", required=True, nargs="+")


def command_line():
    parser = Parser("plot.py", description="Figures from the files that umbra's tools write.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, draw, text):
        sub = Parser.commands[name] = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(draw=draw)
        sub.add_argument("--out", required=True, help="OUT.png and OUT.pdf are written")
        sub.add_argument("--overwrite", action="store_true", help="replace OUT.png and OUT.pdf if they exist")
        return lambda flag, text, **more: sub.add_argument(
            flag, help=text + (f" (default {more['default']})" if "default" in more else ""), **more)

    add = command("smf", plot_smf, "mean stellar mass function per dex of the validation boxes, every model against "
                  "the truth and the observed one, chi^2 with its standard error, and residuals per box in units of "
                  "the sigma of chi^2 (an arrow: a mean below the logarithmic axis)")
    add("--evaluation", "JSON written by evaluate", required=True)
    add("--models", CHOICE, nargs="+", metavar="TEXT")
    add("--names", "names of these models in the legend, in the order of the file", nargs="+", metavar="NAME")
    for name, draw, text in (
            ("table", plot_table, "chi^2 of all models (the paper's Table 1): mean and standard error over boxes, "
             "scatter over seeds, median, the reference and the Poisson noise"),
            ("changes", plot_changes, "paired differences of models from their reference, box by box, with standard "
             "errors, or the single changes that reproduce lists")):
        add = command(name, draw, text)
        add("--evaluation", "JSON written by evaluate or reproduce", required=True)
        add("--models", CHOICE, nargs="+", metavar="TEXT")
        add("--score", "sum over bins, as in the authors' code, or the paper's Eq. 1", choices=("chi2", "chi2_eq1"),
            default="chi2")
        if name == "table":
            add("--reference", "a line at the model whose name contains this (default: the reference of the file)")
            add("--paper", "also the chi^2 in the paper's Table 1, of its own catalog", action="store_true")
    add = command("loss", plot_loss, "chi^2 of training and validation against the epoch, the baselines if the folder "
                  "of the run contains baselines.json, and the learning rate (dotted lines: its steps)")
    add("--run", "folders written by train, or their metrics.csv", required=True, nargs="+")
    add = command("slice", plot_slice, "the input of the network: mean Vpeak per voxel of one sub-box, in km/s")
    add("--data", "catalog (HDF5) written by import or mock", required=True)
    add("--box", "number of the sub-box, as in predictions", type=number(int, 0, "0 or more"), default=0)
    positive, count = number(float, 1e-9, "a positive number"), number(int, 1, "1 or more")
    add("--subbox-size", "side of a sub-box, comoving Mpc/h; must divide the box (default: the size that train chooses)",
        type=positive)
    add("--voxels", "voxels per side of a sub-box", type=count, default=25)
    add("--depth", "voxels across z, at the box's centre, of which the largest value is shown", type=count, default=5)
    add("--min-vpeak", "halos below this Vpeak are left out, km/s", type=number(float, 0, "0 or more"), default=150.0)
    add = command("predictions", plot_predictions, "predicted against true number densities, validation boxes only")
    add("--predictions", "HDF5 written by predict from a catalog with stellar masses", required=True)
    add = command("boxes", plot_boxes, "mass functions of single boxes, true and predicted by several models, with the "
                  "Poisson noise of the true counts and the scatter of seeds")
    add("--predictions", "HDF5 written by predict from the same catalog", required=True, nargs="+")
    add("--box", "up to 4 sub-boxes (default: validation boxes with few, usual and many galaxies)", nargs="+",
        type=number(int, 0, "0 or more"))
    commands_of_classes(command)
    commands_of_forests(command)
    add = command("front", plot_front, "the picture of the README: a slab of the universe, a validation box in it as the "
                  "network sees it, and that box's mass function")
    add("--data", "catalog (HDF5) written by mock or import", required=True)
    add("--predictions", "HDF5 written by predict from that catalog", required=True)
    return parser


def main():
    arguments = command_line().parse_args()
    plt.rcParams.update(STYLE)
    OUTPUT["overwrite"] = arguments.overwrite
    for name, value in vars(arguments).items():
        INPUTS.update(os.path.realpath(path) for path in (value if isinstance(value, list) else [value])
                      if name != "out" and isinstance(path, str) and os.path.isfile(path))
    try:
        arguments.draw(arguments)
    except PlotError as problem:
        print(f"plot.py: {problem}", file=sys.stderr)
        return 1
    except MemoryError:
        print("plot.py: not enough memory for this figure", file=sys.stderr)
        return 1
    return 0


def run():
    """Runs a command, flushes standard output and returns the exit status."""
    if sys.stdout is None:
        print("plot.py: standard output cannot be written: it is closed", file=sys.stderr)
        return 1
    try:
        status = main()
        sys.stdout.flush()
    except OSError as problem:  # of standard output; errors of files are PlotError
        print(f"plot.py: standard output cannot be written: {problem.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes again at exit
        return 1
    return status


if __name__ == "__main__":
    sys.exit(run())
