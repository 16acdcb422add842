"""The names that the factories here know, for settings and help: this module imports nothing heavy."""

LOSSES = ("ce", "weighted_ce", "dice", "ce_dice", "focal")
SCHEDULES = ("constant", "poly", "step", "cosine")
METRICS = ("boundary", "road")
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adadelta", "adagrad", "nadam", "adamax", "adafactor",
              "ftrl", "lion")
