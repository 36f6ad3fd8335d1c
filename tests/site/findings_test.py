"""Each fault gives exactly the findings that name it, and a clean site gives none."""

import json
import os
import unittest

from .harness import Site, SiteTest
from .names import HERE

CALLREADY = os.environ.get("CALLREADY")
SET = os.path.join(HERE, "findings.yaml")


@unittest.skipUnless(CALLREADY, "CALLREADY does not name the program")
class Findings(SiteTest):
    def report(self, faults, *options):
        with Site(faults=faults) as site:
            done = site.run([CALLREADY, "check", "example", "--set", SET, "--json", "--quiet",
                             *options])
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return json.loads(done.stdout)

    def expect(self, faults, *findings, options=()):
        report = self.report(faults, *options)
        found = [f"{f['code']} {f['confidence']}" for f in report["findings"]]
        self.assertEqual(sorted(findings), sorted(found), faults)
        for finding in report["findings"]:
            self.assertTrue(finding["fix"] and finding["evidence"], finding["code"])
        return report

    def test_clean_sites(self):
        for faults in ([], ["full-cone"], ["no-nat"], ["carrier-nat"], ["dns-local-only"],
                       ["dscp-cleared"], ["ntp-down"]):
            with self.subTest(faults):
                self.expect(faults)

    def test_udp(self):
        self.expect(["udp-blocked"], "firewall.udp_blocked certain")
        self.expect(["reject-udp"], "firewall.udp_blocked certain")
        self.expect(["udp-3478-blocked"], "firewall.udp_port_blocked likely")
        self.expect(["sip-udp-blocked"], "firewall.udp_port_blocked likely")
        self.expect(["udp-high-blocked"], "firewall.udp_range_blocked likely")

    def test_tcp(self):
        self.expect(["tcp-5061-blocked"], "firewall.tcp_port_blocked certain")
        self.expect(["rst-tcp-5061"], "firewall.tcp_port_blocked certain")
        self.expect(["only-web"], "firewall.web_only certain")

    def test_destinations(self):
        report = self.expect(["host-blocked=turn1.example-calls.com"],
                             "firewall.destination_blocked certain")
        self.assertIn("turn1.example-calls.com", report["findings"][0]["title"])
        self.assertNotIn("turn2.example-calls.com", report["findings"][0]["title"])

    def test_inspection(self):
        self.expect(["stun-inspected"], "firewall.stun_filtered certain")
        self.expect(["sip-inspected"], "firewall.sip_filtered certain")
        self.expect(["tls-reset"], "firewall.tls_filtered certain")
        self.expect(["tls-intercept"], "tls.intercepted certain")
        self.expect(["tls-intercept-unknown"], "tls.intercepted certain")

    def test_names(self):
        self.expect(["dns-nxdomain"], "dns.filtered certain")
        self.expect(["dns-policy"], "dns.filtered certain")
        self.expect(["dns-rewritten"], "dns.rewritten certain")
        self.expect(["dns-dead"], "dns.unreachable certain")

    def test_whole_site(self):
        self.expect(["offline"], "network.offline certain")
        self.expect(["captive-portal"], "network.captive_portal certain")
        self.expect(["clock"], "time.skewed certain")

    def test_addresses(self):
        self.expect(["symmetric-nat"], "nat.symmetric certain")
        self.expect(["sip-alg"], "sip.alg certain")

    def test_far_end(self):
        self.expect(["turn-down"], "vendor.down likely")
        self.expect(["vendor-5xx"], "vendor.down certain")
        self.expect(["sip-5xx"], "sip.server_error certain")
        for kind, code in (("expired", "tls.expired certain"),
                           ("wrong-name", "tls.wrong_name certain"),
                           ("untrusted", "tls.untrusted likely"),
                           ("incomplete", "tls.incomplete_chain certain")):
            with self.subTest(kind):
                self.expect([f"certificate={kind}:example-calls.com"], code)

    def test_two_at_once(self):
        self.expect(["udp-3478-blocked", "certificate=expired:example-phones.net"],
                    "firewall.udp_port_blocked likely", "tls.expired certain")


if __name__ == "__main__":
    unittest.main()
