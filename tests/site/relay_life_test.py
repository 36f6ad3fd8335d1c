"""Relays that are held for 20 s, by a real coturn, and flows that are cut after a few packets."""

import os
import unittest

from .confusion import WITH_ACCOUNT
from .harness import CheckTest
from .names import HERE

RUNS = int(os.environ.get("CALLREADY_RUNS", "1"))
SET = os.path.join(HERE, "relays.yaml")


class RelayLife(CheckTest):
    def report(self, faults, *options):
        return super().report(faults, "--set", SET, *options, before=WITH_ACCOUNT, timeout=120)

    def lives(self, report):
        return {e["transport"]: e for p in report["probes"] for e in p["evidence"]
                if e["kind"] == "relay_life"}

    def test_they_carry_for_twenty_seconds_over_each_transport(self):
        report = self.report([], "--quality")
        lives = self.lives(report)
        self.assertEqual({"udp", "tcp", "tls"}, set(lives))
        for life in lives.values():
            self.assertTrue(life["carried"])
            self.assertGreater(life["alive_ms"], 19_000)
            self.assertEqual(life["sent"], life["received"])
        self.assertEqual([], self.findings(report))

    def test_a_default_run_holds_none(self):
        report = self.report([])
        self.assertEqual({}, self.lives(report))
        self.assertEqual([], self.findings(report))

    def test_flows_are_cut_after_three_of_a_relays_packets(self):
        for _ in range(RUNS):
            report = self.report(["relay-cut-after"], "--quality")
            lives = self.lives(report)
            self.assertEqual([("turn.relay_dies", "likely", "security")], self.findings(report))
            self.assertEqual({"udp": False, "tcp": True, "tls": True},
                             {way: life["carried"] for way, life in lives.items()})
            self.assertLess(lives["udp"]["received"], 10)
            self.assertFalse(lives["udp"]["answered"])
            self.assertEqual("degraded", report["sets"][0]["verdict"])

    def test_connections_are_cut_after_a_while(self):
        report = self.report(["relay-cut-after=tcp:443:60"], "--quality")
        self.assertEqual([("turn.relay_dies", "likely", "security")], self.findings(report))
        self.assertIn("TLS", report["findings"][0]["title"])

    def test_a_relay_that_is_dead_over_every_transport_is_the_servers(self):
        report = self.report(["relays-dead"], "--quality")
        self.assertEqual([("turn.relay_dead", "certain", "vendor")], self.findings(report))


if __name__ == "__main__":
    unittest.main()
