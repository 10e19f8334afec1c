#!/usr/bin/env python3
"""Trains ResNet18 on a data set of images in PyTorch with a recipe of umbra: the same network, initial distributions,
augmentation, loss, optimiser and schedule, on the same images.

    pytorch_galaxy_zoo.py --data FILE.h5 --seed 1 --out peer-1.csv [--log peer-1.log.csv] [data.flips=false ...]

FILE.h5 contains the decoded images that `train --data FOLDER` keeps. The recipe is that of models/configs/galaxy_zoo.toml
or of --config, with the same key=value as train. --out is written as predict writes its CSV, with the weights of the last
epoch: a row per image with the probability of every class. --log has the validation error and the seconds of every epoch.
"""
import argparse
import csv
import math
import pathlib
import sys
import time
import tomllib

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from resnet18_pytorch import ResNet18

CONFIG = pathlib.Path(__file__).parents[2] / "models/configs/galaxy_zoo.toml"
# Every setting that is known here, and the values for which this program has no code.
KNOWN = {"model": {"name", "stem", "channels", "dropout"},
         "data": {"input_scaling", "flips", "mirrored", "turns", "rotation", "zoom", "shift"},
         "loss": {"label_smoothing", "class_weights", "mixup"},
         "train": {"epochs", "batch", "optimizer", "momentum", "weight_decay", "schedule", "learning_rate", "warmup_epochs",
                   "patience"}}
FIXED = {"model.name": "resnet18", "data.input_scaling": "standard", "train.optimizer": "sgd", "train.schedule": "cosine",
         "train.patience": 0}


def read_recipe(path, changes):
    """{"model.stem": "3x3", …}, from a file of settings and key=value."""
    with open(path, "rb") as file:
        recipe = {f"{table}.{key}": value for table, keys in tomllib.load(file).items() for key, value in keys.items()}
    for change in changes:
        key, _, text = change.partition("=")
        if isinstance(recipe.get(key), list):
            recipe[key] = [part for part in text.strip("[]").split(",") if part]
            continue
        try:
            recipe[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            recipe[key] = text
    for key, value in recipe.items():
        table, _, name = key.partition(".")
        if name not in KNOWN.get(table, ()) or FIXED.get(key, value) != value:
            sys.exit(f"{path}: {key}={value} is not known to this program")
    return argparse.Namespace(**{key.partition(".")[2]: value for key, value in recipe.items()})


class Data:
    """Standardised images [n, C, H, W], labels, split (0: train, 1: validate), names of the images and of the classes."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            if "split" not in file or "files" not in file:
                sys.exit(f"{path}: /split and /files are expected, which train writes for folders with a split")
            names = file["targets"].attrs["classes"]
            if not isinstance(names, np.ndarray):
                sys.exit(f"{path}: /targets has no names of classes")
            self.classes = [name.decode() if isinstance(name, bytes) else str(name) for name in names]
            images = file["inputs"][()].astype(np.float32)
            self.labels = torch.from_numpy(file["targets"][()].astype(np.int64))
            self.split, self.files = file["split"][()], list(file["files"].asstr()[()])
        inside = images[self.split == 0]
        mean = inside.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
        scale = inside.std(axis=(0, 2, 3), keepdims=True, dtype=np.float64).astype(np.float32)
        self.images = torch.from_numpy((images - mean) / scale)

    def rows(self, side):
        return torch.from_numpy(np.flatnonzero(self.split == side))

    def mirror(self, pairs):
        """The class of the mirror image of every class."""
        result = torch.arange(len(self.classes))
        for pair in pairs:
            for name in pair.split(":"):
                if name not in self.classes:
                    sys.exit(f"data.mirrored: there is no class {name}; there are {', '.join(self.classes)}")
            one, other = (self.classes.index(name) for name in pair.split(":"))
            result[one], result[other] = other, one
        return result

    def balanced_weights(self):
        counts = torch.bincount(self.labels[self.rows(0)], minlength=len(self.classes))
        return (counts.sum() / (len(self.classes) * counts)).to(torch.float32)


def make_network(recipe, channels_in, classes):
    network = ResNet18(classes, recipe.channels)
    if recipe.stem == "3x3":
        network.conv1 = nn.Conv2d(channels_in, recipe.channels, 3, padding=1, bias=False)
        network.pool = nn.Identity()
    elif channels_in != 3:
        network.conv1 = nn.Conv2d(channels_in, recipe.channels, 7, stride=2, padding=3, bias=False)
    if recipe.dropout:
        network.fc = nn.Sequential(nn.Dropout(recipe.dropout), network.fc)
    return network.to(memory_format=torch.channels_last)


class Augmentation:
    """umbra's transformations (models/tasks/dataset/augmentation.h) with random numbers of PyTorch."""

    def __init__(self, recipe, mirror):
        self.recipe, self.mirror = recipe, mirror

    def __call__(self, images, labels):
        r, (count, _, height, width) = self.recipe, images.shape
        if r.flips:
            flipped = torch.rand(count) < 0.5
            images = torch.where(flipped[:, None, None, None], images.flip(3), images)
            labels = torch.where(flipped, self.mirror[labels], labels)
        if r.turns:
            turns = torch.randint(4, (count,))
            images = torch.stack([image.rot90(int(turn), (1, 2)) for image, turn in zip(images, turns)])
        if r.rotation or r.zoom or r.shift:
            angle = math.radians(r.rotation) * (2 * torch.rand(count) - 1)
            zoom = (1 - r.zoom) ** (2 * torch.rand(count) - 1)
            right, down = (torch.randint(-r.shift, r.shift + 1, (count,)) for _ in range(2))
            cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
            x, y = -2 * right / width, -2 * down / height  # in units of half an image
            matrix = torch.stack([torch.stack([cosine, -sine, cosine * x - sine * y], 1),
                                  torch.stack([sine, cosine, sine * x + cosine * y], 1)], 1)
            grid = functional.affine_grid(matrix, images.shape, align_corners=False)
            images = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        return images, labels


def batch_loss(recipe, network, data, batch, augment, weights):
    """The loss of one batch, augmented and mixed."""
    def logits(images):
        return network(images.to(memory_format=torch.channels_last))

    def shares(labels):
        one_hot = functional.one_hot(labels, len(data.classes)).to(torch.float32)
        return (1 - recipe.label_smoothing) * one_hot + recipe.label_smoothing / len(data.classes)

    x, y = augment(data.images[batch], data.labels[batch])
    if recipe.mixup == 0:
        return functional.cross_entropy(logits(x), y, weight=weights, label_smoothing=recipe.label_smoothing)
    rows = data.rows(0)
    partner = rows[torch.randint(len(rows), (len(batch),))]
    x2, y2 = augment(data.images[partner], data.labels[partner])
    share = torch.distributions.Beta(recipe.mixup, recipe.mixup).sample((len(batch),))
    x = share[:, None, None, None] * x + (1 - share)[:, None, None, None] * x2
    q = share[:, None] * shares(y) + (1 - share)[:, None] * shares(y2)
    return functional.cross_entropy(logits(x), q, weight=weights)


def learning_rate(recipe, step, steps):
    """Of a step, of which an epoch has so many: cosine with a linear rise, as engine/optim/schedule.h."""
    total, warm = recipe.epochs * steps, round(recipe.warmup_epochs * steps)
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    return 0.5 * recipe.learning_rate * (1 + math.cos(math.pi * min(1, (step - warm) / max(1, total - warm))))


def predict(network, images, rows):
    """Probabilities of the classes of these images, [rows, classes]."""
    network.eval()
    with torch.no_grad():
        parts = [network(images[part].to(memory_format=torch.channels_last)) for part in rows.split(64)]
    network.train()
    return torch.cat(parts).softmax(1).to(torch.float64)


def train(recipe, data, seed):
    """The trained network, and {epoch, error, seconds} of every epoch."""
    torch.manual_seed(seed)
    network = make_network(recipe, data.images.shape[1], len(data.classes))
    optimiser = torch.optim.SGD(network.parameters(), lr=recipe.learning_rate, momentum=recipe.momentum,
                                weight_decay=recipe.weight_decay, foreach=True)
    augment = Augmentation(recipe, data.mirror(recipe.mirrored))
    weights = data.balanced_weights() if recipe.class_weights == "balanced" else None
    rows, held_out = data.rows(0), data.rows(1)
    steps, log = len(rows) // recipe.batch, []
    for epoch in range(recipe.epochs):
        start = time.perf_counter()
        order = rows[torch.randperm(len(rows))]
        for i in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(recipe, epoch * steps + i, steps)
            optimiser.zero_grad(set_to_none=True)
            batch_loss(recipe, network, data, order[i * recipe.batch:(i + 1) * recipe.batch], augment, weights).backward()
            optimiser.step()
        seconds = time.perf_counter() - start
        wrong = predict(network, data.images, held_out).argmax(1) != data.labels[held_out]
        log.append({"epoch": epoch + 1, "error": float(wrong.to(torch.float64).mean()), "seconds": round(seconds, 3)})
        print(f"epoch {epoch + 1}/{recipe.epochs}  validation error {log[-1]['error']:.4f}  {seconds:.1f} s", flush=True)
    return network, log


def write_rows(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out")
    parser.add_argument("--log")
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("changes", nargs="*", metavar="key=value")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    data = Data(options.data)
    network, log = train(read_recipe(options.config, options.changes), data, options.seed)
    if options.log:
        write_rows(options.log, log)
    if options.out:
        shares = predict(network, data.images, torch.arange(len(data.images))).numpy()
        write_rows(options.out, [
            {"row": row, "file": name, "predicted": share.argmax(), "name": data.classes[share.argmax()],
             **{f"probability_{kind}": f"{p:.12g}" for kind, p in zip(data.classes, share)}}
            for row, (name, share) in enumerate(zip(data.files, shares))])
        print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
