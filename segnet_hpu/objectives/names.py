"""The names that the factories here know, for settings and help: this module imports nothing heavy."""

LOSSES = ("ce", "weighted_ce", "dice", "ce_dice", "focal", "lovasz", "ce_lovasz", "ohem")
SCHEDULES = ("constant", "poly", "step", "cosine")
# Scorers beside the confusion matrix, each with the names of its figures.
METRICS = {"boundary": ("boundary_f1",),
           "road": ("max_f", "max_f_threshold", "max_f_precision", "max_f_recall", "max_f_false_positive_rate",
                    "max_f_false_negative_rate", "average_precision", "average_precision_area")}
OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop", "adadelta", "adagrad", "nadam", "adamax", "adafactor",
              "ftrl", "lion")

# Setting -> (argument of make_loss, losses that have it).
LOSS_OPTIONS = {
    "class_weights": ("class_weights", ("ce", "weighted_ce", "dice", "ce_dice", "focal", "ce_lovasz", "ohem")),
    "label_smoothing": ("label_smoothing", ("ce", "weighted_ce", "ce_dice", "ce_lovasz")),
    "loss_smooth": ("smooth", ("dice", "ce_dice")),
    "dice_squared": ("squared", ("dice", "ce_dice")),
    "focal_gamma": ("gamma", ("focal",)),
    "ohem_threshold": ("threshold", ("ohem",)),
    "ohem_keep": ("keep", ("ohem",)),
}
# Setting -> (argument of make_schedule, schedules that have it).
SCHEDULE_OPTIONS = {
    "poly_power": ("power", ("poly",)),
    "step_gamma": ("gamma", ("step",)),
    "step_every": ("step_every", ("step",)),
    "step_at": ("step_at", ("step",)),
    "final_rate": ("final_fraction", ("poly", "cosine")),
}
# Setting -> (argument of make_optimizer, optimizers that have it).
OPTIMIZER_OPTIONS = {"momentum": ("momentum", ("sgd",))}
