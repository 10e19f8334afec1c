#!/usr/bin/env python3
"""Times random forests of other libraries on the rows of `build/bench/forest --write FILE`; one line of JSON like that program.

    forest_peers.py --data halos.bin --rows 1600000 --library sklearn|xgboost|lightgbm|sklearnex [--trees 20 --max-depth 10]

All use the same rows, trees, depth, leaf size, columns and threads. XGBoost and LightGBM draw rows without replacement: a fraction of
0.632, the expected fraction of distinct rows in a bootstrap sample.

    forest_peers.py --data halos.bin --rows 100000 --library sklearn --trees 500 --umbra build/bench/forest --rounds 3

compares predictions: the fitted forest and umbra's forest of the same rows (including the packing of its trees) predict the rest of
the file in turns. The line ends in the seconds of each round.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np


def make_model(a):
    if a.library in ("sklearn", "sklearnex"):
        if a.library == "sklearnex":
            from sklearnex.ensemble import RandomForestRegressor
        else:
            from sklearn.ensemble import RandomForestRegressor
        return RandomForestRegressor(n_estimators=a.trees, max_depth=a.max_depth or None, min_samples_leaf=a.min_samples_leaf,
                                     max_features=1.0, n_jobs=a.threads, random_state=1)
    if a.library == "xgboost":
        import xgboost
        return xgboost.XGBRFRegressor(n_estimators=a.trees, max_depth=a.max_depth, min_child_weight=a.min_samples_leaf, subsample=0.632,
                                      colsample_bynode=1.0, tree_method="hist", reg_lambda=0, n_jobs=a.threads, random_state=1,
                                      grow_policy="depthwise")
    import lightgbm
    return lightgbm.LGBMRegressor(boosting_type="rf", n_estimators=a.trees, max_depth=a.max_depth or -1, num_leaves=2**(a.max_depth or 17),
                                  min_child_samples=a.min_samples_leaf, subsample=0.632, subsample_freq=1, colsample_bytree=1.0,
                                  n_jobs=a.threads, random_state=1, verbose=-1, force_row_wise=True)


def umbra_seconds(a, held_out):
    """Seconds of one prediction by umbra, which draws the rows of the file itself."""
    command = [a.umbra, "--rows", str(a.rows), "--held-out", str(held_out), "--trees", str(a.trees), "--max-depth", str(a.max_depth),
               "--min-samples-leaf", str(a.min_samples_leaf), "--search", a.umbra_search]
    environment = dict(os.environ, OMP_NUM_THREADS=str(a.threads))
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)["predict_s"]


def rounds_in_turn(a, model, x):
    """Seconds of umbra and of the model, one after the other, and the ratio of their medians."""
    own, umbra, load = [], [], []
    for _ in range(a.rounds):
        umbra.append(umbra_seconds(a, len(x)))
        load.append(os.getloadavg()[0])
        begin = time.perf_counter()
        model.predict(x)
        own.append(time.perf_counter() - begin)
    return {"rounds_predict_s": own, "rounds_umbra_predict_s": umbra, "load": load,
            "umbra_is_faster_by": statistics.median(own) / statistics.median(umbra)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rows", type=int, default=1600000)
    parser.add_argument("--library", required=True, choices=("sklearn", "xgboost", "lightgbm", "sklearnex"))
    parser.add_argument("--trees", type=int, default=20)
    parser.add_argument("--max-depth", type=int, default=10)
    parser.add_argument("--min-samples-leaf", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--umbra", help="build/bench/forest, for predictions in turns")
    parser.add_argument("--umbra-search", default="binned8", choices=("binned8", "binned16", "exact"))
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    raw = np.fromfile(a.data, dtype=np.float32).reshape(9, -1)
    x, y = np.ascontiguousarray(raw[:8].T), raw[8].copy()
    del raw
    try:
        model = make_model(a)
    except ImportError as error:
        sys.exit(f"forest_peers.py: {a.library} is not installed: {error}")
    start = time.perf_counter()
    model.fit(x[:a.rows], y[:a.rows])
    fitted = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begin = time.perf_counter()
    prediction = model.predict(x[a.rows:])
    end = time.perf_counter()
    truth = y[a.rows:].astype(np.float64)
    error = float(np.mean((truth - prediction)**2))
    module = sys.modules[a.library]
    rounds = rounds_in_turn(a, model, x[a.rows:]) if a.umbra else {}
    print(json.dumps({"program": f"{a.library} {module.__version__}", "rows": a.rows, "trees": a.trees, "max_depth": a.max_depth,
                      "min_samples_leaf": a.min_samples_leaf, "threads": a.threads, "fit_s": fitted - start, "predicted_rows": len(truth),
                      "predict_s": end - begin, "held_out_r2": 1 - error / float(np.var(truth)), "held_out_rmse": error**0.5,
                      "peak_memory_mb": peak, **rounds}))


if __name__ == "__main__":
    main()
