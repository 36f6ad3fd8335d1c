"""A service's own hosts by IPv6: reached, dead for that service alone, or without addresses."""

import json
import os
import unittest

from .harness import CALLREADY, CheckTest, Site
from .names import HERE

RUNS = int(os.environ.get("CALLREADY_RUNS", "1"))
SET = os.path.join(HERE, "dual.yaml")


class ServiceByIpv6(CheckTest):
    def report(self, faults):
        return super().report(faults, "--set", SET)

    def service(self, report):
        return sorted((p["target"]["host"].split(".")[0], p["outcome"], p["detail"])
                      for p in report["probes"]
                      if p["check"] == "ipv6" and "service=true" in p["id"])

    def test_works(self):
        report = self.report(["ipv6"])
        self.assertEqual([("events", "connected", "ipv6_first"),
                          ("portal", "connected", "ipv6_first")], self.service(report))
        self.assertEqual([], self.findings(report))
        self.assertIn("Works over IPv6, too: events.example-calls.com and portal.example-calls.com.",
                      report["sets"][0]["notes"])

    def test_is_not_asked_where_this_computer_has_none(self):
        for fault in ([], ["ipv6-elsewhere"]):
            with self.subTest(fault):
                report = self.report(fault)
                self.assertEqual({("skipped", "no_route")},
                                 {seen[1:] for seen in self.service(report)})
                self.assertEqual([], self.findings(report))

    def test_is_dead_for_this_service_alone(self):
        for _ in range(RUNS):
            report = self.report(["ipv6-vendor-dead"])
            self.assertEqual([("events", "connected", "ipv4_first"),
                              ("portal", "connected", "ipv4_first")], self.service(report))
            self.assertEqual([("network.ipv6_vendor_dead", "likely", "provider")],
                             self.findings(report))
            self.assertEqual("ready", report["sets"][0]["verdict"], "IPv4 works: it is advice")

    def test_is_everybodys_where_ipv6_is_broken(self):
        report = self.report(["ipv6-broken"])
        self.assertEqual([("network.ipv6_broken", "certain", "network")], self.findings(report))

    def test_is_broken_where_large_packets_vanish(self):
        """Connections stand, so browsers keep to IPv6, and then nothing comes."""
        with Site(["ipv6"]) as site:
            for rule in ("add table ip6 narrow",
                         "add chain ip6 narrow pass { type filter hook forward priority 0; }",
                         "add rule ip6 narrow pass meta length > 500 drop"):
                done = site.run(["nft", rule], router="router")
                self.assertEqual((0, ""), (done.exit, done.stderr))
            done = site.run([CALLREADY, "check", "--set", SET, "--json"])
        report = json.loads(done.stdout)
        self.assertEqual([("network.ipv6_broken", "likely", "network")], self.findings(report))
        self.assertIn("packet too big", report["findings"][0]["fix"])
        self.assertEqual("ready", report["sets"][0]["verdict"], "IPv4 works: it is advice")

    def test_is_only_translated_behind_nat64(self):
        """Both names get an address of the translator's, and the report says so."""
        report = self.report(["ipv6-only"])
        self.assertEqual([], self.findings(report))
        notes, = [n for n in report["sets"][0]["notes"] if "IPv6" in n]
        self.assertIn("only because this network translates (NAT64): ", notes)


if __name__ == "__main__":
    unittest.main()
