"""Reads tables of models: what evaluate and reproduce write, as rows with their chi^2 and its errors."""
from types import SimpleNamespace

import numpy as np
from figures.files import numbers, read_json, require
from figures.models import chosen, is_forest, join_forests, model_names, over_seeds, seed_count
from figures.names import plain, readable

SECTIONS = {"baseline": "baselines", "network": "networks", "change": "single changes"}  # of reproduce --camels
KINDS = ("baseline", "forest", "network", "peer", "oracle")


def read_models(path, score, texts=()):
    """The models of a file with `models`, as evaluate writes it, or `rows`; the whole file. Scores are checked."""
    result = read_json(path, "evaluate")
    field = "rows" if "rows" in result else "models"
    models = result.get(field)
    require(isinstance(models, list) and models, path, ": ", field, ": a list was expected, as in the file that "
            "evaluate writes")
    for i, model in enumerate(models):
        where = f"{path}: {field}[{i}]"
        if isinstance(model, dict) and "row" in model:
            models[i] = model = row_of_reproduce(model, where)
        require(isinstance(model, dict) and isinstance(model.get("name"), str), where, ".name: a text was expected")
        check_score(model.get(score), f"{where}.{score}")
        if isinstance(model.get("members"), list):
            for j, member in enumerate(model["members"]):
                require(isinstance(member, dict), where, f".members[{j}]: an object was expected")
                check_score(member.get(score), f"{where}.members[{j}].{score}")
        if score_of_seeds(model, score):
            check_score(score_of_seeds(model, score), f"{where}.seeds.{score}")
        require(model.get("kind", "network") in KINDS, where, ".kind: one of ", ", ".join(KINDS), " was expected")
    return chosen(join_forests(models), texts, path), result


def row_of_reproduce(row, where):
    """A row of reproduce --camels as a model of evaluate: its name is `row`, its label `title`."""
    require(isinstance(row.get("title"), str) and isinstance(row["row"], str), where,
            ".row, .title: texts were expected")
    control, group = row.get("minus_control"), str(row.get("group", "network"))
    model = {**row, "name": row["row"], "label": plain(row["title"].replace("`", "")),
             "section": SECTIONS.get(group, group), "kind": "baseline" if group == "baseline" else "network"}
    if group == "baseline":
        model["label"] = readable(row["title"])
    if isinstance(control, dict):
        model.update(minus_reference=control, reference=control.get("control", ""))
    seeds = [row[score]["of_seed"] for score in ("chi2", "chi2_eq1") if "of_seed" in (row.get(score) or {})]
    if seeds:
        model["seeds"] = {"count": len(seeds[0]), **{score: {"scatter": row[score].get("scatter")}
                                                     for score in ("chi2", "chi2_eq1") if score in row}}
    return model


def check_score(score, where):
    require(isinstance(score, dict), where, " is missing: a mean and a standard_error were expected")
    for key in ("mean", "standard_error", *(["median"] if "median" in score else [])):
        score[key] = float(numbers(score.get(key), f"{where}.{key}", ()))
    require(score["standard_error"] >= 0, where, ".standard_error: a number from 0 was expected")


def kind_of(model):
    if "kind" in model or model.get("oracle"):
        return model.get("kind", "oracle")
    return "baseline" if model.get("baseline") else "forest" if is_forest(model) else "network"


def rows_of(models, score):
    """Rows of a figure: of an ensemble of networks one for its seeds and one for their mean prediction."""
    rows = []
    for model, name in zip(models, model_names(models)):
        one = SimpleNamespace(model=model, name=name, kind=kind_of(model), section=str(model.get("section", "")),
                              seeds=None, together=together_of(model, score), **statistics(model[score]))
        count = seed_count(model)
        if count:
            name = f"{name}, {count} seeds"
        alone = score_of_seeds(model, score)
        if alone:
            rows.append(SimpleNamespace(**{**vars(one), "name": name, "seeds": alone.get("scatter"),
                                            **statistics(alone)}))
            one.name += f", mean prediction of {count} seeds"
        elif count:
            one.name = name
            scatter = model["seeds"].get(score, {}).get("scatter")
            one.seeds = None if scatter is None else float(numbers(scatter, f"{name}: scatter of seeds", ()))
        rows.append(one)
    return rows


def score_of_seeds(model, score):
    """The score of a seed of an ensemble on average, with its scatter over seeds; None if the file does not have it."""
    if is_forest(model) or not seed_count(model):
        return None  # of a forest the model itself is the average
    if isinstance(model.get("members"), list):
        return over_seeds([member[score] for member in model["members"]])
    alone = model["seeds"].get(score)
    return alone if isinstance(alone, dict) and "standard_error" in alone else None


def together_of(model, score):
    """The score of the mean prediction of an ensemble whose row is that of its seeds; None if there is none."""
    of_score = (model.get("mean_prediction") or {}).get(score)
    if of_score is not None:
        check_score(of_score, f"{model['name']}: mean_prediction.{score}")
    return of_score and of_score["mean"]


def statistics(score):
    return {"mean": score["mean"], "error": score["standard_error"], "median": score.get("median")}


def difference_of(model, reference, score, path):
    """The paired difference of a model from the reference and its standard error; None: there is none."""
    difference = (model.get("minus_reference") or {}).get(score)
    if difference is not None:
        check_score(difference, f"{path}: {model['name']}: minus_reference.{score}")
        return difference["mean"], difference["standard_error"]
    boxes = [one.get(score, {}).get("of_box") for one in (model, reference)]  # several forests: no file has theirs
    if model is reference or not all(isinstance(of_box, list) and len(of_box) == len(boxes[0]) > 1 for of_box in boxes):
        return None
    minus = np.subtract(*boxes)
    return float(minus.mean()), float(minus.std(ddof=1) / np.sqrt(minus.size))


def read_changes(path, score, texts=()):
    """Rows with name, section, mean and error of a difference, and the name of its reference, in full and short: the
    changes that the file lists or, if it lists none, the differences of its models."""
    changes = read_json(path, "evaluate").get("changes")
    if changes is None:
        return differences(path, score, texts)
    require(isinstance(changes, list) and changes, path, ": changes: a list was expected")
    for i, change in enumerate(changes):
        where = f"{path}: changes[{i}]"
        require(isinstance(change, dict) and isinstance(change.get("name"), str), where, ".name: a text was expected")
        check_score(change.get("difference"), f"{where}.difference")
    return [change_row(plain(change["name"]), str(change.get("section", "")),
                       (change["difference"]["mean"], change["difference"]["standard_error"]),
                       readable(str(change.get("reference", ""))))
            for change in changes if not texts or any(text in change["name"] for text in texts)]


def change_row(name, section, difference, reference, short=None):
    return SimpleNamespace(name=name, section=section, mean=difference[0], error=difference[1], reference=reference,
                           short=reference if short is None else short)


def differences(path, score, texts):
    """The differences of the models of a file from their references, of an ensemble also of its seeds."""
    models, result = read_models(path, score, texts)
    of_file, found = result.get("rows", result.get("models")), []
    reference = next((one for one in of_file if one["name"] == result.get("reference")), {})
    known = dict(zip([one["name"] for one in of_file], zip(of_file, model_names(of_file))))
    for model, name in zip(models, model_names(models)):
        of_name = str(model.get("reference", result.get("reference", "")))
        other, of_label = known.get(of_name, ({}, readable(of_name)))
        names = (of_label, plain(of_name) if "row" in other and kind_of(other) != "baseline" else of_label)
        section, count = str(model.get("section", "")), seed_count(model)
        if count and "minus_reference" in model["seeds"]:
            difference = difference_of({**model["seeds"], "name": name}, {}, score, path)
            found.append(change_row(f"{name}, {count} seeds", section, difference, *names))
        difference = difference_of(model, reference, score, path)
        if difference:
            if count:
                name += f", {'mean prediction of ' if score_of_seeds(model, score) else ''}{count} seeds"
            found.append(change_row(name, section, difference, *names))
    require(found, path, ": expected models with minus_reference, the paired differences that evaluate writes")
    return found
