"""Reads the JSON files of plot.py: what evaluate and forest importance write."""
from types import SimpleNamespace

import numpy as np
from figures.files import numbers, read_json, require


def read_evaluation(path):
    """Bin edges, (sigma, true mean, true standard deviation) and the whole file, with its models' arrays checked."""
    fields = ["sigma", "smf_true_mean", "smf_true_standard_deviation"]
    result = read_json(path, "evaluate")
    for field in ["bin_edges_log10_msun", "smf_unit", "models"] + fields:
        require(field in result, path, ": the field ", field, " is missing: expected the file that evaluate writes")
    edges = numbers(result["bin_edges_log10_msun"], f"{path}: bin_edges_log10_msun", (None,))
    require(edges.size > 1 and (np.diff(edges) > 0).all(), path,
            ": bin_edges_log10_msun: at least 2 rising numbers were expected")
    data = [numbers(result[field], f"{path}: {field}", (edges.size - 1,)) for field in fields]
    require((data[0] > 0).all(), path, ": sigma: positive numbers were expected")
    require((data[1] > 0).any(), path, ": smf_true_mean: at least one positive density was expected")
    for field in ("h", "subbox_size_mpc_per_h"):  # missing in files of older releases
        if field in result:
            value = numbers(result[field], f"{path}: {field}", ())
            require(value > 0, path, f": {field}: a positive number was expected")
    require(isinstance(result["models"], list) and result["models"], path, ": models: a list was expected")
    for i, model in enumerate(result["models"]):
        check_model(model, f"{path}: models[{i}]", edges.size - 1)
    result["models"] = shown(result["models"], result.get("best_baseline"))
    return edges, data, result


def shown(models, best):
    """The models that figures show: of the baselines only the first, which is a constant, and the one called `best`."""
    first = next((model for model in models if model.get("baseline")), None)
    return [model for model in models if not model.get("baseline") or model is first or model["name"] == best]


def check_model(model, where, bins):
    """Checks a model of an evaluation and makes its lists arrays."""
    require(isinstance(model, dict) and isinstance(model.get("name"), str), where, ".name: a text was expected")
    older = {"residual_standard_deviation"} - set(model)  # files of older releases do not have it
    for field in ("smf_mean", "smf_standard_deviation", "residual_standard_deviation"):
        if field in older:
            continue
        model[field] = numbers(model.get(field), f"{where}.{field}", (bins,))
        require(field == "smf_mean" or (model[field] >= 0).all(), where, f".{field}: numbers from 0 were expected")
    members = model.get("members", [])
    require(isinstance(members, list) and all(isinstance(member, dict) for member in members), where,
            ".members: a list of objects was expected")
    model["means_of_seeds"] = [numbers(member.get("smf_mean"), f"{where}.members[{i}].smf_mean", (bins,))
                               for i, member in enumerate(members)]


def read_observed(path, result):
    """The observed mass function of an evaluation in the catalog's units: log10 M* [n], phi in (Mpc/h)^-3 dex^-1 [n]
    and its (lower, upper) errors; None in files of older releases.

    Masses follow from luminosities, which scale with the square of distances, so M* is proportional to h^-2, and
    volumes to h^-3."""
    table = result.get("observed_smf")
    if table is None or "h" not in result:
        return None
    where = f"{path}: observed_smf"
    require(isinstance(table, dict), where, ": an object was expected")
    low = numbers(table.get("low_log10_msun"), f"{where}.low_log10_msun", (None,))
    high, phi, *errors = [numbers(table.get(field), f"{where}.{field}", low.shape)
                          for field in ("high_log10_msun", "phi", "error_low", "error_high")]
    h = float(numbers(table.get("h"), f"{where}.h", ()))
    require(h > 0 and (phi > 0).all() and (np.array(errors) >= 0).all(), where, ": positive numbers were expected")
    middle = (low + high) / 2 + 2 * np.log10(h / result["h"])
    return SimpleNamespace(log_mass=middle, phi=phi / h**3, errors=np.array(errors) / h**3,
                           reference=str(table.get("reference", "observed")))


def read_importance(path):
    """Names of columns, of groups, and [(measure, mean, standard error)]; permutations: columns, then groups."""
    result = read_json(path, "forest importance")
    require(isinstance(result.get("features"), list) and result["features"]
            and all(isinstance(name, str) for name in result["features"]), path,
            ": features: a list of names was expected, as in the file that forest importance writes")
    measures = []
    groups = result.get("permutation_of_groups", [])
    require(isinstance(groups, list) and all(isinstance(g, dict) and isinstance(g.get("name"), str) for g in groups),
            path, ": permutation_of_groups: a list of groups with names was expected")
    for field in ("decrease_of_variance_normalised", "unbiased_decrease", "permutation"):
        if field != "decrease_of_variance_normalised" and field not in result:
            continue  # every tree saw all rows
        measure = result.get(field)
        require(isinstance(measure, dict), path, f": {field} is missing: expected what forest importance writes")
        values = [numbers(measure.get(key), f"{path}: {field}.{key}", (len(result["features"]),))
                  for key in ("mean", "standard_error")]
        if field == "permutation" and groups:
            values = [np.append(value, [float(numbers(g.get(key), f"{path}: permutation_of_groups: {key}", ()))
                                        for g in groups]) for value, key in zip(values, ("mean", "standard_error"))]
        measures.append((field, *values))
    return result["features"], [group["name"] for group in groups], measures
