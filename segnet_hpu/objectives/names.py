"""The names that the factories here know, for settings and help: this module imports nothing heavy."""

LOSSES = ("ce", "weighted_ce", "dice", "ce_dice", "focal")
SCHEDULES = ("constant", "poly", "step", "cosine")
# Scorers beside the confusion matrix, each with the names of its figures.
METRICS = {"boundary": ("boundary_f1",),
           "road": ("max_f", "max_f_threshold", "max_f_precision", "max_f_recall", "max_f_false_positive_rate",
                    "max_f_false_negative_rate", "average_precision", "average_precision_area")}
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adadelta", "adagrad", "nadam", "adamax", "adafactor",
              "ftrl", "lion")
