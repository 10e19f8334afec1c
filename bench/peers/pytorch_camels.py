#!/usr/bin/env python3
"""Trains PyTorch on the CAMELS boxes: the peer of umbra's training.

An independent reader of the SUBFIND files (h5py), the network of um_resnet_pytorch.py and two protocols:

    paper     raw inputs (km/s), phi unchanged, Adam with lr 0.1 for 10 epochs and 0.001 for 5, no augmentation
    default   inputs / 300, labels standardised per bin from the training boxes, Adam with lr 3e-3 and a cosine
              schedule to 0, augmentation by the 48 symmetries of the cube and periodic shifts by whole voxels

Both: batches of 32, the incomplete last batch of an epoch dropped. Every chi2 printed is the mean over validation
boxes of the sum over 14 bins of ((phi_predicted - phi) / sigma)^2, phi = galaxies / (25 Mpc/h)^3, sigma as in
data/boxes/boxes.h. A shifted or reflected box keeps its label because every box is periodic.

    pytorch_camels.py --camels DIR --protocol default --seed 1 --out result.json
    pytorch_camels.py --camels DIR --folds folds.json --seed 1 --out result.json

--folds trains once per fold of the file that `train --data CATALOG data.folds=5 --write-folds folds.json` writes, and
reports every fold and the means over all boxes; box i of the catalog is the i-th folder in natural order.
Seconds of training are of processor time, so that other programs do not count.
"""
import argparse
import glob
import json
import math
import os
import platform
import re
import sys
import time

VOXELS, BINS, MIN_VMAX = 25, 14, 150.0
FIRST_BIN, BIN_WIDTH = 10.2, 0.1  # log10 M*/Msun

# Moustakas et al. 2013 (arXiv:1301.1688), SDSS-GALEX, 0.01 < z < 0.20, log10 M*/Msun from 10.2 to 11.6 in steps of 0.1:
# the larger of the two errors of each bin (Mpc^-3 dex^-1, h = 0.7), used without conversion, as the authors do.
SIGMA = [1.79185054713184e-4, 1.57953869868048e-4, 1.43320834442909e-4, 1.29437266659682e-4, 1.31992103959136e-4,
         1.49169203961123e-4, 1.67106782523825e-4, 1.53650006149068e-4, 1.44228564715017e-4, 1.07591712110055e-4,
         7.64785919153448e-5, 6.56866271144666e-5, 4.99355490860156e-5, 3.18241552456813e-5]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--camels", required=True, help="folder with SB7_<i>/groups_090.hdf5")
    parser.add_argument("--split", help="validation boxes: indices in the natural order of the folders, as a JSON "
                                        "list, one number per line, or a JSON object with the key 'validation'")
    parser.add_argument("--folds", help="folds to validate on, one after the other: written by train --write-folds")
    parser.add_argument("--fold", type=int, help="train and validate on this fold of --folds only")
    parser.add_argument("--protocol", choices=["paper", "default"], default="default")
    parser.add_argument("--loss", choices=["chi2", "mse"], default="chi2",
                        help="default protocol: chi2 in phi, or mean squared error of the standardised labels")
    parser.add_argument("--epochs", type=int, help="default: 15 (paper), 60 (default)")
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1, help="seed of everything; of the split only without --split")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", help="JSON file for the result")
    options = parser.parse_args()
    if options.folds and options.split or options.fold is not None and not options.folds:
        parser.error("--fold needs --folds, and --folds excludes --split")
    return options


def tune_environment(threads):
    """Sets the allocator and thread settings with which PyTorch is fastest; they take effect only at process start."""
    wanted = {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "4294967296",
              "MALLOC_MMAP_THRESHOLD_": "4294967296", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    if os.path.exists("/proc/cpuinfo") and "avx512f" in open("/proc/cpuinfo").read():
        wanted["ATEN_CPU_CAPABILITY"] = "avx512"
    if os.environ.get("UMBRA_PEER_TUNED") != str(threads):
        os.environ.pop("OPENBLAS_CORETYPE", None)
        environment = {**os.environ, **wanted, "UMBRA_PEER_TUNED": str(threads)}
        os.execve(sys.executable, [sys.executable] + sys.argv, environment)
    return wanted


def processor():
    """The processor's name, where the system has it in /proc/cpuinfo; else its architecture."""
    lines = open("/proc/cpuinfo").read().splitlines() if os.path.exists("/proc/cpuinfo") else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


OPTIONS = parse_options() if __name__ == "__main__" else None
ENVIRONMENT = tune_environment(OPTIONS.threads) if OPTIONS else {}
import h5py
import numpy as np
import torch
from folds import read_folds
from um_resnet_pytorch import UmResnet, chi2_linear, parameter_count


# ---- data ----
def read_box(path):
    """(grid [25,25,25] of mean Vmax, counts [14], Vmax of the halos in the grid) of one periodic box."""
    with h5py.File(path, "r") as file:
        side, h = float(file["Header"].attrs["BoxSize"]), float(file["Header"].attrs["HubbleParam"])
        position = file["Subhalo/SubhaloPos"][:].astype(np.float64)  # [N, 3] kpc/h
        vmax = file["Subhalo/SubhaloVmax"][:].astype(np.float64)  # [N] km/s
        stars = file["Subhalo/SubhaloMassType"][:, 4].astype(np.float64) * 1e10 / h  # [N] Msun
    halo = vmax >= MIN_VMAX
    voxel = np.floor(position[halo] / side * VOXELS).astype(int) % VOXELS
    flat = (voxel[:, 0] * VOXELS + voxel[:, 1]) * VOXELS + voxel[:, 2]
    number = np.bincount(flat, minlength=VOXELS**3)
    total = np.bincount(flat, weights=vmax[halo], minlength=VOXELS**3)
    grid = (total / np.maximum(number, 1)).reshape(VOXELS, VOXELS, VOXELS)
    edges = FIRST_BIN + BIN_WIDTH * np.arange(BINS + 1)
    counts = np.histogram(np.log10(stars[stars > 0]), bins=edges)[0]
    return grid.astype(np.float32), counts, vmax[halo]


def read_camels(folder):
    paths = glob.glob(os.path.join(folder, "SB7_*", "groups_*.hdf5"))
    paths.sort(key=lambda p: int(re.search(r"SB7_(\d+)", p).group(1)))
    if not paths:
        sys.exit(f"{folder} contains no SB7_<i>/groups_<snapshot>.hdf5")
    grids, counts, vmax = zip(*(read_box(p) for p in paths))
    return torch.from_numpy(np.stack(grids)[:, None]), np.stack(counts), vmax


def split_boxes(count, file, seed):
    """(training, validation) indices, ascending."""
    if file:
        text = open(file).read()
        try:
            listed = json.loads(text) if text.lstrip()[:1] in ("{", "[") else text.split()
            validation = np.unique(np.array(listed["validation"] if isinstance(listed, dict) else listed, dtype=int))
        except (KeyError, TypeError, ValueError):
            sys.exit(f"{file}: not the numbers of boxes; a list of them, or a result of evaluate, is expected")
        if validation.size == 0 or validation[0] < 0 or validation[-1] >= count or validation.size >= count - 32:
            sys.exit(f"{file}: expected indices from 0 to {count - 1}, leaving at least 32 boxes for training")
    else:
        validation = np.sort(np.random.default_rng(seed).permutation(count)[round(0.8 * count):])
    return np.setdiff1d(np.arange(count), validation), validation


# ---- baselines ----
def chi2_of_boxes(predicted, observed):
    return (((predicted - observed) / np.array(SIGMA)) ** 2).sum(axis=1)


def mean_chi2(predicted, observed):
    return float(chi2_of_boxes(predicted, observed).mean())


def ridge_chi2(vmax, phi, train, validation):
    """Ridge regression from the histogram of Vmax (20 bins in log10, last one open); strength by 5-fold validation."""
    edges = np.concatenate([np.linspace(math.log10(MIN_VMAX), 2.9, 20), [9.0]])
    features = np.array([np.histogram(np.log10(v), bins=edges)[0] for v in vmax], dtype=np.float64)

    def fit_predict(fit, predict, strength):
        mean, scale = features[fit].mean(axis=0), features[fit].std(axis=0) + 1e-9
        x, y = (features[fit] - mean) / scale, phi[fit] - phi[fit].mean(axis=0)
        weight = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ y)
        return (features[predict] - mean) / scale @ weight + phi[fit].mean(axis=0)

    def score(strength):
        folds = [(np.delete(train, np.s_[k::5]), train[k::5]) for k in range(5)]
        return np.mean([mean_chi2(fit_predict(fit, held, strength), phi[held]) for fit, held in folds])

    best = min([0.1, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0], key=score)
    return mean_chi2(fit_predict(train, validation, best), phi[validation]), best


# ---- training ----
def augmented(boxes, rng):
    """A new batch: each box shifted periodically, its axes permuted and some of them reflected."""
    out = torch.empty_like(boxes)
    for i, box in enumerate(boxes):
        box = torch.roll(box[0], tuple(rng.integers(0, VOXELS, 3).tolist()), dims=(0, 1, 2))
        box = box.permute(tuple(rng.permutation(3).tolist()))
        out[i, 0] = torch.flip(box, [axis for axis in range(3) if rng.integers(2)])
    return out


def learning_rate(options, epoch, progress):
    """progress in [0, 1) counts steps over the whole run."""
    if options.protocol == "paper":
        return 0.1 if epoch <= max(1, round(options.epochs * 10 / 15)) else 0.001
    return 3e-3 * 0.5 * (1 + math.cos(math.pi * progress))


def predict(net, boxes, to_phi):
    net.eval()
    with torch.no_grad():
        return to_phi(torch.cat([net(part) for part in boxes.split(64)])).numpy()


def train(options, boxes, phi, train_boxes, validation_boxes, report):
    default = options.protocol == "default"
    target, sigma = torch.from_numpy(phi.astype(np.float32)), torch.tensor(SIGMA)
    mean, scale = target[train_boxes].mean(dim=0), target[train_boxes].std(dim=0)
    boxes = boxes / 300 if default else boxes
    to_phi = (lambda output: mean + scale * output) if default else (lambda output: output)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng([options.seed, 1])
    net = UmResnet(options.channels, options.dropout)
    report["parameters"] = parameter_count(net)
    adam = torch.optim.Adam(net.parameters(), lr=1.0)
    steps, step, seconds = len(train_boxes) // 32, 0, 0.0
    for epoch in range(1, options.epochs + 1):
        start, losses = time.process_time(), []
        net.train()
        order = rng.permutation(train_boxes)
        for batch in order[:steps * 32].reshape(steps, 32):
            rate = learning_rate(options, epoch, step / (steps * options.epochs))
            adam.param_groups[0]["lr"] = rate
            output = net(augmented(boxes[batch], rng) if default else boxes[batch])
            if default and options.loss == "mse":
                loss = ((output - (target[batch] - mean) / scale) ** 2).mean()
            else:
                loss = chi2_linear(to_phi(output), target[batch], sigma)
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
            step += 1
        seconds += time.process_time() - start
        each = chi2_of_boxes(predict(net, boxes[validation_boxes], to_phi), phi[validation_boxes])
        chi2 = float(each.mean())
        row = {"epoch": epoch, "lr": rate, "train_loss": float(np.mean(losses)), "validation_chi2": chi2}
        report["epochs"].append(row)
        print(f"epoch {epoch:3d}  lr {rate:.2e}  loss {row['train_loss']:.5g}  validation chi2 {chi2:.2f}", flush=True)
    report["training_chi2"] = mean_chi2(predict(net, boxes[train_boxes], to_phi), phi[train_boxes])
    report["chi2_of_box"] = [round(float(value), 4) for value in each]  # in the order of report["validation"]
    report["train_seconds"] = seconds
    report["final_chi2"] = report["epochs"][-1]["validation_chi2"]
    report["best_chi2"] = min(row["validation_chi2"] for row in report["epochs"])


def train_split(options, data, train_boxes, validation):
    """The report of one training."""
    boxes, counts, vmax = data
    phi = counts / float(VOXELS**3)  # [boxes, 14]
    mean_only = np.broadcast_to(phi[train_boxes].mean(axis=0), phi[validation].shape)
    ridge, strength = ridge_chi2(vmax, phi, train_boxes, validation)
    poisson = float((counts[validation] / VOXELS**6 / np.array(SIGMA) ** 2).sum(axis=1).mean())
    print(f"{len(phi)} boxes, {np.mean([len(v) for v in vmax]):.1f} halos per box, {len(train_boxes)} for training")
    report = {"protocol": options.protocol, "loss": options.loss if options.protocol == "default" else "chi2",
              "channels": options.channels, "dropout": options.dropout, "seed": options.seed,
              "torch": torch.__version__, "numpy": np.__version__, "threads": torch.get_num_threads(),
              "machine": processor(), "environment": ENVIRONMENT,
              "mean_smf_chi2": mean_chi2(mean_only, phi[validation]), "ridge_chi2": ridge, "ridge_strength": strength,
              "poisson_chi2": poisson, "epochs": []}
    print(f"chi2: mean SMF {report['mean_smf_chi2']:.2f}, ridge {ridge:.2f}, Poisson noise {poisson:.2f}", flush=True)
    train(options, boxes, phi, train_boxes, validation, report)
    report["validation"] = [int(box) for box in validation]
    print(f"final chi2 {report['final_chi2']:.2f} (best epoch {report['best_chi2']:.2f}, training boxes "
          f"{report['training_chi2']:.2f}); {report['train_seconds']:.1f} s of training")
    return report


def over_folds(reports, numbers):
    """The scores of all folds together: means over the boxes of all, and the reports of the folds."""
    boxes = [len(report["validation"]) for report in reports]
    whole = {key: float(np.average([report[key] for report in reports], weights=boxes))
             for key in ("mean_smf_chi2", "ridge_chi2", "poisson_chi2", "final_chi2")}
    whole["median_chi2"] = float(np.median(np.concatenate([report["chi2_of_box"] for report in reports])))
    whole["train_seconds"] = sum(report["train_seconds"] for report in reports)
    shared = ("protocol", "loss", "channels", "seed", "torch", "numpy", "threads", "machine")
    return {**{key: reports[0][key] for key in shared}, **whole, "fold_numbers": numbers, "folds": reports}


def main(options):
    options.epochs = options.epochs or (15 if options.protocol == "paper" else 60)
    torch.set_num_threads(options.threads)
    data = read_camels(options.camels)
    print("mean counts " + " ".join(f"{c:.2f}" for c in data[1].mean(axis=0)))
    count = len(data[1])
    if options.folds:
        try:
            folds = read_folds(options.folds, count)
        except (OSError, ValueError) as error:
            sys.exit(str(error))
        numbers = range(len(folds)) if options.fold is None else [options.fold]
        if not 0 <= numbers[0] < len(folds):
            sys.exit(f"--fold {options.fold}: {options.folds} has the folds 0 to {len(folds) - 1}")
        report = over_folds([train_split(options, data, *folds[fold]) for fold in numbers], list(numbers))
        print(f"chi2 over the folds {report['fold_numbers']}: {report['final_chi2']:.2f}")
    else:
        report = train_split(options, data, *split_boxes(count, options.split, options.seed))
    if options.out:
        with open(options.out + ".part", "w") as out:
            json.dump(report, out, indent=1)
        os.replace(options.out + ".part", options.out)


if __name__ == "__main__":
    main(OPTIONS)
