"""Settings that belong to one choice of another: the options of a loss, of a schedule."""

from segnet_hpu.config import is_default
from segnet_hpu.errors import UsageError


def options_of(settings, choice, table):
    """Return {argument: value} of the options that were set for what `choice`, the name of a setting, is.

    table: {setting: (argument, the choices that have it)}. Raises UsageError for one set that it does not have.
    """
    chosen, options = getattr(settings, choice), {}
    for name, (argument, users) in table.items():
        if is_default(settings, name):
            continue
        if chosen not in users:
            raise UsageError(f"--{name} does not go with --{choice} {chosen}; expected --{choice} "
                             f"{', '.join(users)}, or leave --{name} out")
        options[argument] = getattr(settings, name)
    return options
