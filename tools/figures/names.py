"""Names and units as a reader of a figure knows them, for what the files call models, columns and densities."""
import math
import os
import re

import numpy as np

MODELS = [(r"um_resnet C=(\d+)", r"UM ResNet, $C = \1$"),
          (r"um_resnet2d C=(\d+)", r"2D UM ResNet, $C = \1$"),
          (r"um_resnet2d plain C=(\d+)", r"2D network, $C = \1$"),
          (r"um_resnet2d\b", "2D UM ResNet"),
          (r"um_resnet\b", "UM ResNet"),
          (r"um_dense\b", "fully connected"),
          (r"um_halos\b", "network of halos"),
          (r"resnet18", "ResNet-18"),
          (r"mlp\b ?", "MLP "),
          (r"mean SMF$", "mean of training boxes"),
          (r"ridge on the histogram of the input$", "ridge regression"),
          (r"(ridge|Poisson regression|Gaussian process) on the histogram of the input$", r"\1, histogram"),
          (r"(ridge|Poisson regression|Gaussian process) on the parameters$", r"\1, parameters"),
          (r"(ridge|Poisson regression|Gaussian process) on the histogram and the parameters$",
           r"\1, histogram and parameters"),
          (r"(Poisson regression|Gaussian process) on all features$", r"\1, all features"),
          (r"(Poisson regression|Gaussian process) on all features and the parameters$",
           r"\1, all features and parameters"),
          (r"oracle, vpeak of every halo$", r"oracle, $V_\mathrm{peak}$ of every halo"),
          (r"oracle, voxels of vpeak$", r"oracle, voxels of $V_\mathrm{peak}$"),
          (r"Poisson noise of the counts$", "Poisson noise"),
          (r"forest, mean prediction per halo", "random forest, mean per halo"),
          (r"forest, mean prediction per voxel", "random forest, mean per voxel"),
          (r"forest, distribution per halo", r"random forest, $P(M_*\,|\,\mathrm{halo})$")]
COLUMNS = {"vpeak": r"peak velocity $V_\mathrm{peak}$", "vacc": r"velocity at accretion $V_\mathrm{acc}$",
           "mpeak": r"peak mass $M_\mathrm{peak}$", "macc": r"mass at accretion $M_\mathrm{acc}$",
           "mvir": r"virial mass $M_\mathrm{vir}$", "spin": r"spin $\lambda$",
           "vdisp": r"velocity dispersion $\sigma_v$", "rmax": r"radius of maximum velocity $R_\mathrm{max}$",
           "angular_momentum": "specific angular momentum $j$",
           "halfmass_scale": r"half-mass scale $a_{1/2}$", "is_satellite": "satellite or central",
           "velocity and mass": "all velocities and masses"}


def plain(text):
    """Escapes text of a file or path for a label: no mathematics, no leading underscore (which hides it in legends)."""
    return (" " if text.startswith("_") else "") + text.replace("$", r"\$")


def readable(name):
    """The name of a model, for example 'UM ResNet, C = 20' for 'um_resnet C=20'; others are unchanged."""
    for pattern, known in MODELS:
        match = re.match(pattern, name)
        if match:
            rest = plain(name[match.end():]).replace("log10 M*", r"$\log_{10} M_*$").replace("M*", "$M_*$")
            rest = rest.replace("Vpeak", r"$V_\mathrm{peak}$")
            return (known.replace(r"\1", match[match.lastindex or 0]) + rest).strip()
    return plain(name)


def column(name):
    return COLUMNS.get(name, plain(name).replace("_", " ").strip())


def last_parts(paths):
    """The last part of every path, or the whole path if several paths have the same last part."""
    last = [os.path.basename(os.path.normpath(path)) if path else "" for path in paths]
    return [plain(part if last.count(part) == 1 else path) for part, path in zip(last, paths)]


def distinct(names, paths):
    """`names`, followed by the last part of the path where several are equal. The path may be empty."""
    return [f"{name} ({part})".strip() if names.count(name) > 1 and part else name
            for name, part in zip(names, last_parts(paths))]


def pretty(unit):
    """A unit of a file, for example 'Mpc/h' or '(Mpc/h)^-3 dex^-1', as it is printed in a journal."""
    unit = plain(unit).replace("(Mpc/h)^-3", "h^3 Mpc^-3").replace("Mpc/h", "h^-1 Mpc").replace("km/s", "km s^-1")
    unit = re.sub(r"\bh\b", "$h$", unit)
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", unit).replace("$$", "")


LARGE = 1e5  # of what diverged; from here on powers of ten are split off


def rounded(value, error, sign=""):
    """A number with the digits that its error leaves: 42.8 for an error of 2.7, 43 for one of 27."""
    if abs(value) >= LARGE:
        digit, power = f"{value:{sign}.1e}".split("e")
        return rf"{digit}$\times 10^{{{int(power)}}}$".replace("-", "\u2212")
    digits = max(0, 1 - math.floor(math.log10(error))) if 0 < error < 10 else 0 if error else 1
    return f"{value:{sign}.{digits}f}".replace("-", "\u2212")


def with_error(value, error, sign=""):
    """'42.8 \u00b1 2.7'; of what diverged '(3.64 \u00b1 0.15)' and its power of ten."""
    if max(abs(value), error) < LARGE:
        return f"{rounded(value, error, sign)} \u00b1 {rounded(error, error)}"
    power = math.floor(math.log10(max(abs(value), error)))
    value, error = value / 10**power, error / 10**power
    digits = min(max(1, 1 - math.floor(math.log10(error))), 2) if error > 0 else 1
    both = f"{value:{sign}.{digits}f} \u00b1 {error:.{digits}f}".replace("-", "\u2212")
    return rf"({both})$\times 10^{{{power}}}$"


DENSITY = pretty("(Mpc/h)^-3 dex^-1")


def per_dex(unit, edges):
    """The width in dex [bins] by which densities in `unit` must be divided to be per dex, and their unit then."""
    if not unit.endswith(" per bin"):
        return np.ones(len(edges) - 1), pretty(unit)
    return np.diff(edges), pretty(unit.removesuffix(" per bin") + " dex^-1")


def mass(h, before=""):
    """The label of an axis of stellar masses, with the h that they assume if the file contains it."""
    return before + r"$\log_{10}(M_*/\mathrm{M}_\odot)$" + (f"  for $h = {h:g}$" if h else "")
