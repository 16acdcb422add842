"""How many workers run on which machine, as the settings say it."""

import os
from dataclasses import dataclass

from segnet_hpu.errors import UsageError

# Habana's names of its boxes -> cards in one.
BOXES = {"HLS1": 8, "HLS1-H": 4, "HLS2": 8, "OCP1": 8}
# Gaudi cards work together in these numbers only.
CARD_COUNTS = (1, 2, 4, 8)
HERE = "localhost"


@dataclass(frozen=True)
class Layout:
    """workers: in all. hosts: ((name, workers there), ...), only those with a worker; rank 0 is on the first."""

    workers: int
    hosts: tuple

    @property
    def on_first(self):
        return self.hosts[0][1]

    @property
    def is_local(self):
        return [name for name, _ in self.hosts] == [HERE]


def is_elastic(settings):
    """Whether workers may come and go during the run."""
    return settings.host_discovery_script is not None


def layout(settings):
    """Return the Layout that the settings mean. Raises UsageError where they name too few places, or none."""
    if is_elastic(settings):
        workers = settings.num_workers or settings.min_workers
        return Layout(workers, ((HERE, workers),))
    places = _places(settings)
    room = sum(n for _, n in places)
    workers = settings.num_workers or room
    if workers > room:
        where = f"--hosts {settings.hosts}" if settings.hosts else "this machine"
        raise UsageError(f"--num_workers is {workers}, but {where} has room for {room}; expected at most {room}. "
                         "Lower --num_workers, or raise --num_workers_per_hls or the numbers in --hosts")
    hosts, left = [], workers
    for name, n in places:
        if left:
            hosts.append((name, min(n, left)))
            left -= min(n, left)
    return Layout(workers, tuple(hosts))


def _places(settings):
    """[(host, workers it has room for)]."""
    every = settings.num_workers_per_hls
    if not settings.hosts:
        if not (every or settings.num_workers):
            raise UsageError("--distributed needs --num_workers (or the variable NUM_WORKERS), "
                             "--num_workers_per_hls, or --hosts such as a:8,b:8")
        return [(HERE, every or settings.num_workers)]
    places = []
    for item in settings.hosts.split(","):
        name, _, number = item.strip().partition(":")
        if not name or (number or not every) and not (number.isascii() and number.isdigit() and int(number)):
            raise UsageError(f"--hosts {settings.hosts}: {item!r} is no machine with its number of workers; expected "
                             "such as a:8,b:8, or a,b with --num_workers_per_hls")
        places.append((name, int(number or every)))
    names = [name for name, _ in places]
    if len(set(names)) < len(names):
        raise UsageError(f"--hosts {settings.hosts}: a machine is named twice; expected each once, such as a:8,b:8")
    return places


def check_workers(settings):
    """Raise UsageError for settings of workers that contradict each other. Looks at no device and no program."""
    if not settings.distributed:
        for name in ("hosts", "hls_type", "kubernetes_run", "timeline", "min_workers", "max_workers",
                     "host_discovery_script", "num_workers_per_hls", "launcher"):
            if getattr(settings, name) not in (None, False, "auto"):
                raise UsageError(f"--{name} is for several workers; add --distributed, or leave it out")
        return
    _check_elastic(settings)
    if settings.kubernetes_run and settings.hosts:
        raise UsageError("--kubernetes_run does not go with --hosts: the operator chooses the machines; "
                         "leave --hosts out")
    if settings.train_engine == "hpu" and settings.launcher == "horovodrun":
        raise UsageError("--launcher horovodrun does not go with --train_engine hpu, whose cards are shared out by "
                         "mpirun; expected --launcher auto or mpirun")
    if settings.kubernetes_run:
        return
    plan = layout(settings)
    if settings.train_engine == "hpu" or settings.hls_type:
        check_cards(plan, settings.hls_type)


def _check_elastic(settings):
    low, high = settings.min_workers, settings.max_workers
    if not is_elastic(settings):
        if low or high:
            raise UsageError(f"--{'min' if low else 'max'}_workers is for elastic training, which needs "
                             "--host_discovery_script, a program that prints host:workers, one a line")
        return
    script = settings.host_discovery_script
    if not (os.path.isfile(script) and os.access(script, os.X_OK)):
        raise UsageError(f"--host_discovery_script {script}: no such program; expected an executable file that "
                         "prints host:workers, one a line")
    if settings.launcher == "mpirun" or settings.train_engine == "hpu":
        what = "--launcher mpirun" if settings.launcher == "mpirun" else "--train_engine hpu"
        raise UsageError(f"--host_discovery_script does not go with {what}: only horovodrun over Gloo lets workers "
                         "come and go; leave one of them out")
    if settings.hosts or settings.num_workers_per_hls:
        what = "hosts" if settings.hosts else "num_workers_per_hls"
        raise UsageError(f"--{what} does not go with --host_discovery_script, which names the machines; leave one "
                         "of them out")
    if not low:
        raise UsageError("--host_discovery_script needs --min_workers, the fewest workers to go on with")
    start = settings.num_workers or low
    if high and high < low:
        raise UsageError(f"--min_workers is {low} and --max_workers is {high}; expected no fewer at most than at "
                         "least. Raise --max_workers")
    if start < low or (high and start > high):
        raise UsageError(f"--num_workers is {start}; expected {low} (--min_workers) to {high or 'more'} "
                         "(--max_workers)")


def check_cards(plan, hls_type):
    """Raise UsageError unless every host's workers are a number of Gaudi cards that work together in one box, on
    every host the same."""
    cards = BOXES.get(hls_type, max(CARD_COUNTS))
    allowed = [n for n in CARD_COUNTS if n <= cards]
    for name, n in plan.hosts:
        if n not in allowed:
            box = f"--hls_type {hls_type}" if hls_type else "a Gaudi box"
            numbers = f"{', '.join(map(str, allowed[:-1]))} or {allowed[-1]}"
            raise UsageError(f"{n} workers on {name}: {box} runs {numbers} of them, one a card. Change "
                             "--num_workers, --num_workers_per_hls or --hosts")
    if len({n for _, n in plan.hosts}) > 1:
        shares = ", ".join(f"{n} on {name}" for name, n in plan.hosts)
        raise UsageError(f"{shares}: Gaudi boxes share the work evenly; expected as many workers on each. Change "
                         "--num_workers or --hosts")
