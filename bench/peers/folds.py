"""Reads the folds that `train --write-folds` writes, so that a peer is validated on the same boxes."""
import json

FORMAT_VERSION = 1
EXPECTED = "the file that train --write-folds writes is expected"


def read_folds(path, boxes):
    """[(training boxes, validation boxes)] of every fold, ascending; ValueError names what is wrong with the file."""
    with open(path) as file:
        try:
            content = json.load(file)
        except ValueError:
            raise ValueError(f"{path}: not JSON; {EXPECTED}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: not a JSON object; {EXPECTED}")
    for field, kind in {"format_version": int, "folds": int, "fold_of_box": list}.items():
        if not isinstance(content.get(field), kind):
            raise ValueError(f"{path}: the field {field} is missing or of another type; {EXPECTED}")
    if content["format_version"] > FORMAT_VERSION:
        raise ValueError(f"{path}: format_version {content['format_version']} is newer than this program")
    folds, fold_of = content["folds"], content["fold_of_box"]
    if len(fold_of) != boxes:
        raise ValueError(f"{path}: fold_of_box is of {len(fold_of)} boxes, but there are {boxes}")
    if set(fold_of) != set(range(folds)):
        raise ValueError(f"{path}: fold_of_box: every number from 0 to {folds - 1} was expected, and no other")
    return [([box for box in range(boxes) if fold_of[box] != fold], [box for box in range(boxes) if fold_of[box] == fold])
            for fold in range(folds)]
