"""The step time of data-parallel training on paper: docs/step_time_model.md explains it.

    python benchmarks/step_time_model.py [--step 4.4 8.2] [--workers 8 64 512] [--bytes 46210616] [--cycle 1.5e-3]
        [--network NAME=bytes_a_second,seconds_a_hop,most_workers ...]
"""

import argparse

# Bytes a second that one worker can send, seconds for a message to the next, and how many workers there can be.
NETWORKS = {"two cores' loopback": (0.6e9, 50e-6, 8), "10 GbE": (1.25e9, 50e-6, 512), "100 GbE": (12.5e9, 10e-6, 512),
            "Gaudi, in a box": (87.5e9, 10e-6, 8), "Gaudi, between boxes": (37.5e9, 10e-6, 512)}


def averaging(workers, size, bandwidth, hop, cycle):
    """Return the seconds that a ring needs to average `size` bytes: 2(n-1) hops with size/n bytes each."""
    return cycle + 2 * (workers - 1) * (size / workers / bandwidth + hop)


def network(text):
    name, _, numbers = text.partition("=")
    return name, tuple(map(float, numbers.split(",")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=float, nargs="+", default=[4.4, 8.2])
    parser.add_argument("--workers", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--bytes", type=float, default=46_210_616)
    parser.add_argument("--cycle", type=float, default=1.5e-3)
    parser.add_argument("--network", type=network, nargs="+", default=list(NETWORKS.items()))
    flags = parser.parse_args()
    steps = "".join(f" t = {t:g} s: none / full |" for t in flags.step)
    print(f"| network | workers | averaging, ms |{steps} t for 97 %, s |\n" + "|---" * (4 + len(flags.step)) + "|")
    for name, (bandwidth, hop, most) in flags.network:
        for n in (n for n in flags.workers if n <= most):
            c = averaging(n, flags.bytes, bandwidth, hop, flags.cycle)
            cells = "".join(f" {t + c:.3f} ({t / (t + c):.1%}) / {max(t, c):.3f} |" for t in flags.step)
            print(f"| {name} | {n} | {c * 1e3:.1f} |{cells} {c * 0.97 / 0.03:.2f} |")


if __name__ == "__main__":
    main()
