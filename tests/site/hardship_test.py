"""Bad luck in the middle of a run: signals, no descriptors, no memory, a cable pulled, a clock that
jumps. Whatever happens, the run ends in time and what it says is a whole and honest report."""

import json
import os
import random
import signal
import time
import unittest

from tests.site.harness import CALLREADY, Site, SiteTest
from tests.site.tools import tool

SANITIZED = bool(os.environ.get("CALLREADY_SANITIZE"))

# script/test takes a handful; CALLREADY_SIGNALS=200 takes as many as anybody has patience for.
SIGNALS = int(os.environ.get("CALLREADY_SIGNALS", "12"))

# Between the signal and the end of the report; a sanitizer or a busy machine may take more than the
# second that the program itself allows.
GRACE_S = 5

OUTCOMES = {"answered", "connected", "passed", "refused", "rejected", "silent", "failed", "denied",
            "unresolved", "skipped"}


def shell(text, *arguments):
    """`text` for sh, with `arguments` as $1, $2 ..."""
    return ["sh", "-c", text, "sh", *arguments]


class Hardship(SiteTest):
    def report_of(self, done):
        """The report on standard output, which is whole whatever happened."""
        self.assertGreaterEqual(done.exit, 0, f"ended by a signal\n{done.stderr}")
        report = json.loads(done.stdout)
        self.assertEqual(report["schema"], "callready.report/1")
        ids = {probe["id"] for probe in report["probes"]}
        for probe in report["probes"]:
            self.assertIn(probe["outcome"], OUTCOMES)
        for one in report["sets"]:
            for row in one["requirements"]:
                self.assertLessEqual(set(row["probes"]), ids)
        return report

    def test_a_signal_at_any_moment_gives_a_report(self):
        chance = random.Random(20261120)
        with Site(faults=["udp-blocked"]) as site:  # silence: there is always something to wait for
            for number in range(SIGNALS):
                name = ("SIGINT", "SIGTERM")[number % 2]
                after = chance.uniform(0.05, 2.0)
                with self.subTest(signal=name, after=round(after, 3)):
                    start = time.monotonic()
                    done = site.run([CALLREADY, "check", "rainbow", "cloudoe", "--json"],
                                    signal=name, after=after)
                    self.assertLess(time.monotonic() - start, after + GRACE_S)
                    if done.exit == -getattr(signal, name):  # main() had not taken it over yet
                        self.assertEqual(done.stdout, "")
                        continue
                    report = self.report_of(done)
                    self.assertFalse(report["complete"])
                    self.assertEqual(done.exit, 3)

    @unittest.skipIf(SANITIZED, "UBSan needs a descriptor of its own")
    def test_without_descriptors_it_says_so(self):
        with Site() as site:
            for limit in (12, 24, 40):
                with self.subTest(descriptors=limit):
                    done = site.run([tool("prlimit"), f"--nofile={limit}:{limit}", "--", CALLREADY,
                                     "check", "rainbow", "--json"])
                    if done.exit == 2:  # too few even to begin
                        self.assertEqual(done.stdout, "")
                        self.assertNotEqual(done.stderr.strip(), "")
                        continue
                    report = self.report_of(done)
                    # Nothing that this machine lacked is blamed on the network.
                    self.assertEqual([f["code"] for f in report["findings"]
                                      if f["confidence"] == "certain"], [])
                    self.assertNotEqual(done.exit, 1, "blocked, for want of our own descriptors")
                    # Probes that could not be made are reported; with fewer at a time some can be.
                    lacked = [p for p in report["probes"] if p["detail"] == "out_of_resources"]
                    said = [n for n in report["notes"] if "ran out of sockets" in n]
                    self.assertEqual(bool(lacked), bool(said), report["notes"])
                    failed = [r["summary"] for s in report["sets"] for r in s["requirements"]
                              if r["status"] == "fail"]
                    self.assertEqual([], failed)

    def test_a_low_soft_limit_does_no_harm(self):
        # Systems start programs with a low soft limit: this one raises it as far as it may.
        with Site() as site:
            done = site.run([tool("prlimit"), "--nofile=20:4096", "--", CALLREADY, "check",
                             "rainbow", "--json"])
            report = self.report_of(done)
        self.assertEqual(0, done.exit, report["notes"])
        self.assertNotIn("out_of_resources", {p["detail"] for p in report["probes"]})

    @unittest.skipIf(SANITIZED, "a sanitizer reserves terabytes")
    def test_without_memory_it_ends(self):
        with Site() as site:
            for megabytes in (40, 80, 90, 96, 100, 110, 120, 140, 160, 160, 160, 240):
                with self.subTest(megabytes=megabytes):
                    done = site.run([tool("prlimit"), f"--as={megabytes << 20}", "--", CALLREADY,
                                     "check", "rainbow", "--json"])
                    if done.stdout:
                        self.report_of(done)
                    else:
                        self.assertNotEqual(done.exit, 0)
                        self.assertNotIn("Segmentation", done.stderr)
                        self.assertGreater(done.exit, 0, done.stderr)
                        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)

    def test_a_cable_pulled_in_the_middle(self):
        # At the first answer, one round trip after the start: TLS needs two more, a second and a half.
        follow = ("\"$1\" check rainbow cloudoe --json --follow --report json=$HOME/report.json "
                  "2>$HOME/said; status=$?; cat $HOME/report.json >&2; exit $status")
        with Site(delay_ms=400) as site:
            start = time.monotonic()
            done = site.run(shell(follow, CALLREADY), env={"HOME": "/run/site"},
                            once='"outcome":"answered"', cable="pulled")
            self.assertLess(time.monotonic() - start, 40)
        done.stdout = done.stderr
        report = self.report_of(done)
        self.assertTrue(report["complete"])
        self.assertNotEqual(report["sets"][0]["verdict"], "ready")

    @unittest.skipIf(SANITIZED, "it must be loaded before libfaketime")
    def test_a_clock_that_jumps(self):
        # Only the time of day: what waits uses the steady clock.
        jump = ("printf +0 > $HOME/clock; printf +2h > $HOME/later; "
                "(sleep 0.3; mv $HOME/later $HOME/clock) & "
                "exec env LD_PRELOAD=\"$2\" FAKETIME_TIMESTAMP_FILE=$HOME/clock FAKETIME_NO_CACHE=1 "
                "DONT_FAKE_MONOTONIC=1 \"$1\" check webex-partner cloudoe --json")
        library = next((path for path in ("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
                                          "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1")
                        if os.path.exists(path)), None)
        if library is None:
            self.skipTest("libfaketime is not installed")
        # On a busy machine one run of thirty stands still at the jump, all timers with it, until its
        # own end (its report says that it is incomplete); without libfaketime none was seen to.
        for _ in range(3):
            with Site() as site:
                start = time.monotonic()
                done = site.run(shell(jump, CALLREADY, library), env={"HOME": "/run/site"})
                took = time.monotonic() - start
                self.assertLess(took, 60, "two sets may take 33 s, and the end")
                report = self.report_of(done)
                if report["complete"]:
                    self.assertLess(took, 30)
                    break
        with self.subTest("the last one"):
            self.assertTrue(report["complete"], report["notes"])
            self.assertGreaterEqual(report["duration_ms"], 0)
            self.assertLess(report["duration_ms"], 25_000)
