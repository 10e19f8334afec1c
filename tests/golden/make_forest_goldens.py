#!/usr/bin/env python3
"""Makes tests/golden/forest.safetensors: trees and importances of scikit-learn, for models/forest's exact search.

    make_forest_goldens.py            write the file next to this script
    make_forest_goldens.py --check    recompute and compare, exit 1 if anything differs

x [features, rows] float32 and integer targets, so that sums are exact and the best split is unique. Per case i: options
[min_samples_leaf, max_depth (0: none), weighted] and, per node in scikit-learn's order (depth first, left child next),
feature (-1: leaf), threshold, left and right child, value, rows.

copies/x, target and importance [seeds, features]: forests of unlimited depth on columns most of which are near copies of
one another, like the masses and velocities of a halo. Near the leaves many columns divide the rows alike, and
scikit-learn chooses among them by a permutation drawn per node.
"""
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import numpy as np
import sklearn
from random_numbers import uniform
from safetensors_file import read_safetensors, write_safetensors
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

ROWS, FEATURES = 1500, 5
CASES = [(1, 5, 0), (2, 6, 0), (4, 6, 0), (50, 0, 0), (1, 5, 1), (4, 7, 1), (50, 0, 1)]
COPIES, COPIES_ROWS, SEEDS, TREES = 6, 500, 20, 50


def make_copies():
    u = uniform(903, COPIES * COPIES_ROWS).reshape(COPIES, COPIES_ROWS)
    x = 1000 * u
    for f in range(1, 4):
        x[f] = x[0] + 10 * f * (u[f] - 0.5)
    x[4] = np.floor(2 * u[4])
    x = x.astype(np.float32)
    y = np.floor(1e6 * (u[0] * (2 - u[0]) + 0.1 * u[4] + uniform(904, COPIES_ROWS)))
    seeds = [RandomForestRegressor(TREES, random_state=seed).fit(x.T, y).feature_importances_ for seed in range(SEEDS)]
    return {"copies/x": x, "copies/target": y, "copies/importance": np.array(seeds)}


def make():
    x = (1000 * uniform(900, ROWS * FEATURES).reshape(FEATURES, ROWS)).astype(np.float32)
    for column in x:
        assert np.diff(np.sort(column)).min() > 1e-6  # scikit-learn treats closer values as equal
    noise = uniform(901, ROWS)
    y = np.floor(1e6 * (np.sin(x[0] / 160) + x[1] * x[2] / 1e6 + 0.3 * noise))
    weights = 1 + np.floor(4 * uniform(902, ROWS))
    tensors = {"x": x, "target": y, "weights": weights}
    for i, (leaf, depth, weighted) in enumerate(CASES):
        tree = DecisionTreeRegressor(min_samples_leaf=leaf, max_depth=depth or None, random_state=0)
        tree.fit(x.T, y, sample_weight=weights if weighted else None)
        t = tree.tree_
        for seed in range(1, 20):  # the seed decides between equally good splits, so there are none
            other = DecisionTreeRegressor(min_samples_leaf=leaf, max_depth=depth or None, random_state=seed)
            other.fit(x.T, y, sample_weight=weights if weighted else None)
            assert np.array_equal(other.tree_.feature, t.feature) and np.array_equal(other.tree_.threshold, t.threshold), i
        tensors[f"case{i}/options"] = np.array([leaf, depth, weighted], dtype=np.int64)
        tensors[f"case{i}/feature"] = np.where(t.children_left < 0, -1, t.feature).astype(np.int64)
        tensors[f"case{i}/threshold"] = t.threshold.astype(np.float64)
        tensors[f"case{i}/left"] = t.children_left.astype(np.int64)
        tensors[f"case{i}/right"] = t.children_right.astype(np.int64)
        tensors[f"case{i}/value"] = t.value[:, 0, 0].astype(np.float64)
        tensors[f"case{i}/rows"] = t.n_node_samples.astype(np.int64)
        tensors[f"case{i}/importance"] = tree.feature_importances_.astype(np.float64)
    tensors.update(make_copies())
    return tensors


def main():
    path = os.path.join(HERE, "forest.safetensors")
    tensors = make()
    if "--check" in sys.argv:
        stored = read_safetensors(path)
        wrong = [k for k in tensors if k not in stored or not np.array_equal(np.asarray(stored[k]), tensors[k])]
        print("differs: " + ", ".join(wrong) if wrong else f"{len(tensors)} tensors agree")
        sys.exit(bool(wrong))
    write_safetensors(path, tensors, {"scikit-learn": sklearn.__version__})
    print(path, os.path.getsize(path))


if __name__ == "__main__":
    main()
