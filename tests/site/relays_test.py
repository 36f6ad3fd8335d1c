"""Streams like a call's between two relays of one coturn, over a line that keeps a ledger: no server
of ours, and still the way of each loss."""

import os
import statistics
import unittest

from .media_test import Line, LineTest, OUTSIDE, lost
from .tools import tool

# ChannelData of the first channel with a call's packet in it (RFC 8656 section 12.4).
OTHER = 0x4000 << 16 | 172
ITSELF = 0x4001 << 16 | 172

SET = f"""
schema: callready.targets/1
id: relays
title: Relays
vendor: Nobody
document: None
edition: "1"
published: "2026-01-01"
verified: "2026-01-01"
capabilities:
  - id: media
    title: Calls
    needs: [turn]
    quality: {{ source: none, loss_percent: 1, jitter_ms: 30, one_way_delay_ms: 150 }}
requirements:
  - id: turn
    title: Relays
    source: none
    check: turn
    addresses: [{OUTSIDE}]
    ports: [3478]
    transport: [udp, tcp]
"""


class RelayLine(Line):
    """With coturn beyond it."""

    def __init__(self, *options, coturn=(), **numbers):
        super().__init__(*options, **numbers)
        self.coturn = coturn

    def __enter__(self):
        super().__enter__()
        self.set = os.path.join(self.folder.name, "relays.yaml")
        with open(self.set, "w") as file:
            file.write(SET)
        self.turnserver = self.start(
            self.names[2], tool("turnserver"), "-n", "--log-file", "stdout", "--lt-cred-mech",
            "--user", "somebody:something", "--realm", "relay.example", "--no-tls", "--no-dtls",
            "--no-cli", "--listening-ip", OUTSIDE, "--relay-ip", OUTSIDE, "--pidfile",
            os.path.join(self.folder.name, "turnserver.pid"), "--userdb",
            os.path.join(self.folder.name, "turnserver.db"), *self.coturn)
        for text in iter(self.turnserver.stdout.readline, ""):
            if "turn server id" in text.lower() or "relay thread" in text.lower():
                break
        return self

    def environment(self):
        return {**super().environment(), "CALLREADY_TURN_USER": "somebody",
                "CALLREADY_TURN_PASSWORD": "something", "CALLREADY_TURN_HOST": OUTSIDE}


def stream_packets(packets, way, word=OTHER):
    return [p for p in packets if p["way"] == way and p["bytes"] == 176 and p["word"] == word]


class RelaysTest(LineTest):
    PROGRAMS = (*LineTest.PROGRAMS, "turnserver")

    def measure(self, line, *options):
        status, report, said = line.check(*options)
        self.assertTrue(report, said)
        probe = next(p for p in report["probes"] if p["check"] == "media")
        return status, report, probe

    def hold_against_ledger(self, stream, packets):
        for way in ("up", "down"):
            with self.subTest(way):
                true = stream_packets(packets, way)
                # Only what the relays have received comes down the line.
                if way == "up":
                    self.assertEqual(len(true), stream[way]["sent"])
                self.assertEqual(lost(true), stream[way]["lost"])

    def test_a_clean_line(self):
        with RelayLine(delay=20) as line:
            status, report, probe = self.measure(line)
            packets = line.packets()
        self.assertEqual("answered", probe["outcome"], probe)
        stream = probe["media"]
        self.assertTrue(stream["by_relays"])
        self.hold_against_ledger(stream, packets)
        self.assertEqual([], report["findings"])
        self.assertEqual(0, status)
        self.assertEqual(750, stream["loop"]["sent"])
        self.assertEqual((46, 46), (stream["loop"]["dscp_sent"], stream["loop"]["dscp_arrived"]))
        for way in ("up", "down"):
            self.assertNotIn("jitter_ms", stream[way])
        row = report["sets"][0]["requirements"][0]
        self.assertIn("through two relays", row["summary"])
        if not stream["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        # With the time that coturn takes: a round trip is over when the line has sent it back.
        out, back = (stream_packets(packets, way, ITSELF) for way in ("up", "down"))
        self.assertEqual(len(out), len(back))
        true = statistics.median((b["left"] - o["came"]) / 1000 for o, b in zip(out, back))
        self.assertAlmostEqual(true, stream["round_trip_ms"], delta=2)

    def test_marks_that_are_dropped(self):
        """Nothing that is marked gets out, and all else does: that is said, not "works"."""
        with RelayLine() as line:
            line.drop_marked()
            _, report, probe = self.measure(line)
        self.assertEqual("marked_silent", probe["detail"])
        self.assertEqual([("media.dscp_dropped", "likely")],
                         [(f["code"], f["confidence"]) for f in report["findings"]])

    def test_loss_by_direction(self):
        """2 % one way is reported for that way; the other way is fine. Twenty times by hand:
        CALLREADY_RUNS=20."""
        for run in range(int(os.environ.get("CALLREADY_RUNS", "1"))):
            for way, words in (("up", "on the way out"), ("down", "on the way back")):
                with self.subTest(way, run=run), \
                        RelayLine(f"{way}.loss=2", f"seed={run + 1}") as line:
                    _, report, probe = self.measure(line)
                    stream = probe["media"]
                    self.hold_against_ledger(stream, line.packets())
                    other = {"up": "down", "down": "up"}[way]
                    self.assertEqual(0, stream[other]["lost"])
                    self.assertGreater(stream[way]["lost"], 0)
                    found = {f["code"]: f for f in report["findings"]}
                    # Whether the vendor's 1 % is missed is a matter of luck at 2 % of 750.
                    missed = {"media.loss"} if stream[way]["loss"]["percent"] > 1 else set()
                    self.assertEqual(missed, set(found))
                    for finding in found.values():
                        self.assertIn(words, finding["title"])
                    print(f"{way}: {stream[way]['lost']} of 750", flush=True)

    def test_relays_that_may_not_talk_to_each_other(self):
        with RelayLine(coturn=("--denied-peer-ip", OUTSIDE)) as line:
            status, report, probe = self.measure(line)
        self.assertEqual(("skipped", "no_relays"), (probe["outcome"], probe["detail"]))
        said = next(e for e in probe["evidence"] if e["kind"] == "relay_to_relay")
        self.assertIn("403", said["text"])
        self.assertEqual([], report["findings"])

    def test_a_quota_of_one_relay(self):
        with RelayLine(coturn=("--user-quota", "1")) as line:
            _, report, probe = self.measure(line)
        self.assertEqual(("skipped", "no_relays"), (probe["outcome"], probe["detail"]))
        said = next(e for e in probe["evidence"] if e["kind"] == "relay_to_relay")
        self.assertIn("486", said["text"])

    def test_without_a_login_nothing_is_planned(self):
        with RelayLine() as line:
            environment = {k: v for k, v in line.environment().items() if "TURN" not in k}
            line.environment = lambda: environment
            _, report, _ = line.check()
        self.assertNotIn("media", [p["check"] for p in report["probes"]])


if __name__ == "__main__":
    unittest.main()
