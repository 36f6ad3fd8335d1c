"""script/bench --waits: how long people wait for the longest runs, compared with the targets.

With --against another callready runs each of them as well, in turns, on the same site.
"""

import socket
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass

from tests.bench.work import make_set
from tests.site.confusion import WITH_ACCOUNT
from tests.site.harness import Site

LIMIT_S = 120
REST_S = 7   # between two runs: a router that has spent its ICMP errors has them again


@dataclass
class Wait:
    """A run of callready at a site."""
    title: str
    arguments: list
    wanted_s: float
    faults: tuple = ()
    round_trip_ms: float = 40
    account: bool = False   # the relays' user name and password are given

    def command(self, program):
        """The command to run on the site's PC."""
        command = [program, "check", *self.arguments, "--json", "--quiet"]
        return WITH_ACCOUNT + command if self.account else command


ALL = ["rainbow", "--all", "--pace", "fast"]
WAITS = [
    Wait("check cloudoe", ["cloudoe"], 3),
    Wait("check rainbow", ["rainbow"], 2),
    Wait("check rainbow --all --pace fast", ALL, 2),
    Wait("the same, with the relays' account", ALL, 2.5, account=True),
    Wait("rainbow, only 80 and 443 open", ["rainbow"], 5, ("only-web",)),
    Wait("cloudoe, one of its hosts blocked", ["cloudoe"], 6, ("host-blocked=sbc.icvoip.net",)),
    Wait("cloudoe, its servers refuse", ["cloudoe"], 6, ("sip-down",)),
    Wait("cloudoe, its servers are silent", ["cloudoe"], 6, ("vendor-silent=icvoip.net",)),
    Wait("a captive portal, rainbow", ["rainbow"], 5, ("captive-portal-silent",)),
    Wait("only a proxy leads out, rainbow", ["rainbow"], 5, ("web-only-proxy",)),
    # More than 24 hosts, and so more than the ten seconds in which that many may be met.
    Wait("check rainbow cloudoe", ["rainbow", "cloudoe"], 12),
    Wait("rainbow, all UDP blocked", ["rainbow"], 6, ("udp-blocked",)),
    Wait("rainbow over a satellite", ["rainbow"], 8, round_trip_ms=640),
]


def seconds(site, wait, program):
    """How long one run takes. A site that is not ready is no failure, and has its own status."""
    start = time.monotonic()
    done = site.run(wait.command(program), timeout=LIMIT_S)
    taken = time.monotonic() - start
    if done.exit not in (0, 1, 3, 4):
        raise SystemExit(f"bench: {wait.title}: {done.stderr.strip()}")
    return taken


def first_packet_ms(program):
    """From the program's start to its first packet, a Binding request over loopback."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(LIMIT_S)
        row = {"id": "stun", "check": "stun", "transport": ["udp"], "addresses": ["127.0.0.1"],
               "ports": [server.getsockname()[1]]}
        command = [program, "check", "first", "--set", make_set(folder, "first", [row]),
                   "--no-anchors", "--proxy", "none", "--quiet", "--no-keep", "--timeout", "1"]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            server.recv(2048)
            return 1000 * (time.monotonic() - start)
        finally:
            process.terminate()
            process.wait()


def starts(programs, rounds):
    """Markdown: how soon each of `programs` (title -> path) sends something."""
    taken = {title: [] for title in programs}
    for _ in range(rounds):
        for title, program in programs.items():
            taken[title].append(first_packet_ms(program))
    yield "From start to first packet: " + ", ".join(
        f"{title} {statistics.median(values):.1f} ms ({min(values):.1f} to {max(values):.1f})"
        for title, values in taken.items()) + "; wanted 10 ms."


def spread(values):
    """'median (least to most)'."""
    text = f"{statistics.median(values):.2f}"
    return text + (f" ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else "")


def table(waits, programs, rounds):
    """Markdown: a line for each of `waits`, a column for each of `programs` (title -> path)."""
    lines = ["| run | " + " | ".join(f"{title}, s" for title in programs) + " | wanted, s |",
             "|---|" + "---|" * (len(programs) + 1)]
    for wait in waits:
        taken = {title: [] for title in programs}
        with Site(faults=wait.faults, delay_ms=wait.round_trip_ms / 2) as site:
            for _ in range(rounds):
                for title, program in programs.items():
                    taken[title].append(seconds(site, wait, program))
                    time.sleep(REST_S)
        lines.append(f"| {wait.title} | " + " | ".join(map(spread, taken.values())) +
                     f" | {wait.wanted_s:g} |")
        yield from lines
        lines = []
