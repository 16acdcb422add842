"""Where the settings themselves come from and go to."""

from dataclasses import dataclass

from segnet_hpu.config import option


@dataclass(kw_only=True)
class Configuration:
    """Where the settings themselves come from and go to."""

    GROUP = "configuration"

    config: str | None = option(None, "YAML file of settings; flags win over it", changes="nothing")
    print_config: bool = option(False, "print the resolved settings as YAML and stop", changes="nothing")
    dump_config: str | None = option(None, "write the resolved settings to this file", changes="nothing")
