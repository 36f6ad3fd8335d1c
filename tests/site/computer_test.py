"""What this computer does to itself: its own firewall, its hosts file, its search domains; and what
the network asks of its browsers."""

import json
import os

import unittest

from .harness import CALLREADY, ExampleSite, Site, SiteTest
from .names import HERE


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class ComputerTest(SiteTest):
    def report(self, faults, name):
        with Site(faults=faults, sets=[name]) as site:
            done = site.run([CALLREADY, "check", name, "--json"])
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return json.loads(done.stdout)

    def findings(self, report):
        return sorted(f"{f['code']} {f['confidence']} {f['owner']}" for f in report["findings"])


class OwnFirewall(ComputerTest):
    def expect(self, fault, name, ports):
        report = self.report([fault], name)
        self.assertEqual(["computer.firewall certain helpdesk"], self.findings(report), fault)
        self.assertIn(ports, report["findings"][0]["title"])
        return report

    def test_udp_however_it_says_no(self):
        for fault in ("pc-drops", "pc-rejects", "pc-prohibits"):
            with self.subTest(fault):
                report = self.expect(fault, "rainbow", "UDP 49152-65535")
                media = [p for p in report["probes"] if p["check"] == "udp-range"]
                self.assertEqual({("rejected", "kept_here")},
                                 {(p["outcome"], p["detail"]) for p in media})
        self.expect("pc-drops=udp:3478", "rainbow", "UDP 3478")

    def test_a_part_of_a_range(self):
        report = self.expect("pc-rejects=udp:50000-65535", "cloudoe", "UDP 5")
        self.assertIn("partly_kept_here", {p["detail"] for p in report["probes"]})

    def test_tcp_which_connect_does_not_say(self):
        """A SYN that is dropped in the PC's own output chain is as silent as one that is lost."""
        for fault in ("pc-drops=tcp:5061", "pc-rejects=tcp:5061", "pc-prohibits=tcp:5061"):
            with self.subTest(fault):
                self.expect(fault, "cloudoe", "TCP 5061")

    def test_https_too(self):
        self.expect("pc-drops=tcp:443", "rainbow", "TCP 443")

    def test_tcp_with_a_reset(self):
        """It looks like the first router's; but a SYN that cannot leave is reset as well."""
        self.expect("pc-resets", "cloudoe", "TCP 5061")

    def test_the_networks_own_rules_stay_its_own(self):
        for fault, code in (("rst-tcp-5061", "firewall.tcp_port_blocked"),
                            ("tcp-5061-blocked", "firewall.tcp_port_blocked"),
                            ("udp-ports-rejected", "firewall.udp_range_blocked")):
            with self.subTest(fault):
                report = self.report([fault], "cloudoe")
                self.assertEqual([code], [f["code"] for f in report["findings"]])

    def test_a_gateway_that_does_not_answer_is_no_firewall(self):
        """The system tells itself "host unreachable", in its own name."""
        report = self.report(["gateway-silent"], "rainbow")
        self.assertNotIn("computer.firewall", [f["code"] for f in report["findings"]])


class Agent(ComputerTest):
    def test_a_program_that_takes_tcp(self):
        for name in ("rainbow", "cloudoe"):
            with self.subTest(name):
                report = self.report(["agent-takes-tcp"], name)
                self.assertEqual(["computer.agent certain helpdesk"], self.findings(report))

    def test_a_device_that_takes_tcp_is_none(self):
        report = self.report(["tcp-accepted"], "rainbow")
        self.assertNotIn("computer.agent", [f["code"] for f in report["findings"]])


class BrowserPolicy(ComputerTest):
    def test_one_that_forbids_udp(self):
        report = self.report(["browser-policy"], "rainbow")
        self.assertEqual(["computer.browser_policy likely helpdesk"], self.findings(report))
        self.assertEqual({"degraded"}, {one["verdict"] for one in report["sets"]})
        self.assertEqual(["WebRtcIPHandling"],
                         [policy["name"] for policy in report["site"]["browser_policies"]])

    def test_one_that_forbids_nothing_is_a_fact(self):
        report = self.report(["browser-policy=QuicAllowed:false"], "rainbow")
        self.assertEqual([], report["findings"])
        self.assertEqual(1, len(report["site"]["browser_policies"]))


class ExampleTest(ComputerTest):
    SET = os.path.join(HERE, "findings.yaml")

    def check(self, faults):
        with ExampleSite(faults) as site:
            done = site.run([CALLREADY, "check", "example", "--set", self.SET, "--json"])
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return json.loads(done.stdout)


class HostsFile(ExampleTest):
    def test_it_is_named_and_not_the_dns_server(self):
        for address in ("127.0.0.1", "10.66.66.66"):
            with self.subTest(address):
                report = self.check([f"hosts-file=portal.example-calls.com:{address}"])
                self.assertEqual(["computer.hosts_file certain helpdesk"], self.findings(report))
                self.assertIn("portal.example-calls.com", report["findings"][0]["title"])

    def test_a_right_entry_is_no_fault(self):
        with ExampleSite() as site:
            right = json.loads(site.run(["python3", "-c", "import json, socket; print(json.dumps("
                                         "socket.gethostbyname('portal.example-calls.com')))"]).stdout)
        self.assertEqual([], self.findings(self.check(
            [f"hosts-file=portal.example-calls.com:{right}"])))

    def test_what_dns_says_stays_the_dns_servers(self):
        report = self.check(["dns-rewritten=portal.example-calls.com"])
        self.assertEqual(["dns.rewritten certain dns"], self.findings(report))


class SearchDomain(ExampleTest):
    def test_where_completed_names_lead_is_told(self):
        name = "portal.example-calls.com"
        report = self.check([f"dns-nxdomain={name}", "search-wildcard"])
        self.assertEqual(["dns.filtered certain dns"], self.findings(report))
        told = [e["text"] for e in report["findings"][0]["evidence"] if "search domain" in e["text"]]
        self.assertEqual(1, len(told), report["findings"])
        self.assertIn(f"{name}.corp.example.net is at 10.66.66.66", told[0])

    def test_it_is_not_asked_where_names_exist(self):
        report = self.check(["search-wildcard"])
        self.assertEqual([], self.findings(report))
        self.assertNotIn("corp.example.net", json.dumps(report["probes"]))


class Canary(ExampleTest):
    def notes(self, *faults):
        report = self.check(faults)
        self.assertEqual([], self.findings(report))
        return [note for note in report["notes"] if "Firefox" in note]

    def test_the_networks_wish_is_a_note(self):
        told, = self.notes("doh-canary")
        self.assertIn("DNS over HTTPS", told)

    def test_there_is_none_on_a_clean_site(self):
        self.assertEqual([], self.notes())


if __name__ == "__main__":
    unittest.main()
