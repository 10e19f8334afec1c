#!/usr/bin/env python3
"""Trains ResNet18 on a folder of galaxies in PyTorch with the recipe of models/configs/galaxy_zoo.toml, for a comparison
with umbra on the same images: the same network, initial distributions, augmentation, loss, optimiser and schedule.

    pytorch_galaxy_zoo.py --data FILE.h5 --seed 1 --out peer-1.csv
    pytorch_galaxy_zoo.py --compare umbra-1.csv umbra-2.csv umbra-3.csv --with peer-1.csv peer-2.csv peer-3.csv --data FILE.h5

FILE.h5 holds the decoded images that `train --data FOLDER` keeps next to its run. --out is written as predict writes its
CSV: a row per image with the probability of every class. --compare prints the accuracy of both groups of files on the
validation images, overall and per class, and their difference, paired by image, with its standard error over images.
It needs PyTorch and h5py (--compare needs no PyTorch).
"""
import argparse
import csv
import math
import time

import h5py
import numpy as np


def read_data(path):
    with h5py.File(path, "r") as file:
        names = [str(name) for name in file["targets"].attrs["classes"].astype(str)]
        images = file["inputs"][()].astype(np.float32) * file["inputs"].attrs["scale"]
        return images, file["targets"][()], file["split"][()], file["files"].asstr()[()], names


def stem_of(network, stem, channels_in):
    from torch import nn
    width = network.conv1.out_channels
    if stem == "3x3":
        network.conv1 = nn.Conv2d(channels_in, width, 3, padding=1, bias=False)
        network.pool = nn.Identity()
    elif channels_in != 3:
        network.conv1 = nn.Conv2d(channels_in, width, 7, stride=2, padding=3, bias=False)
    return network


class Augmentation:
    """umbra's transformations (models/tasks/dataset/augmentation.h) with random numbers of PyTorch."""

    def __init__(self, options, mirror):
        self.options, self.mirror = options, mirror

    def __call__(self, images, labels):
        import torch
        from torch.nn import functional
        count, _, height, width = images.shape
        if self.options.flips:
            flipped = torch.rand(count) < 0.5
            images = torch.where(flipped[:, None, None, None], images.flip(3), images)
            labels = torch.where(flipped, self.mirror[labels], labels)
        if self.options.turns:
            turns = torch.randint(4, (count,))
            images = torch.stack([image.rot90(int(turn), (1, 2)) for image, turn in zip(images, turns)])
        o = self.options
        if o.rotation or o.zoom or o.shift:
            angle = math.radians(o.rotation) * (2 * torch.rand(count) - 1)
            zoom = (1 - o.zoom) ** (2 * torch.rand(count) - 1)
            right, down = (torch.randint(-o.shift, o.shift + 1, (count,)) for _ in range(2))
            cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
            x, y = -2 * right / width, -2 * down / height  # in units of half an image
            matrix = torch.stack([torch.stack([cosine, -sine, cosine * x - sine * y], 1),
                                  torch.stack([sine, cosine, sine * x + cosine * y], 1)], 1)
            grid = functional.affine_grid(matrix, images.shape, align_corners=False)
            images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        return images, labels


def shares_of(labels, classes, smoothing):
    import torch
    from torch.nn import functional
    return (1 - smoothing) * functional.one_hot(labels, classes).to(torch.float32) + smoothing / classes


def learning_rate(o, step, steps):
    total, warm = o.epochs * steps, round(o.warmup_epochs * steps)
    if step < warm:
        return o.learning_rate * (step + 1) / warm
    return 0.5 * o.learning_rate * (1 + math.cos(math.pi * min(1, (step - warm) / max(1, total - warm))))


def prepare(o):
    """Standardised images, labels, split, files, names, weights of the classes or None, and what a flip exchanges."""
    import torch
    images, labels, split, files, names = read_data(o.data)
    inside = split == 0
    mean, scale = (moment(images[inside], axis=(0, 2, 3), keepdims=True, dtype=np.float64) for moment in (np.mean, np.std))
    labels, classes = torch.from_numpy(labels), len(names)
    mirror = torch.arange(classes)
    for pair in o.mirrored:
        one, other = (names.index(name) for name in pair.split(":"))
        mirror[one], mirror[other] = other, one
    weights = None
    if o.class_weights == "balanced":
        counts = torch.bincount(labels[torch.from_numpy(inside)], minlength=classes)
        weights = (counts.sum() / (classes * counts)).to(torch.float32)
    return (torch.from_numpy(((images - mean) / scale).astype(np.float32)), labels, split, files, names, weights, mirror)


def make_optimiser(o, network):
    import torch
    if o.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), lr=o.learning_rate, momentum=o.momentum,
                               weight_decay=o.weight_decay, foreach=True)
    kind = torch.optim.AdamW if o.optimizer == "adamw" else torch.optim.Adam
    return kind(network.parameters(), lr=o.learning_rate, weight_decay=o.weight_decay, foreach=True)


def batch_loss(o, network, batch, weights, augment, images, labels, rows, classes):
    """The loss of one batch, augmented and mixed."""
    import torch
    from torch.nn import functional
    x, y = augment(images[batch], labels[batch])
    if o.mixup == 0:
        logits = network(x.to(memory_format=torch.channels_last))
        return functional.cross_entropy(logits, y, weight=weights, label_smoothing=o.label_smoothing)
    partner = rows[torch.randint(len(rows), (len(batch),))]
    x2, y2 = augment(images[partner], labels[partner])
    share = torch.distributions.Beta(o.mixup, o.mixup).sample((len(batch),))
    x = share[:, None, None, None] * x + (1 - share)[:, None, None, None] * x2
    q = (share[:, None] * shares_of(y, classes, o.label_smoothing)
         + (1 - share)[:, None] * shares_of(y2, classes, o.label_smoothing))
    return functional.cross_entropy(network(x.to(memory_format=torch.channels_last)), q, weight=weights)


def predict(network, images, chosen):
    """Probabilities of the classes of these images."""
    import torch
    network.eval()
    with torch.no_grad():
        parts = [network(images[chosen[i:i + 64]].to(memory_format=torch.channels_last))
                 for i in range(0, len(chosen), 64)]
    network.train()
    return torch.cat(parts).softmax(1).to(torch.float64)


def train(o):
    import torch
    from resnet18_pytorch import ResNet18
    torch.manual_seed(o.seed)
    images, labels, split, files, names, weights, mirror = prepare(o)
    classes = len(names)
    network = stem_of(ResNet18(classes), o.stem, images.shape[1]).to(memory_format=torch.channels_last)
    optimiser, augment = make_optimiser(o, network), Augmentation(o, mirror)
    rows, held_out = torch.from_numpy(np.flatnonzero(split == 0)), torch.from_numpy(np.flatnonzero(split == 1))
    steps, best = len(rows) // o.batch, (2.0, None)
    for epoch in range(o.epochs):
        start = time.perf_counter()
        order = rows[torch.randperm(len(rows))]
        for i in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(o, epoch * steps + i, steps)
            optimiser.zero_grad(set_to_none=True)
            batch = order[i * o.batch:(i + 1) * o.batch]
            batch_loss(o, network, batch, weights, augment, images, labels, rows, classes).backward()
            optimiser.step()
        seconds = time.perf_counter() - start
        error = float((predict(network, images, held_out).argmax(1) != labels[held_out]).to(torch.float64).mean())
        if error < best[0]:
            best = (error, {name: value.clone() for name, value in network.state_dict().items()})
        print(f"epoch {epoch + 1}/{o.epochs}  validation error {error:.4f}  {seconds:.1f} s", flush=True)
    network.load_state_dict(best[1])
    write_predictions(o.out, files, names, predict(network, images, torch.arange(len(images))).numpy())
    print(f"best validation error {best[0]:.4f}; wrote {o.out}")


def write_predictions(out, files, names, shares):
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "file", "predicted", "name"] + [f"probability_{name}" for name in names])
        for row, (name, share) in enumerate(zip(files, shares)):
            writer.writerow([row, name, share.argmax(), names[share.argmax()]] + [f"{p:.12g}" for p in share])


def right_of(paths, files, labels):
    """Whether every image is taken for its class, in every file: [files, images]."""
    result = []
    for path in paths:
        with open(path, newline="", encoding="utf-8") as file:
            predicted = {row["file"]: int(row["predicted"]) for row in csv.DictReader(file)}
        missing = next((name for name in files if name not in predicted), None)
        if missing:
            raise SystemExit(f"{path}: there is no row for {missing}; predictions of all images of --data are expected")
        result.append([predicted[name] == label for name, label in zip(files, labels)])
    return np.array(result, dtype=float)


def compare(o):
    _, labels, split, files, names = read_data(o.data)
    kept = split == 1
    labels, files = labels[kept], files[kept]
    ours, theirs = right_of(o.compare, files, labels), right_of(o.peers, files, labels)
    print(f"{'':24} {'images':>7} {'umbra':>16} {'peer':>16} {'difference':>18} {'in its errors':>14}")
    for k, name in [(None, "all")] + list(enumerate(names)):
        chosen = labels == k if k is not None else np.ones(len(labels), dtype=bool)
        parts = []
        for group in (ours, theirs):
            seeds = group[:, chosen].mean(1)
            parts.append(f"{seeds.mean():.4f} +- {seeds.std(ddof=1) if len(seeds) > 1 else 0:.4f}")
        pairs = ours[:, chosen].mean(0) - theirs[:, chosen].mean(0)
        difference, error = pairs.mean(), pairs.std(ddof=1) / math.sqrt(len(pairs))
        print(f"{name:24} {chosen.sum():7} {parts[0]:>16} {parts[1]:>16} {difference:+.4f} +- {error:.4f}"
              f" {abs(difference) / error if error > 0 else 0:14.1f}")
    print("accuracy: mean and scatter over seeds; difference: mean over seeds, paired by image, with its standard error over images")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out")
    parser.add_argument("--compare", nargs="+")
    parser.add_argument("--with", nargs="+", dest="peers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--stem", choices=("3x3", "7x7"), default="3x3")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--optimizer", choices=("sgd", "adam", "adamw"), default="sgd")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--weight-decay", type=float, default=5e-4)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--warmup-epochs", type=float, default=1)
    parser.add_argument("--label-smoothing", type=float, default=0.1)
    parser.add_argument("--class-weights", choices=("none", "balanced"), default="none")
    parser.add_argument("--mixup", type=float, default=0)
    parser.add_argument("--no-flips", dest="flips", action="store_false")
    parser.add_argument("--no-turns", dest="turns", action="store_false")
    parser.add_argument("--mirrored", nargs="*", default=["spiral_clockwise:spiral_anticlockwise"])
    parser.add_argument("--rotation", type=float, default=0)
    parser.add_argument("--zoom", type=float, default=0)
    parser.add_argument("--shift", type=int, default=4)
    options = parser.parse_args()
    if options.compare:
        if not options.peers:
            parser.error("--compare needs --with")
        return compare(options)
    if not options.out:
        parser.error("--out is needed")
    if options.threads:
        import torch
        torch.set_num_threads(options.threads)
    return train(options)


if __name__ == "__main__":
    main()
