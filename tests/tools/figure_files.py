"""Files of the tools with invented numbers, for the tests of plot.py: evaluations, runs, predictions, catalogs."""
import json
import math
import os

import h5py
import numpy as np

EDGES = [10.2 + 0.1 * i for i in range(15)]
TRUTH = [1.6e-3 * 0.8**i for i in range(14)]


def score(mean, boxes=()):
    result = {"mean": mean, "standard_error": abs(0.05 * mean), "median": 0.6 * mean}
    return {**result, "of_box": boxes} if boxes else result


def model(name, mean, **more):
    boxes = [mean + 20 * math.sin(7 * i + mean) for i in range(20)]
    return {"name": name, "chi2": score(mean, boxes), "chi2_eq1": score(mean / 2, boxes),
            "smf_mean": [phi * (1 + 0.03 * math.sin(mean + i)) for i, phi in enumerate(TRUTH)],
            "smf_standard_deviation": [0.4 * phi for phi in TRUTH],
            "residual_standard_deviation": [0.1 * phi for phi in TRUTH],
            "minus_reference": {"chi2": score(mean - 40), "chi2_eq1": score(mean - 20)}, **more}


def ensemble(channels, folder, mean):
    members = [model(f"um_resnet C={channels} ({folder}/seed-{i})", mean + i, run=f"{folder}/seed-{i}")
               for i in (1, 2, 3)]
    return model(f"um_resnet C={channels}, mean prediction ({folder})", mean, run=folder, members=members,
                 seeds={"count": 3, "chi2": {"mean": mean + 2, "scatter": 4.0}})


def evaluation():
    """An evaluation with the models of a reproduction: long names, several seeds of forests and networks."""
    models = [model(name, mean, baseline=True) for name, mean in (
        ("mean SMF", 190), ("ridge on the histogram of the input", 50), ("Poisson regression on the parameters", 45),
        ("Poisson regression on the histogram and the parameters", 42),
        ("Gaussian process on the histogram and the parameters", 40))]
    for way in ("mean prediction per halo", "mean prediction per voxel", "distribution per halo"):
        for seed in (1, 2, 3):
            path = f"paper/forest-log10-{seed}.h5"
            models.append(model(f"forest, {way} ({path})", 100 + seed, forest=path))
            del models[-1]["minus_reference"]
    models += [ensemble(20, "paper/runs/um_resnet-20", 60), ensemble(20, "paper/runs/paper-20", 70),
               ensemble(100, "paper/runs/um_resnet-100", 55)]
    models += [model(name, mean, oracle=True) for name, mean in (("oracle, vpeak of every halo", 34),
                                                                 ("oracle, voxels of vpeak", 46))]
    del models[4]["minus_reference"]  # it is the reference
    observed = {"reference": "Moustakas et al. (2013)", "h": 0.7, "low_log10_msun": EDGES[:-1],
                "high_log10_msun": EDGES[1:], "phi": [30 * phi for phi in TRUTH], "error_low": TRUTH,
                "error_high": TRUTH}
    return {"format_version": 1, "bin_edges_log10_msun": EDGES, "smf_unit": "(Mpc/h)^-3 per bin", "h": 0.678,
            "subbox_size_mpc_per_h": 25, "sigma": [1e-4] * 14, "validation_boxes": 20, "observed_smf": observed,
            "smf_true_mean": TRUTH, "smf_true_standard_deviation": [0.5 * phi for phi in TRUTH], "models": models,
            "poisson_chi2": 38.6, "reference": models[4]["name"], "best_baseline": models[4]["name"]}


def real_boxes():
    """A table with sections, controls and single changes."""
    rows = [{"name": f"{name}, {inputs}", "section": section, "chi2": score(mean), "kind": kind,
             "seeds": {"count": 3, "chi2": {"mean": mean, "scatter": 2.0}}, "reference": "control " + section}
            for section in ("Vmax and positions", "with the seven parameters of the simulation")
            for name, inputs, mean, kind in (
                ("um_resnet", "five channels of voxels, pooled branch, log link", 37, "network"),
                ("um_halos", "all columns", 30, "network"), ("PyTorch", "the same network", 38, "peer"),
                ("Poisson regression on the parameters", "seven parameters", 36, "baseline"))]
    rows.append({"name": "um_resnet C=200, diverged", "chi2": score(3.2e12)})
    rows.append({"name": "E(phi | Vmax of the halos)", "chi2": score(17), "kind": "oracle"})
    changes = [{"name": name, "difference": score(mean), "reference": "the network before"}
               for name, mean in (("log link and Poisson", -12.0), ("pooled branch", -9.0), ("no help", 0.4))]
    for change in changes:
        change["difference"]["standard_error"] = 1.5
    return {"rows": rows, "changes": changes}


def camels():
    """What reproduce --camels writes."""
    def row(name, group, title, mean, control="", seeds=3):
        chi2 = {**score(mean), **({"of_seed": [mean] * seeds, "scatter": 0.02 * mean} if seeds > 1 else {})}
        minus = {"minus_control": {"control": control, "chi2": score(0.1 * mean - 4)}} if control else {}
        return {"row": name, "group": group, "title": title, "chi2": chi2, "seconds": 3.0, **minus,
                **({"mean_prediction": {"chi2": score(0.95 * mean)}} if seeds > 1 else {})}
    of_parameters = "Gaussian process on the parameters"
    of_histogram = "Gaussian process on the histogram of the input"
    return {"rows": [
        row("mean SMF", "baseline", "mean SMF", 183, seeds=1),
        row(of_histogram, "baseline", of_histogram, 64, seeds=1),
        row(of_parameters, "baseline", of_parameters, 21, seeds=1),
        row("default", "network", "`um_resnet.toml`: Vmax in 25\u00b3 voxels, 60 epochs", 87, of_histogram),
        row("five", "network", "five channels (occupancy, Vmax, mass, dispersion, Rmax), 12\u00b3 voxels, 300 epochs",
            40, "vmax"),
        row("fc1", "network", "Vmax and seven parameters at fc1, 12\u00b3 voxels", 18, of_parameters),
        row("vmax", "change", "control of the network: Vmax in 12\u00b3 voxels, 300 epochs", 80, seeds=1),
        row("mass", "change", "and mass", 60, "vmax", seeds=1), row("spin", "change", "and spin", 82, "vmax", seeds=1)],
        "poisson_chi2": 17.2, "seeds": 3}


def metrics(epochs, seed):
    lines, rates = ["epoch,step,split,loss,chi2,lr,grad_norm,seconds"], (0.1, 0.001) if seed > 3 else (0.003, 0.0003)
    for epoch in range(1, epochs + 1):
        for step in range(4 * epoch - 3, 4 * epoch + 1):
            lines.append(f"{epoch},{step},train,1,{40 + 400 / step + seed},{rates[epoch > 10]},1,1")
        lines.append(f"{epoch},{4 * epoch},validation,1,{50 + 300 / epoch + seed},0.1,0,1")
    return "\n".join(lines) + "\n"


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))


def write_run(folder, channels, seed, epochs=15):
    write(f"{folder}/metrics.csv", metrics(epochs, seed))
    write(f"{folder}/config.toml", f"[model]\nname = 'um_resnet'\nchannels = {channels}\n[train]\nseed = {seed}\n")
    names = ["mean SMF", "ridge on the histogram of the input",
             "Poisson regression on the histogram and the parameters", "Poisson noise of the counts"]
    write(f"{folder}/baselines.json", {"metric": "chi2", "baselines": [
        {"name": name, "value": value} for name, value in zip(names, (190, 60, 55, 42))]})


def write_predictions(path, run, shift=0.0, scatter=True, boxes=16):
    phi = np.outer(np.linspace(0.3, 2, boxes), TRUTH)
    phi[phi < 2e-4] = 0
    with h5py.File(path, "w") as file:
        file.attrs.update(h=0.678, subbox_size=25.0, run=run, sigma=np.full(14, 1e-4), source="a test")
        for name, values in {"smf_true": phi, "smf_predicted": phi * (1.1 + shift), **(
                {"smf_predicted_scatter": 0.1 * phi + 1e-5} if scatter else {})}.items():
            file[name] = values
            file[name].attrs.update(unit="(Mpc/h)^-3 per bin", bin_edges=EDGES)
        file["box"], file["validation"] = np.arange(100, 100 + boxes), (np.arange(boxes) % 2).astype(int)


def write_halos(path):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        true = random.normal(10.4, 0.5, 4000)
        file["log_mass_true"], file["log_mass_predicted"] = true, true + random.normal(0, 0.2, 4000)
        file["training"], file.attrs["h"] = (np.arange(4000) % 2), 0.678


def write_catalog(path):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update(box_size=50.0, boxes=1, source="a test")
        for axis in "xyz":
            file[f"halos/{axis}"] = random.uniform(0, 50, 3000)
        file["halos/vpeak"] = 150 * random.uniform(size=3000)**(-1 / 3)


CLASSES = ["elliptical", "spiral_clockwise", "spiral_anticlockwise", "edge_on", "star_or_artefact", "merger"]


def classes():
    """An evaluation of classes: a constant, a network and an ensemble."""
    def scored(name, **more):
        confusion = (60 * np.eye(6) + np.arange(36).reshape(6, 6) % 7).astype(int).tolist()
        return {"name": name, "confusion": confusion, **more}
    return {"format_version": 1, "classes": 6, "class_names": CLASSES, "validation_samples": 400, "models": [
        scored("most frequent class"), scored("resnet18 3x3 (runs/zoo)", run="runs/zoo"),
        scored("resnet18 3x3, mean prediction (runs/three)", run="runs/three")]}


def write_class_predictions(path, images):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file["probabilities"] = random.dirichlet([0.3] * 6, 60)
        file["probabilities"].attrs["classes"] = CLASSES
        file["targets"], file["validation"] = np.arange(60) % 6, (np.arange(60) % 2)
    with h5py.File(images, "w") as file:
        file["inputs"] = random.integers(0, 255, (60, 3, 8, 8), dtype=np.uint8)


def importance(shift=0.0):
    features = ["vpeak", "vacc", "mpeak", "macc", "mvir", "spin", "halfmass_scale", "is_satellite"]
    measure = {"mean": [1.0 + shift, *[0.02] * 7], "standard_error": [0.02] * 8}
    return {"features": features, **{name: measure for name in ("decrease_of_variance_normalised", "unbiased_decrease",
                                                                "permutation")},
            "permutation_of_groups": [{"name": "velocity and mass", "mean": 1.4, "standard_error": 0.03}]}
