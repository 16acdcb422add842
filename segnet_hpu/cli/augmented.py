"""What commands that may augment have in common."""

from segnet_hpu.errors import UsageError


def refuse_idle_augmentation(settings):
    """Raise UsageError where settings.augmentation_name says how, but settings.do_augment does not say that."""
    name = settings.augmentation_name
    if not settings.do_augment and name != type(settings).augmentation_name:  # the default
        raise UsageError(f"--augmentation_name {name} changes nothing without --do_augment; give that too, or leave "
                         "the name out")
