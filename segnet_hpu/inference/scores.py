"""Scores as people read them: with names, as a table, as JSON."""


def named_scores(matrix, names):
    """Return a ConfusionMatrix's scores with each class's name after its id."""
    scores = matrix.scores()
    scores["per_class"] = [{"id": row["id"], "name": name, **row}
                           for row, name in zip(scores["per_class"], names, strict=True)]
    return scores


def score_table(scores):
    """Return named scores as text: a line a class, then the overall figures, in percent."""
    rows = scores["per_class"]
    width = max(len(row["name"]) for row in rows)
    lines = [f"{'class':<{width + 4}}    IoU    acc   dice       pixels"]
    lines += [f"{row['id']:>3} {row['name']:<{width}} {_percent(row['iou'])} {_percent(row['accuracy'])} "
              f"{_percent(row['dice'])} {row['pixels']:>12,}" for row in rows]
    lines += [f"{label:<24}{_percent(scores[key])} %" for label, key in (
        ("mean IoU", "mean_iou"), ("mean class accuracy", "mean_accuracy"), ("mean dice", "mean_dice"),
        ("pixel accuracy", "pixel_accuracy"), ("frequency-weighted IoU", "frequency_weighted_iou"))]
    return "\n".join(lines)


def _percent(value):
    return "     -" if value is None else f"{100 * value:6.2f}"
