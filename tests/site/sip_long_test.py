"""SIP over UDP that is too long for one packet, and routers that drop IP fragments."""

import os
import unittest

from .harness import CheckTest

RUNS = int(os.environ.get("CALLREADY_RUNS", "1"))


class LongSip(CheckTest):
    def long(self, report):
        return [p for p in report["probes"] if p["check"] == "sip-long"]

    def test_gets_through_a_healthy_site_with_one_message(self):
        report = self.report([], "cloudoe")
        seen, = self.long(report)
        self.assertEqual(("answered", "200", 1), (seen["outcome"], seen["detail"], seen["attempts"]))
        self.assertEqual([2600], [e["bytes"] for e in seen["evidence"]])
        self.assertEqual([], self.findings(report))

    def test_is_lost_where_fragments_are_dropped(self):
        """The same server answers the long message over TCP; certain of `callready serve` only."""
        for _ in range(RUNS):
            report = self.report(["fragments-dropped"], "cloudoe")
            seen, = self.long(report)
            self.assertEqual("long_sip_lost", seen["detail"])
            self.assertEqual([(2600, "udp", False), (1600, "udp", False), (1200, "udp", True),
                              (2600, "tcp", True)],
                             [(e["bytes"], e["transport"], e["answered"]) for e in seen["evidence"]])
            self.assertEqual([("sip.fragments_lost", "likely", "network")], self.findings(report))
            self.assertEqual("degraded", report["sets"][0]["verdict"])

    def test_servers_that_ignore_strangers_are_not_blamed_on_the_network(self):
        report = self.report(["sip-mute"], "cloudoe")
        self.assertNotIn("sip.fragments_lost", {f["code"] for f in report["findings"]})

    def test_an_mtu_hole_keeps_its_own_name(self):
        """The first fragment is a full-size packet, and is lost as every other one is."""
        report = self.report(["mtu-black-hole"], "cloudoe")
        codes = {f["code"] for f in report["findings"]}
        self.assertIn("network.mtu", codes)
        self.assertNotIn("sip.fragments_lost", codes)


if __name__ == "__main__":
    unittest.main()
