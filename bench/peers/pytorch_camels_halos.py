#!/usr/bin/env python3
"""Trains a network of halos on the CAMELS boxes in PyTorch: the peer of umbra's um_halos.

The network gives every halo with Vmax >= 150 km/s a probability per stellar-mass bin, from the halo and from a summary
of its box, and sums them over the halos of the box; galaxies of lesser halos are a background from the summary:

    x_h       ln Vmax, ln(1 + other halos within 1, 2, 5 Mpc/h), central or not; with --columns all also the residuals
              of ln mass, dispersion, Rmax and spin about a cubic in ln Vmax. Standardised by the training halos
    summary   MLP of [sum over halos of an MLP of x_h / (10 + halos), ln(1 + halos), with --parameters their logs]
    counts    sum_h softmax(MLP(x_h, summary))[14 of 15 classes] + exp(linear(summary))
    loss      chi2 / 20 + 0.5 Poisson + 0.1 cross-entropy of the halos' own bins, each a mean over the boxes of a batch

No stellar mass is an input; but Vmax, Rmax, dispersion and mass are of runs with gas and stars and respond to them.
chi2 and seconds (of processor time) as in pytorch_camels.py. The defaults were chosen inside the training boxes of
fold 0; for --columns vmax --dropout 0 was better there.

    pytorch_camels_halos.py --camels DIR --folds folds.json --columns all --seeds 1,2,3 --out result.json
    pytorch_camels_halos.py --camels DIR --folds folds.json --columns all --parameters TABLE.txt --out result.json
"""
import argparse
import glob
import json
import math
import os
import re
import sys
import time

import h5py
import numpy as np
import torch
from torch import nn

from folds import read_folds
from pytorch_camels import BIN_WIDTH, BINS, FIRST_BIN, MIN_VMAX, SIGMA, processor

VOLUME = 25.0**3  # (Mpc/h)^3
CLASSES = BINS + 1  # the bins, and no galaxy in any of them
WIDTH, EMBEDDING, BATCH, CLIP = 64, 32, 32, 6.0
COLUMNS = {"vmax": 5, "all": 9}
PER_SIGMA = 1 / (VOLUME * np.array(SIGMA))  # a count times this is phi / sigma


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--camels", required=True, help="folder with SB7_<i>/groups_090.hdf5")
    parser.add_argument("--folds", required=True, help="folds to validate on: written by train --write-folds")
    parser.add_argument("--columns", choices=list(COLUMNS), default="vmax", help="properties of halos that are inputs")
    parser.add_argument("--parameters", help="table with the seven parameters of every box (CosmoAstroSeed_*.txt)")
    parser.add_argument("--seeds", default="1,2,3", help="one training per fold and seed")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--dropout", type=float, default=0.1, help="after both layers of the summary")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="JSON file for the result")
    return parser.parse_args()


# ---- data ----
def box_number(path):
    return int(re.search(r"SB7_(\d+)", path).group(1))


def neighbours(position, side):
    """ln(1 + other halos within 1, 2 and 5 Mpc/h) of each halo of a periodic box. [halos, 3]"""
    apart = position[:, None] - position[None]
    apart -= side * np.round(apart / side)
    distance = np.sqrt((apart**2).sum(axis=2))
    return np.stack([np.log1p((distance < radius).sum(axis=1) - 1) for radius in (1, 2, 5)], axis=1)


def read_box(path):
    """(columns [halos, 9] of the halos with Vmax >= 150 km/s, their classes, counts [14]) of one box."""
    with h5py.File(path, "r") as file:
        side, h = float(file["Header"].attrs["BoxSize"]) / 1e3, float(file["Header"].attrs["HubbleParam"])
        read = {name: file[f"Subhalo/Subhalo{name}"][:].astype(np.float64)
                for name in ("Pos", "Vmax", "Mass", "VelDisp", "VmaxRad", "Spin", "MassType")}
        first = file["Group/GroupFirstSub"][:].astype(np.int64)
    stars = read["MassType"][:, 4] * 1e10 / h  # Msun
    edges = FIRST_BIN + BIN_WIDTH * np.arange(BINS + 1)
    galaxy_bin = np.searchsorted(edges, np.log10(np.maximum(stars, 1)), "right") - 1
    counts = np.bincount(galaxy_bin[(galaxy_bin >= 0) & (galaxy_bin < BINS)], minlength=BINS)
    central = np.zeros(len(stars))
    central[first[(first >= 0) & (first < len(stars))]] = 1
    kept = read["Vmax"] >= MIN_VMAX
    columns = [np.log(read["Vmax"] / MIN_VMAX), central]
    columns += [np.log(np.maximum(read[name], 1e-6)) for name in ("Mass", "VelDisp", "VmaxRad")]
    columns += [np.log(np.maximum(np.linalg.norm(read["Spin"], axis=1), 1e-3))]
    columns = np.stack(columns, axis=1)[kept]
    around = neighbours(read["Pos"][kept] / 1e3, side)
    classes = np.where((galaxy_bin < 0) | (galaxy_bin >= BINS), BINS, galaxy_bin)[kept]
    return np.concatenate([columns[:, :1], around, columns[:, 1:]], axis=1), classes, counts


def read_camels(folder, table):
    """(columns of every box, classes of every box, counts [boxes, 14], logs of the parameters [boxes, 7] or None)."""
    paths = sorted(glob.glob(os.path.join(folder, "SB7_*", "groups_*.hdf5")), key=box_number)
    if not paths:
        sys.exit(f"{folder} contains no SB7_<i>/groups_<snapshot>.hdf5")
    columns, classes, counts = zip(*(read_box(path) for path in paths))
    parameters = None
    if table:
        rows = [line.split() for line in open(table) if not line.startswith("#")]
        of_box = {row[0]: [float(value) for value in row[1:8]] for row in rows if len(row) >= 8}
        try:
            parameters = np.log([of_box[f"SB7_{box_number(path)}"] for path in paths])
        except KeyError as error:
            sys.exit(f"{table} has no row for the box {error}")
    return columns, classes, np.stack(counts).astype(np.float64), parameters


class Boxes:
    """Inputs of all boxes, standardised by the halos and boxes for training."""

    def __init__(self, data, number, train):
        columns, classes, counts, parameters = data
        self.ends = np.cumsum([0] + [len(box) for box in columns])
        halos = np.concatenate(columns)[:, :number].copy()
        fitted = np.zeros(len(halos), bool)
        for box in train:
            fitted[self.ends[box]:self.ends[box + 1]] = True
        for column in range(5, number):  # residuals at fixed Vmax
            relation = np.polyfit(halos[fitted, 0], halos[fitted, column], 3)
            halos[:, column] -= np.polyval(relation, halos[:, 0])
        halos = (halos - halos[fitted].mean(axis=0)) / halos[fitted].std(axis=0)
        self.halos = torch.tensor(np.clip(halos, -CLIP, CLIP), dtype=torch.float32)
        self.classes = torch.tensor(np.concatenate(classes))
        self.counts = torch.tensor(counts, dtype=torch.float32)
        self.parameters = None
        if parameters is not None:
            scaled = (parameters - parameters[train].mean(axis=0)) / parameters[train].std(axis=0)
            self.parameters = torch.tensor(scaled, dtype=torch.float32)
        listed = np.stack([np.bincount(of_box, minlength=CLASSES)[:BINS] for of_box in classes])
        self.background = np.log(np.maximum((counts - listed)[train].mean(axis=0), 0.02))

    def batch(self, boxes):
        """(halos [H, columns], the box of each, parameters or None) of a batch; and the halos' indices."""
        index = np.concatenate([np.arange(self.ends[box], self.ends[box + 1]) for box in boxes])
        of = np.repeat(np.arange(len(boxes)), self.ends[np.array(boxes) + 1] - self.ends[boxes])
        parameters = None if self.parameters is None else self.parameters[boxes]
        return (self.halos[index], torch.from_numpy(of), len(boxes), parameters), torch.from_numpy(index)


# ---- the network ----
class HaloNetwork(nn.Module):
    """Input: halos of all boxes of a batch, the box of each. Output: counts [boxes, 14], log P [halos, 15]."""

    def __init__(self, columns, parameters, background, dropout):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(columns, WIDTH), nn.SiLU(), nn.Linear(WIDTH, EMBEDDING), nn.SiLU())
        self.summarise = nn.Sequential(nn.Linear(EMBEDDING + 1 + parameters, WIDTH), nn.SiLU(), nn.Dropout(dropout),
                                       nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Dropout(dropout))
        self.halo, self.box = nn.Linear(columns, WIDTH), nn.Linear(WIDTH, WIDTH, bias=False)
        self.head = nn.Sequential(nn.SiLU(), nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, CLASSES))
        self.background = nn.Linear(WIDTH, BINS)
        with torch.no_grad():
            self.background.weight.mul_(0.1)
            self.background.bias.copy_(torch.tensor(background))

    def forward(self, halos, of, boxes, parameters):
        number = torch.zeros(boxes).index_add(0, of, torch.ones(len(of)))[:, None]
        total = torch.zeros(boxes, EMBEDDING).index_add(0, of, self.embed(halos))
        parts = [total / (number + 10), (torch.log(number + 1) - 4.7) / 0.6]
        summary = self.summarise(torch.cat(parts + ([] if parameters is None else [parameters]), dim=1))
        log_p = torch.log_softmax(self.head(self.halo(halos) + self.box(summary)[of]), dim=1)
        seen = torch.zeros(boxes, BINS).index_add(0, of, log_p[:, :BINS].exp())
        return seen + self.background(summary).clamp(max=5).exp(), log_p


def loss_of(counts, log_p, observed, classes):
    chi2 = (((counts - observed) * torch.tensor(PER_SIGMA, dtype=torch.float32)) ** 2).sum()
    poisson = (counts - observed * (counts + 1e-6).log()).sum()
    entropy = nn.functional.nll_loss(log_p, classes, reduction="sum")
    return (chi2 / 20 + 0.5 * poisson + 0.1 * entropy) / len(observed)


def train(options, boxes, train_boxes, seed):
    """(network, seconds of training)"""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    parameters = 0 if boxes.parameters is None else boxes.parameters.shape[1]
    net = HaloNetwork(boxes.halos.shape[1], parameters, boxes.background, options.dropout)
    adam = torch.optim.Adam(net.parameters(), lr=3e-3, betas=(0.9, 0.99))
    start, step, steps = time.process_time(), 0, len(train_boxes) // BATCH * options.epochs
    for _ in range(options.epochs):
        order = rng.permutation(train_boxes)
        for batch in order[:len(order) // BATCH * BATCH].reshape(-1, BATCH):
            warm_up = min(1.0, (step + 1) / 50)
            adam.param_groups[0]["lr"] = 3e-3 * warm_up * 0.5 * (1 + math.cos(math.pi * step / steps))
            inputs, index = boxes.batch(batch)
            loss = loss_of(*net(*inputs), boxes.counts[batch], boxes.classes[index])
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 10.0)
            adam.step()
            step += 1
    return net, time.process_time() - start


def predict(net, boxes, wanted):
    net.eval()
    with torch.no_grad():
        return np.concatenate([net(*boxes.batch(part)[0])[0].numpy() for part in np.array_split(wanted, 4)])


# ---- cross-validation ----
def chi2_of_boxes(predicted, counts):
    return (((predicted - counts) * PER_SIGMA) ** 2).sum(axis=1)


def score(predicted, counts):
    each = chi2_of_boxes(predicted, counts)
    return {"chi2": float(each.mean()), "standard_error": float(each.std(ddof=1) / math.sqrt(len(each))),
            "median": float(np.median(each)), "chi2_of_box": [round(float(value), 4) for value in each]}


def cross_validate(options, data, folds):
    seeds, counts = [int(seed) for seed in options.seeds.split(",")], data[2]
    predicted, report = np.zeros((len(seeds), *counts.shape)), []
    for place, seed in enumerate(seeds):
        seconds = []
        for train_boxes, validation in folds:
            boxes = Boxes(data, COLUMNS[options.columns], train_boxes)
            net, spent = train(options, boxes, train_boxes, seed)
            predicted[place, validation] = predict(net, boxes, validation)
            seconds.append(round(spent, 2))
        report.append({"seed": seed, **score(predicted[place], counts), "train_seconds_of_fold": seconds})
        print(f"seed {seed}: chi2 {report[-1]['chi2']:.2f} +- {report[-1]['standard_error']:.2f}, "
              f"{sum(seconds):.0f} s of training", flush=True)
    return report, score(predicted.mean(axis=0), counts), sum(p.numel() for p in net.parameters())


def main(options):
    torch.set_num_threads(options.threads)
    data = read_camels(options.camels, options.parameters)
    try:
        folds = read_folds(options.folds, len(data[2]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    seeds, together, weights = cross_validate(options, data, folds)
    mean = float(np.mean([row["chi2"] for row in seeds]))
    print(f"mean over seeds {mean:.2f}, mean of their predictions {together['chi2']:.2f} +- "
          f"{together['standard_error']:.2f}, median {together['median']:.2f}")
    report = {"network": "halos", "columns": options.columns, "parameters": bool(options.parameters),
              "epochs": options.epochs, "dropout": options.dropout, "weights": weights, "torch": torch.__version__,
              "numpy": np.__version__, "machine": processor(), "threads": options.threads,
              "mean_chi2_of_seeds": mean, "mean_of_predictions": together, "seeds": seeds}
    if options.out:
        with open(options.out + ".part", "w") as out:
            json.dump(report, out)
        os.replace(options.out + ".part", options.out)


if __name__ == "__main__":
    main(parse_options())
