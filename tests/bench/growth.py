"""How time, processor and memory grow with the number of probes."""

import json
import sys

from tests.bench import work
from tests.site import names
from tests.site.harness import Site
from tests.site.names import ROOT

HOSTS = 25
FIRST, CHUNK = 20000, 100   # ports


def make(folder, count, internet):
    """A set of `count` TCP probes: closed ports of hosts that refuse at once."""
    hosts = sorted(a for a in internet.web if "/" not in a)[:HOSTS]
    used = hosts if count >= len(hosts) else hosts[:count]
    each = count // len(used)
    # A range of more than a hundred ports would be sampled, because it would be taken for media.
    ports = [f"{first}-{min(first + CHUNK, FIRST + each) - 1}"
             for first in range(FIRST, FIRST + each, CHUNK)]
    return work.make_set(folder, f"grow-{count}", [
        {"id": "grow", "check": "tcp", "transport": ["tcp"], "ports": ports, "addresses": used}])


def table(program, counts, folder):
    """Lines of Markdown: one for each number of probes."""
    internet = names.load()
    lines = ["| probes | seconds | CPU ms a probe | MB | KB a probe beyond the smallest run |",
             "|---|---|---|---|---|"]
    least = None
    with Site() as site:
        for count in counts:
            path = make(folder, count, internet)
            command = [program, *work.check(path, f"grow-{count}", "--timeout", "600")[1:]]
            done = site.run([sys.executable, f"{ROOT}/tests/bench/measure.py", "--", *command],
                            timeout=700)
            figures = json.loads(done.stdout)
            least = least or figures["memory_mb"]
            extra = (figures["memory_mb"] - least) * 1024 / count
            lines.append(f"| {count} | {figures['wall_s']:.2f} "
                         f"| {figures['cpu_s'] * 1000 / count:.2f} | {figures['memory_mb']:.0f} "
                         f"| {extra:.1f} |")
    return lines
