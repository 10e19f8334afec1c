"""A slice of a sub-box, the input of the network. The grid is that of data/boxes/cut.cpp."""
import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
from figures.files import read_catalog, require
from figures.names import pretty
from figures.style import COLOURS, FULL_PAGE, HALF_PAGE, save


def mean_field(cells, vpeak, voxels):
    """Mean Vpeak per voxel [V, V, V] of the halos in the voxels `cells` [n, 3]; 0 in voxels without a halo."""
    flat = np.ravel_multi_index(cells.T, (voxels,) * 3)
    count = np.bincount(flat, minlength=voxels**3)
    return (np.bincount(flat, vpeak, voxels**3) / np.maximum(count, 1)).reshape((voxels,) * 3)


def usual_size(side, cubes):
    """The size that train chooses (data/boxes/subbox_size.cpp): 25, or the nearest divisor with 16 sub-boxes or more."""
    usual, fewest = 25.0, next(n for n in range(1, 4) if cubes * n**3 >= 16)
    whole = math.floor(side / usual)
    if round(side / usual) >= 1 and math.isclose(round(side / usual) * usual, side, rel_tol=1e-6):
        return usual
    return min((side / max(n, fewest) for n in (whole, whole + 1)), key=lambda size: abs(size - usual))


def cut_slab(arguments):
    """The slab across z in the middle of sub-box arguments.box, as draw_slab needs it."""
    position, vpeak, cube, side, cubes, (length, speed) = read_catalog(arguments.data)
    size, path = arguments.subbox_size or usual_size(side, cubes), arguments.data
    per_side = round(side / size)
    voxels, depth = arguments.voxels, arguments.depth
    require(per_side >= 1 and math.isclose(per_side * size, side, rel_tol=1e-6), path,
            f": box_size is {side:g} {length}: expected a --subbox-size that divides it, not {size:g}")
    require(depth <= voxels <= 512, f"--depth {depth}, --voxels {voxels}: expected depth <= voxels <= 512")
    require(arguments.box < cubes * per_side**3, path,
            f": --box is {arguments.box}: expected a sub-box from 0 to {cubes * per_side**3 - 1}")
    which, inside = divmod(arguments.box, per_side**3)  # the numbering of BoxSet::box
    corner = np.array(np.unravel_index(inside, (per_side,) * 3))
    kept = (cube == which) & (vpeak >= arguments.min_vpeak)
    position, vpeak = position[kept], vpeak[kept]
    cells = np.minimum((position * (per_side * voxels / side)).astype(int), per_side * voxels - 1) - corner * voxels
    in_box = ((cells >= 0) & (cells < voxels)).all(axis=1)
    first, voxel = (voxels - depth) // 2, side / per_side / voxels  # the slab is in the middle, across z
    in_slab = (cells[:, 2] >= first) & (cells[:, 2] < first + depth)
    require((in_box & in_slab).any(), path, f": sub-box {arguments.box}: expected a halo with vpeak of at least "
            f"{arguments.min_vpeak:g} {speed} in the {depth} voxels in its middle, across z, but there is none")
    field = mean_field(cells[in_box], vpeak[in_box], voxels)[:, :, first:first + depth].max(axis=2)
    origin = corner * voxels * voxel
    return SimpleNamespace(box=arguments.box, position=position[in_slab], vpeak=vpeak[in_slab], in_box=in_box[in_slab],
                           field=field, origin=origin, voxel=voxel, width=voxels * voxel, side=side,
                           many=per_side > 1, low=origin[2] + first * voxel, high=origin[2] + (first + depth) * voxel,
                           length=pretty(length), speed=pretty(speed))


def plot_slice(arguments):
    slab = cut_slab(arguments)
    figure, axes = plt.subplots(1, 1 + slab.many, squeeze=False, figsize=(FULL_PAGE if slab.many else HALF_PAGE, 3.6),
                                gridspec_kw={"wspace": 0.25})
    draw_slab(figure, axes[0], slab)
    axes[0, -1].set_title(f"sub-box {slab.box}, {slab.low:g} \u2264 z < {slab.high:g} {slab.length}")
    save(figure, arguments.out)


def draw_slab(figure, axes, slab):
    """The slab through the whole cube on the first of two axes, through the sub-box on the last; the colour bar."""
    for ax in axes:
        ax.set(xlabel=f"x  [{slab.length}]", ylabel=f"y  [{slab.length}]", aspect="equal")
    if slab.many:
        draw_cube(axes[0], slab.position, slab.vpeak, slab.side)
        axes[0].add_patch(plt.Rectangle(slab.origin[:2], *[slab.width] * 2, fill=False, ec=COLOURS[1], lw=1.5))
    image = draw_field(axes[-1], slab.field, slab.origin, slab.voxel, slab.position[slab.in_box])
    bar = figure.colorbar(image, cax=axes[-1].inset_axes([1.03, 0, 0.045, 1]))
    bar.set_label(rf"mean $V_\mathrm{{peak}}$ per voxel, largest along z  [{slab.speed}]")
    return bar


def draw_cube(ax, position, vpeak, side):
    """All halos of the slab. A dot's area is proportional to vpeak^2, with a lower bound so that small halos show."""
    order = np.argsort(vpeak)
    area = np.clip(0.4 * (vpeak[order] / 200)**2, 0.25, 6)
    ax.scatter(*position[order, :2].T, s=area, c="black", linewidths=0, rasterized=True)
    ax.set(xlim=(0, side), ylim=(0, side), title=r"halos of this slab; dots grow with $V_\mathrm{peak}$")


def draw_field(ax, field, origin, voxel, position):
    """The field [x, y], white where it is 0, and the halos in it."""
    ends = [(origin[axis], origin[axis] + len(field) * voxel) for axis in (0, 1)]
    image = ax.imshow(np.ma.masked_equal(field, 0).T, origin="lower", cmap="viridis_r", interpolation="nearest",
                      extent=ends[0] + ends[1])
    if len(field) <= 50:
        x, y = (np.linspace(*end, len(field) + 1) for end in ends)
        ax.vlines(x, *ends[1], color="0.9", lw=0.3, zorder=1)
        ax.hlines(y, *ends[0], color="0.9", lw=0.3, zorder=1)
    ax.scatter(*position[:, :2].T, s=5, facecolors="white", edgecolors="black", linewidths=0.6, zorder=3)
    return image
