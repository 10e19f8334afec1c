"""Classes: how often each is taken for another, and the samples about which a network is wrong and sure."""
import os

import matplotlib.pyplot as plt
import numpy as np
from figures.files import attribute, dataset, hdf5, numbers, read_json, require
from figures.style import FULL_PAGE, HALF_PAGE, save

MOST_CLASSES = 30  # of a confusion matrix that can be read
COLUMNS, ROWS = 5, 4  # of the sheet of mistakes
HEAD = 0.2  # inches for its title
LONGEST = 22  # characters under an image


def read_confusions(path, chosen):
    """Names of the classes and [(name, confusion [true, predicted])] of the networks of an evaluation."""
    result = read_json(path, "evaluate")
    models = result.get("models")
    require(isinstance(models, list) and all(isinstance(model, dict) for model in models), path,
            ": models: a list was expected")
    require("classes" in result, path, ": the field classes is missing: expected an evaluation of classes")
    count = int(numbers(result["classes"], f"{path}: classes", ()))
    require(2 <= count <= MOST_CLASSES, path, f": 2 to {MOST_CLASSES} classes can be drawn, not {count}")
    names = result.get("class_names", [str(k) for k in range(count)])
    require(isinstance(names, list) and len(names) == count, path, f": class_names: {count} names were expected")
    found = []
    for i, model in enumerate(models):
        name, run = str(model.get("name", "")), str(model.get("run", ""))
        if "run" not in model or (chosen and not any(text in name or text in run for text in chosen)):
            continue
        matrix = numbers(model.get("confusion"), f"{path}: models[{i}].confusion", (count, count))
        require((matrix >= 0).all(), path, f": models[{i}].confusion: numbers from 0 were expected")
        found.append((name, matrix))
    require(found, path, ": a network", f" called {' or '.join(chosen)}" if chosen else "", " was expected in it")
    return [str(name) for name in names], found


def plot_confusion(arguments):
    names, models = read_confusions(arguments.evaluation, arguments.models)
    size = len(names)
    width = HALF_PAGE if len(models) == 1 else FULL_PAGE
    columns = min(len(models), 2)
    rows = -(-len(models) // columns)
    figure, panels = plt.subplots(rows, columns, figsize=(width, (0.95 * width / columns + 0.5) * rows),
                                  squeeze=False)
    for ax in panels.flat[len(models):]:
        ax.remove()
    for ax, (name, matrix) in zip(panels.flat, models):
        there = matrix.sum(1, keepdims=True)
        share = matrix / np.maximum(there, 1)
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        if size <= 12:
            for (true, predicted), part in np.ndenumerate(share):
                ax.text(predicted, true, f"{matrix[true, predicted]:g}", ha="center", va="center", fontsize=7,
                        color="white" if part > 0.5 else "black")
        ax.set_xticks(range(size), names, rotation=90)
        ax.set_yticks(range(size), names)
        ax.tick_params(length=0)
        accuracy = np.trace(matrix) / max(matrix.sum(), 1)
        ax.set(xlabel="predicted class", ylabel="true class", title=f"accuracy {100 * accuracy:.1f} %")
        if len(models) > 1:
            ax.set_title(f"{name}\naccuracy {100 * accuracy:.1f} %")
    figure.tight_layout()
    save(figure, arguments.out)


def samples_drawn(file, path, count):
    """Which samples may be drawn, and what they are: those that validate, or if there are none those that the run does
    not know."""
    if "validation" not in file:  # the run was trained on other samples, or does not say on which
        return np.ones(count, dtype=bool), "samples, of which it is not known which were trained on"
    validates = dataset(file, "validation", (count,)) != 0
    if validates.any() or "split" not in file:
        return validates, "validation samples"
    is_new = dataset(file, "split", (count,)) < 0
    require(is_new.any(), path, ": samples that validate, or that the run does not know, were expected, but it was trained "
            "on these or leaves them for tests")
    return is_new, "samples that the run does not know"


def read_mistakes(path):
    """[(row, true and predicted class, probability of each class)] of the wrong predictions, the most certain first;
    their number; "60 validation samples": what they are mistakes in; the names of the classes; those of the samples, or
    None."""
    require(not path.lower().endswith(".csv"), path, ": HDF5 was expected, which predict writes if the name of --out ends in "
            ".h5; predictions in CSV have no true classes")
    with hdf5(path, "predict") as file:
        require("targets" in file and "probabilities" in file, path, ": the datasets targets and probabilities were "
                "expected, as predict writes them for classes that are known")
        shares = dataset(file, "probabilities", (None, None))
        true = dataset(file, "targets", (len(shares),)).astype(int)
        kept, what = samples_drawn(file, path, len(true))
        names = (list(attribute(file, "probabilities", "classes")) if "classes" in file["probabilities"].attrs
                 else [str(k) for k in range(shares.shape[1])])
        files = file["files"].asstr(errors="replace")[()] if "files" in file else None
    require(((true >= -1) & (true < shares.shape[1])).all(), path, ": targets: classes of the probabilities were expected")
    kept &= true >= 0  # -1: no label
    require(kept.any(), path, ": none of its ", what, " has a label")
    predicted = shares.argmax(1)
    wrong = np.flatnonzero(kept & (predicted != true))
    require(wrong.size, path, f": the network makes no mistake in {kept.sum()} {what}, so there is nothing to draw")
    order = wrong[np.argsort(shares[wrong, true[wrong]] - shares[wrong, predicted[wrong]], kind="stable")]
    names = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]
    mistakes = [(row, true[row], predicted[row], shares[row]) for row in order]
    return mistakes, wrong.size, f"{kept.sum()} {what}", names, files


def image_of(numbers_of_one):
    """[channels, height, width] as matplotlib shows it: RGB, or the first channel in grey."""
    image = np.asarray(numbers_of_one, dtype=float)
    low, high = image.min(), image.max()
    image = (image - low) / (high - low) if high > low else np.zeros_like(image)
    return np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]


def images_of(data, rows, files):
    """The images of these rows, from a data set or a folder of images."""
    if os.path.isdir(data):
        require(files is not None, data, ": predictions of a folder of images were expected, which have names of files")
        try:
            return [plt.imread(os.path.join(data, files[row])) for row in rows]
        except (OSError, SyntaxError, ValueError) as problem:
            require(False, data, f": an image cannot be read ({problem})")
    with hdf5(data, "train, from a folder of images,") as file:
        require("inputs" in file and file["inputs"].ndim == 4, data, ": images, inputs of shape n x channels x height x "
                "width, were expected")
        require(max(rows) < len(file["inputs"]), data, ": the data set of the predictions was expected, but it has only ",
                len(file["inputs"]), " samples")
        return [image_of(file["inputs"][row]) for row in rows]


def shortened(text):
    """The end of a long name, as wide as an image."""
    return text if len(text) <= LONGEST else "…" + text[1 - LONGEST:]


def plot_mistakes(arguments):
    mistakes, wrong, samples, names, files = read_mistakes(arguments.predictions)
    mistakes = mistakes[:COLUMNS * ROWS]
    images = images_of(arguments.data, [row for row, *_ in mistakes], files)
    rows = -(-len(mistakes) // COLUMNS)
    height = (FULL_PAGE / COLUMNS + 0.6) * rows + HEAD
    figure, panels = plt.subplots(rows, COLUMNS, figsize=(FULL_PAGE, height), squeeze=False)
    for ax in panels.flat:
        ax.set_axis_off()
    for ax, image, (row, true, predicted, shares) in zip(panels.flat, images, mistakes):
        ax.imshow(image, cmap="gray")
        ax.set_title(f"{shortened(names[true])}\n→ {shortened(names[predicted])}\n"
                     f"{100 * shares[true]:.0f} % → {100 * shares[predicted]:.0f} %", fontsize=7, pad=2)
        name = f"sample {row}" if files is None else os.path.basename(files[row])
        ax.text(0.5, -0.02, shortened(name), transform=ax.transAxes, ha="center", va="top", fontsize=7)
    count = ("the mistake" if wrong == 1 else f"the {wrong} mistakes" if wrong == len(mistakes) else
             f"the {len(mistakes)} most certain of {wrong} mistakes")
    figure.text(0.5, 1, f"{count} in {samples}: true → predicted class", ha="center", va="top", fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 1 - HEAD / height))
    save(figure, arguments.out)
