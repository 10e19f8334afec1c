"""The models of an evaluation: their names, the seeds of a forest as one model, and the choice of --models."""
import re

import numpy as np
from figures.files import require
from figures.names import distinct, readable


def folder_of_model(model):
    """The folder or file of a model; '' of a baseline."""
    return str(model.get("run") or model.get("forest") or "")


def is_forest(model):
    return "forest" in model or model.get("kind") == "forest"


def bare_name(model):
    """The name without the folder or file that evaluate adds."""
    path = folder_of_model(model)
    return model["name"].replace(f" ({path})", "") if path else model["name"]


def seed_count(model):
    """The number of seeds of a model, or None."""
    return model["seeds"].get("count") if isinstance(model.get("seeds"), dict) else None


def model_names(models):
    """Readable names without their seeds, followed by the run or forest where several are equal."""
    names = [bare_name(model) for model in models]
    names = [name.replace(", mean prediction", "") if seed_count(model) and not is_forest(model) else name
             for name, model in zip(names, models)]
    folders = [re.sub(r"/fold[-_]?\*$", "", folder_of_model(model)) for model in models]  # all folds of one model
    labels = [model.get("label") or readable(name) for model, name in zip(models, names)]
    return distinct(labels, folders)


def chosen(models, texts, path):
    """The models whose name, as in the file or in figures, or folder contains one of `texts`; None: all."""
    if not texts:
        return models
    names = model_names(models)
    for text in texts:
        require(any(text in name or text in model["name"] for name, model in zip(names, models)), path,
                f": the file has no model whose name contains '{text}'; it has ",
                "; ".join(model["name"] for model in models))
    return [model for name, model in zip(names, models) if any(text in name or text in model["name"] for text in texts)]


def join_forests(models):
    """Forests in files that differ in a number at the end alone (rf-1.h5, rf-2.h5) are seeds of one: a model with the
    means over them, at the place of the first."""
    groups = {}
    for model in models:
        stem = re.match(r"(.*?)[-_]?\d+(\.\w+)?$", folder_of_model(model)) if "forest" in model else None
        groups.setdefault((bare_name(model), stem[1]) if stem and stem[1] else id(model), []).append(model)
    return [group[0] if len(group) == 1 else joined(group) for group in groups.values()]


def joined(members):
    """One model of several, with the means over them of all numbers that all have."""
    first = members[0]
    stem = re.sub(r"[-_]?\d+(\.\w+)?$", "", folder_of_model(first))
    model = {"name": f"{bare_name(first)} ({stem})", "forest": stem, "members": members,
             "seeds": {"count": len(members)}}
    for field in ("smf_mean", "smf_standard_deviation", "residual_standard_deviation"):
        if all(field in member for member in members):
            model[field] = np.mean([member[field] for member in members], axis=0)
    model["means_of_seeds"] = [member["smf_mean"] for member in members if "smf_mean" in member]
    for score in ("chi2", "chi2_eq1"):
        if all(isinstance(member.get(score), dict) for member in members):
            model[score] = over_seeds([member[score] for member in members])
            model["seeds"][score] = {"mean": model[score]["mean"], "scatter": model[score].pop("scatter")}
    return model


def over_seeds(scores):
    """The score of a seed on average: its mean and median, its standard error over boxes and its scatter over seeds.
    Without the scores of every box the standard error is the mean one, which is a little larger."""
    means = [score.get("mean", np.nan) for score in scores]
    result = {"mean": float(np.mean(means)), "scatter": float(np.std(means, ddof=1)) if len(means) > 1 else 0.0,
              "standard_error": float(np.mean([score.get("standard_error", np.nan) for score in scores]))}
    boxes = [score.get("of_box") for score in scores]
    if all(isinstance(of_box, list) and len(of_box) == len(boxes[0]) > 1 for of_box in boxes):
        of_box = np.mean(np.array(boxes, dtype=float), axis=0)
        result.update(standard_error=float(of_box.std(ddof=1) / np.sqrt(of_box.size)), median=float(np.median(of_box)),
                      of_box=list(of_box))
    elif all("median" in score for score in scores):
        result["median"] = float(np.mean([score["median"] for score in scores]))
    return result
