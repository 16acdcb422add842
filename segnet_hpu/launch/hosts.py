"""How many workers run on which machine, as the settings say it."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from segnet_hpu.errors import UsageError

HERE = "localhost"


class WorkerSettings(Protocol):
    """What a launch reads of a training's settings, a dataclass; training.settings says what each means."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    train_engine: str
    threads: int | None
    distributed: bool
    num_workers: int | None
    num_workers_per_hls: int | None
    hls_type: str | None
    kubernetes_run: bool
    hosts: str | None
    launcher: str
    dry_run: bool
    fault_timeout: float
    timeline: str | None
    min_workers: int | None
    max_workers: int | None
    host_discovery_script: str | None


@dataclass(frozen=True)
class Layout:
    """workers: in all. hosts: ((name, workers there), ...), only those with a worker; rank 0 is on the first."""

    workers: int
    hosts: tuple[tuple[str, int], ...]

    @property
    def on_first(self) -> int:
        return self.hosts[0][1]

    @property
    def is_local(self) -> bool:
        return [name for name, _ in self.hosts] == [HERE]


def is_elastic(settings: WorkerSettings) -> bool:
    """Whether workers may come and go during the run."""
    return settings.host_discovery_script is not None


def layout(settings: WorkerSettings) -> Layout:
    """Return the Layout that the settings mean. Raises UsageError where they name too few places, or none."""
    if is_elastic(settings):
        workers = settings.num_workers or settings.min_workers or 1
        return Layout(workers, ((HERE, workers),))
    places = _places(settings)
    room = sum(n for _, n in places)
    workers = settings.num_workers or room
    if workers > room:
        where = f"--hosts {settings.hosts}" if settings.hosts else "this machine"
        raise UsageError(f"--num_workers is {workers}, but {where} has room for {room}; expected at most {room}. "
                         "Lower --num_workers, or raise --num_workers_per_hls or the numbers in --hosts")
    hosts: list[tuple[str, int]] = []
    left = workers
    for name, n in places:
        if left:
            hosts.append((name, min(n, left)))
            left -= min(n, left)
    return Layout(workers, tuple(hosts))


def _places(settings: WorkerSettings) -> list[tuple[str, int]]:
    """[(host, workers it has room for)]."""
    every = settings.num_workers_per_hls
    if not settings.hosts:
        here = every or settings.num_workers
        if not here:
            raise UsageError("--distributed needs --num_workers (or the variable NUM_WORKERS), "
                             "--num_workers_per_hls, or --hosts such as a:8,b:8")
        return [(HERE, here)]
    places = []
    for item in settings.hosts.split(","):
        name, _, number = item.strip().partition(":")
        if not name or (number or not every) and not (number.isascii() and number.isdigit() and int(number)):
            raise UsageError(f"--hosts {settings.hosts}: {item!r} is no machine with its number of workers; expected "
                             "such as a:8,b:8, or a,b with --num_workers_per_hls")
        places.append((name, int(number or every or 0)))
    names = [name for name, _ in places]
    if len(set(names)) < len(names):
        raise UsageError(f"--hosts {settings.hosts}: a machine is named twice; expected each once, such as a:8,b:8")
    return places
