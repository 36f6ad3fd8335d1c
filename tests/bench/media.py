"""script/bench --media: a stream like a call's, measured by callready, irtt and iperf3, each over
the same line, and compared with the line's ledger of every packet.

What a packet carries and how it is numbered differs, so the ledger is read by size and direction
only: what the line lost, its median delay, and the jitter (RFC 3550) that it made.
"""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass

from tests.site import media_test
from tests.site.media_test import OUTSIDE, Line
from tests.site.tools import tool

SECONDS, BYTES = 15, 172
LINE = dict(delay=20, options=("up.loss=2", "up.jitter=8", "down.jitter=2", "seed=7"))
HEADER = ("| tool | lost out | lost back | round trip, ms | jitter out, ms | jitter back, ms | CPU, s |"
          "\n|---|--:|--:|--:|--:|--:|--:|")


@dataclass
class Seen:
    """What a tool, or the ledger, says; None: it says nothing."""
    lost_out: float = None
    lost_back: float = None
    round_trip: float = None
    jitter_out: float = None
    jitter_back: float = None
    cpu_s: float = None

    def cells(self):
        def cell(value, digits, unit=""):
            return "-" if value is None else f"{value:.{digits}f}{unit}"
        return (f"{cell(self.lost_out, 2, ' %')} | {cell(self.lost_back, 2, ' %')} "
                f"| {cell(self.round_trip, 1)} | {cell(self.jitter_out, 2)} "
                f"| {cell(self.jitter_back, 2)} | {cell(self.cpu_s, 2)}")


def in_namespace(line, side, command):
    return ["ip", "netns", "exec", line.names[side], *command]


def timed(line, command):
    """Its standard output, and the seconds of CPU that the client took."""
    process = subprocess.Popen(in_namespace(line, 0, command), text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=line.environment())
    text = process.stdout.read()
    process.stdout.close()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return text, used.ru_utime + used.ru_stime


def of_ledger(packets):
    """What became of the packets of the stream."""
    seen = Seen()
    delays = 0.0
    for way, lost, jitter in (("up", "lost_out", "jitter_out"), ("down", "lost_back", "jitter_back")):
        its = [p for p in packets if p["way"] == way and p["bytes"] == BYTES]
        if len(its) < 100:
            continue
        setattr(seen, lost, 100 * media_test.lost(its) / len(its))
        setattr(seen, jitter, media_test.jitter(its))
        delays += media_test.delay(its)
        seen.round_trip = delays if way == "down" else None
    return seen


def callready(line):
    text, cpu = timed(line, [media_test.CALLREADY, "check", "--set", line.set, "--only", "stream",
                             "--quality", "--no-anchors", "--no-keep", "--proxy", "none", "--json"])
    stream = next(p["media"] for p in json.loads(text)["probes"] if p["check"] == "media")
    up, down = stream["up"], stream["down"]
    return Seen(up["loss"]["percent"], down["loss"]["percent"], stream["round_trip_ms"],
                up["jitter_ms"], down["jitter_ms"], cpu)


def irtt(line):
    line.start(line.names[2], tool("irtt"), "server", "-b", OUTSIDE)
    time.sleep(1)
    text, cpu = timed(line, [tool("irtt"), "client", "-i", "20ms", "-d", f"{SECONDS}s", "-l", str(BYTES),
                             "-o", "-", "-Q", OUTSIDE])
    stats = json.loads(text[text.index("{"):])["stats"]
    return Seen(stats.get("upstream_loss_percent"), stats.get("downstream_loss_percent"),
                stats["rtt"]["median"] / 1e6, stats["ipdv_send"]["mean"] / 1e6,
                stats["ipdv_receive"]["mean"] / 1e6, cpu)


def iperf3(line):
    """One direction per run: the client sends, then the server (-R); the CPU time of both runs."""
    line.start(line.names[2], tool("iperf3"), "-s", "-B", OUTSIDE)
    time.sleep(1)
    ways, cpu = [], 0.0
    for more in ((), ("-R",)):
        text, used = timed(line, [tool("iperf3"), "-c", OUTSIDE, "-u", "-l", str(BYTES), "-b",
                                  str(BYTES * 8 * 50), "-t", str(SECONDS), "--json", *more])
        ways.append(json.loads(text)["end"]["sum"])
        cpu += used
    out, back = ways
    return Seen(out["lost_percent"], back["lost_percent"], None, out["jitter_ms"], back["jitter_ms"],
                cpu)


def table():
    """The lines of the table, as they are measured."""
    yield HEADER
    for tool_of in (callready, irtt, iperf3):
        with Line(*LINE["options"], delay=LINE["delay"]) as line:
            seen = tool_of(line)
            truth = of_ledger(line.packets())
        yield f"| {tool_of.__name__} | {seen.cells()} |"
        yield f"| its line's ledger | {truth.cells()} |"
