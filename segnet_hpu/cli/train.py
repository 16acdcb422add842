"""`segnet-hpu train`."""

from segnet_hpu import config
from segnet_hpu.training.check import check
from segnet_hpu.training.settings import Settings

__all__ = ["Settings", "run"]


def run(settings):
    if settings.print_config:
        print(config.to_yaml(settings), end="")
        return
    check(settings)
    from segnet_hpu.training.train import train

    train(settings)
