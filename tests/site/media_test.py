"""Streams like a call's over a line with a ledger of every packet: the report is compared with that.
A network of its own: `callready serve` on one side, `check --quality` on the other."""

import collections
import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from .harness import CALLREADY
from .names import ROOT
from .tools import Missing, ends_with_us, is_running, tool, wan_program

KEY = "a key that only this test has"
INSIDE, OUTSIDE = "198.51.100.1", "198.51.100.2"


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def only_ipv4(name):
    """An IPv6 address that settles later would be a change of networks to a browser, whose requests
    then fail."""
    for what in ("all", "default"):
        run("ip", "netns", "exec", name, "sysctl", "-q", f"net.ipv6.conf.{what}.disable_ipv6=1")


def sweep():
    """Namespaces of runs that were killed before they could delete them: a name has its run's process."""
    folder = "/run/netns"
    for name in os.listdir(folder) if os.path.exists(folder) else []:
        found = re.match(r"callready-(?:in|line|out)-(\d+)-", name)
        if found and not is_running(found[1]):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


class Line:
    """Client, line and server in three namespaces; `options` are callready-wan's."""

    count = itertools.count()

    def __init__(self, *options, delay=20, jitter=0, loss=0, rate=0, media="off"):
        self.media = media
        self.numbers = [str(n) for n in (delay, jitter, loss, rate)]
        self.options = options
        self.names, self.processes = [], []

    def __enter__(self):
        sweep()
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = os.path.join(self.folder.name, "ledger")
        number = next(self.count)
        try:
            inside, line, outside = (self.add_space(f"callready-{side}-{os.getpid()}-{number}")
                                     for side in ("in", "line", "out"))
            for side, end, address in ((inside, "near", INSIDE), (outside, "far", OUTSIDE)):
                run("ip", "-n", side, "link", "add", "eth0", "type", "veth", "peer", "name", end,
                    "netns", line)
                run("ip", "-n", side, "address", "add", f"{address}/24", "dev", "eth0")
                for where, link in ((side, "eth0"), (side, "lo"), (line, end)):
                    run("ip", "-n", where, "link", "set", link, "up")
            self.wan = self.start(line, wan_program(), "near", "far", *self.numbers, *self.options,
                                  f"ledger={self.ledger}")
            self.wan.stdout.readline()
            nothing_else = ["--media-ports", self.media, "--stun-port", "off", "--sip-port", "off"]
            server = self.start(outside, CALLREADY, "serve", OUTSIDE, "--bind", OUTSIDE,
                                *nothing_else)
            self.set = os.path.join(self.folder.name, "responder.yaml")
            with open(self.set, "w") as file:
                for text in iter(server.stdout.readline, ""):
                    file.write(text)
                    if "answers now" in text:
                        break
        except BaseException:
            self.__exit__()
            raise
        return self

    def add_space(self, name):
        """A namespace that is deleted with the line."""
        run("ip", "netns", "add", name)
        self.names.append(name)
        only_ipv4(name)
        return name

    @staticmethod
    def translate(router):
        """Makes a router of a namespace, with NAT where eth0 leads out."""
        inside = ["ip", "netns", "exec", router]
        run(*inside, "sysctl", "-q", "net.ipv4.ip_forward=1")
        run(*inside, "nft", "add table ip nat; add chain ip nat post { type nat hook "
            "postrouting priority 100; }; add rule ip nat post oifname eth0 masquerade")

    def start(self, where, *command):
        process = subprocess.Popen(ends_with_us("ip", "netns", "exec", where, *command), text=True,
                                   stdout=subprocess.PIPE, env=self.environment())
        self.processes.append(process)
        return process

    def environment(self):
        return {**os.environ, "CALLREADY_MEDIA_KEY": KEY, "HOME": self.folder.name}

    def drop_marked(self):
        """What is marked EF, on the way out."""
        run("ip", "netns", "exec", self.names[2], "nft", "add table ip strict; add chain ip strict "
            "marks { type filter hook prerouting priority -300; }; "
            "add rule ip strict marks ip dscp ef drop")

    def check(self, *options):
        done = subprocess.run(["ip", "netns", "exec", self.names[0], CALLREADY, "check", "--set",
                               self.set, "--quality", "--no-anchors", "--no-keep", "--proxy", "none",
                               "--json", *options],
                              text=True, capture_output=True, timeout=120, env=self.environment())
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def packets(self):
        """The packets in the line's ledger, as dictionaries, including the lead-in and the tail."""
        self.wan.send_signal(signal.SIGTERM)
        self.wan.wait(timeout=10)
        names = ("way", "from", "to", "bytes", "word", "fate", "times", "came", "left")
        with open(self.ledger) as file:
            return [dict(zip(names, [int(w) if w.isdigit() else w for w in text.split()]))
                    for text in file]

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait(timeout=10)
            process.stdout.close()
        for name in self.names:
            subprocess.run(["ip", "netns", "delete", name], check=False)
        self.folder.cleanup()


def measured(packets, way, stream):
    """The packets of that direction that the figures are about, in the order of sending. Going out
    they have the sender's numbers; coming back the reflector's own, which count what it got."""
    up = [p for p in packets if p["way"] == "up" and p["bytes"] == 172]
    # A silent stream is followed by a new session.
    port = collections.Counter(p["from"] for p in up).most_common(1)[0][0]
    packets = [p for p in packets if port in (p["from"], p["to"])]
    up = sorted((p for p in up if p["from"] == port), key=lambda p: p["word"])
    tail = 25
    asked = up[len(up) - tail - stream["up"]["sent"]:len(up) - tail]
    if way == "up":
        return asked
    # The reflector answers in the order in which it got them; a second copy gets no answer.
    got = sorted((p for p in up if p["fate"] == "passed"), key=lambda p: p["left"])
    numbers = {p["word"]: i for i, p in enumerate(got)}
    wanted = {numbers[p["word"]] for p in asked if p["fate"] == "passed"}
    return [p for p in packets if p["way"] == "down" and p["word"] in wanted]


def lost(packets):
    return sum(p["fate"] != "passed" for p in packets)


def reordered(packets):
    """RFC 4737: left the line after one with a larger number."""
    passed = sorted((p for p in packets if p["fate"] == "passed"), key=lambda p: p["left"])
    count, expected = 0, -1
    for packet in passed:
        count += packet["word"] < expected
        expected = max(expected, packet["word"])
    return count


def delay(packets):
    return statistics.median((p["left"] - p["came"]) / 1000 for p in packets
                             if p["fate"] == "passed")


def jitter(packets):
    """RFC 3550 by the line's own times, as the program means it: the mean, once it has settled."""
    passed = sorted((p for p in packets if p["fate"] == "passed"), key=lambda p: p["left"])
    value, values = 0.0, []
    for before, after in zip(passed, passed[1:]):
        apart = (after["left"] - before["left"]) - (after["came"] - before["came"])
        value += (abs(apart) / 1000 - value) / 16
        values.append(value)
    return statistics.mean(values[63:])


def longest_wait(packets):
    """The most seconds in a row for which every packet waited more than 100 ms."""
    longest, since = 0, None
    for came, waited in sorted((p["came"], (p["left"] - p["came"]) / 1000 - 20) for p in packets
                               if p["fate"] == "passed"):
        since = (since or came) if waited > 100 else None
        longest = max(longest, came - since if since else 0)
    return longest / 1e6


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
@unittest.skipUnless(os.geteuid() == 0, "network namespaces by name need root")
class LineTest(unittest.TestCase):
    """Skips, with the reason, where a line cannot be made."""

    PROGRAMS = ("ip", "nft")

    def setUp(self):
        try:
            wan_program(), *map(tool, self.PROGRAMS)
        except Missing as missing:
            self.skipTest(str(missing))

    def measure(self, line, *options):
        status, report, said = line.check("--only", "stream", *options)
        self.assertTrue(report, said)
        probe = next(p for p in report["probes"] if p["check"] == "media")
        self.assertEqual("answered", probe["outcome"], probe)
        return status, report, probe["media"]


class MediaTest(LineTest):
    def hold_against_ledger(self, stream, packets):
        for way in ("up", "down"):
            with self.subTest(way):
                seen, true = stream[way], measured(packets, way, stream)
                self.assertEqual(len(true), seen["sent"])
                self.assertEqual(lost(true), seen["lost"])
                self.assertEqual(reordered(true), seen["reordered"])
                self.assertEqual(sum(p["times"] == 2 for p in true), seen["duplicates"])

    def test_a_run_that_is_killed_leaves_nothing(self):
        program = ("import os, signal\n"
                   "from tests.site.media_test import Line\n"
                   "with Line() as line:\n"
                   "    print(*line.names, *(one.pid for one in line.processes), flush=True)\n"
                   "    os.kill(os.getpid(), signal.SIGKILL)")
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                                  text=True, timeout=60, check=False,
                                  env=os.environ | {"TMPDIR": folder})
        names, pids = done.stdout.split()[:3], done.stdout.split()[3:]
        self.assertEqual(2, len(pids), done.stderr)
        deadline = time.monotonic() + 60
        while any(map(is_running, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([], list(filter(is_running, pids)))
        sweep()
        self.assertEqual(set(), set(names) & set(os.listdir("/run/netns")))

    def test_a_clean_line(self):
        with Line(delay=20) as line:
            status, report, stream = self.measure(line)
            packets = line.packets()
        self.hold_against_ledger(stream, packets)
        for way in ("up", "down"):
            self.assertEqual(750, stream[way]["sent"])
            self.assertEqual(46, stream[way]["dscp_arrived"])
        if longest_wait(packets) > 0:
            self.skipTest("the line was not clean: this computer stood still, and packets waited in it")
        self.assertEqual([], report["findings"])
        self.assertEqual(0, status)
        if not stream["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        for way in ("up", "down"):
            true = measured(packets, way, stream)
            self.assertAlmostEqual(delay(true), stream[way]["one_way_delay_ms"], delta=0.5)

    def test_jitter(self):
        with Line("up.jitter=8", delay=20) as line:
            _, _, stream = self.measure(line)
            packets = line.packets()
        self.hold_against_ledger(stream, packets)
        if not stream["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        for way in ("up", "down"):
            true = jitter(measured(packets, way, stream))
            self.assertAlmostEqual(true, stream[way]["jitter_ms"], delta=max(0.05 * true, 0.2))
        self.assertGreater(stream["up"]["jitter_ms"], 2)
        if true > 0.8:
            self.skipTest(f"the line itself was late: by its ledger, {true:.2f} ms on the way back")
        self.assertLess(stream["down"]["jitter_ms"], 1)

    def test_loss_by_direction(self):
        """3 % one way is reported for that way, and degrades; the other way is fine."""
        for way, words in (("up", "on the way out"), ("down", "on the way back")):
            with self.subTest(way), Line(f"{way}.loss=3") as line:
                status, report, stream = self.measure(line)
                self.hold_against_ledger(stream, line.packets())
                other = {"up": "down", "down": "up"}[way]
                self.assertEqual(0, stream[other]["lost"])
                found = {f["code"]: f for f in report["findings"]}
                self.assertEqual({"media.loss"}, set(found))
                self.assertIn(words, found["media.loss"]["title"])
                self.assertEqual("degraded", report["sets"][0]["verdict"])
                self.assertEqual(4, status)
                missed = next(r for r in report["sets"][0]["requirements"] if r["id"] == "stream")
                self.assertEqual([way], [m["way"] for m in missed["missed"]])

    def test_bursts_both_ways(self):
        with Line("up.p=1", "up.r=25", "down.p=0.5", "down.r=20") as line:
            _, _, stream = self.measure(line)
            self.hold_against_ledger(stream, line.packets())
        self.assertGreater(stream["up"]["longest_burst"], 1)
        self.assertGreater(stream["up"]["burst_ratio"], 1)

    def test_duplicates(self):
        with Line("up.duplicate=2", "down.duplicate=3") as line:
            status, _, stream = self.measure(line)
            self.hold_against_ledger(stream, line.packets())
        self.assertGreater(stream["up"]["duplicates"], 0)
        self.assertGreater(stream["down"]["duplicates"], 0)
        self.assertEqual(0, status)

    def test_reordering(self):
        with Line("up.reorder=2", "down.reorder=1") as line:
            _, _, stream = self.measure(line)
            self.hold_against_ledger(stream, line.packets())
        self.assertGreater(stream["up"]["reordered"], 0)
        self.assertGreater(stream["down"]["reordered"], 0)

    def test_marks_that_are_cleared(self):
        """What arrives outside without its mark is said by its name and way, and harms nobody."""
        with Line() as line:
            run("ip", "netns", "exec", line.names[2], "nft", "add table ip bleach; add chain ip "
                "bleach marks { type filter hook prerouting priority -300; }; "
                "add rule ip bleach marks meta l4proto udp ip dscp set cs0")
            status, report, stream = self.measure(line)
        self.assertEqual(["media.dscp_cleared"], [f["code"] for f in report["findings"]])
        self.assertEqual((0, 46), (stream["up"]["dscp_arrived"], stream["down"]["dscp_arrived"]))
        self.assertIn("on the way out", report["findings"][0]["evidence"][0]["text"])
        self.assertEqual(0, status)

    def test_marks_that_are_dropped(self):
        """Nothing that is marked gets out, and all else does: that is said, not "no answer"."""
        with Line() as line:
            line.drop_marked()
            status, report, said = line.check("--only", "stream")
        self.assertTrue(report, said)
        self.assertEqual([("media.dscp_dropped", "likely")],
                         [(f["code"], f["confidence"]) for f in report["findings"]])
        self.assertEqual("blocked", report["sets"][0]["verdict"])
        self.assertEqual(1, status)

    def test_a_silence_amid_the_stream(self):
        for way in ("up", "down"):
            with self.subTest(way), Line(f"{way}.dark=300", f"{way}.light=450") as line:
                _, report, stream = self.measure(line)
                self.hold_against_ledger(stream, line.packets())
                self.assertEqual((False, way),
                                 (stream["outage"]["to_the_end"], stream["outage"]["way"]))
                self.assertAlmostEqual(3_000, stream["outage"]["length_ms"], delta=60)
                self.assertEqual(["media.outage"], [f["code"] for f in report["findings"]])
                self.assertEqual("degraded", report["sets"][0]["verdict"])

    def test_a_nat_that_gives_the_flow_another_port(self):
        """As a router does that forgets a flow: from then on its packets come from another port, and
        nothing comes back to it."""
        with Line() as line:
            def rebind():
                # Of the stream's socket, which is the only one for long that is connected to there.
                since = {}
                for _ in range(600):
                    time.sleep(0.1)
                    now = time.monotonic()
                    table = subprocess.run(["ip", "netns", "exec", line.names[0], "cat",
                                            "/proc/net/udp"], capture_output=True, text=True).stdout
                    ports = [int(row.split()[1].split(":")[1], 16)
                             for row in table.splitlines()[1:] if row.split()[2][-4:] != "0000"]
                    since = {port: since.get(port, now) for port in ports}
                    for port in (port for port, first in since.items() if now - first > 8):
                        rule = f"add rule ip again out udp sport {port} udp sport set 50123"
                        run("ip", "netns", "exec", line.names[0], "nft", "add table ip again; "
                            "add chain ip again out { type filter hook postrouting priority 300; }; "
                            + rule)
                        return
            thread = threading.Thread(target=rebind)
            self.addCleanup(thread.join)
            thread.start()
            status, report, stream = self.measure(line)
            thread.join()
        self.assertEqual((True, True, True), tuple(
            stream["outage"][name] for name in ("to_the_end", "new_session", "moved")))
        self.assertEqual([("nat.rebound", "certain")],
                         [(f["code"], f["confidence"]) for f in report["findings"]])
        self.assertEqual(4, status)

    def test_a_default_run_sends_no_stream(self):
        with Line() as line:
            done = subprocess.run(["ip", "netns", "exec", line.names[0], CALLREADY, "check", "--set",
                                   line.set, "--no-anchors", "--no-keep", "--proxy", "none",
                                   "--json"], text=True, capture_output=True, timeout=60,
                                  env=line.environment())
            report = json.loads(done.stdout)
            self.assertEqual(["tls", "ice"], [p["check"] for p in report["probes"]])
            row = next(r for r in report["sets"][0]["requirements"] if r["id"] == "stream")
            self.assertEqual("skip", row["status"])
            self.assertIn("--quality", row["summary"])
            self.assertEqual([], [p for p in line.packets() if p["bytes"] == 172])
            self.assertNotIn(KEY, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
