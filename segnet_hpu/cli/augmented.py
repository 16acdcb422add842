"""What commands that may augment have in common."""

from segnet_hpu.config import is_default
from segnet_hpu.errors import UsageError


def refuse_idle_augmentation(settings):
    """Raise UsageError where settings.augmentation_name says how, but settings.do_augment does not say that."""
    if not settings.do_augment and not is_default(settings, "augmentation_name"):
        raise UsageError(f"--augmentation_name {settings.augmentation_name} changes nothing without --do_augment; "
                         "give that too, or leave the name out")
