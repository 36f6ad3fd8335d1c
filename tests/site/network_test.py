"""Paths as companies have them: VPNs, lines that take less than Ethernet, IPv6 that works halfway."""

import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest
from .names import HERE
from .tools import Missing, beside, tool

SET = os.path.join(HERE, "corporate.yaml")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class NetworkTest(SiteTest):
    def check(self, site, *options):
        done = site.run([CALLREADY, "check", "example", "--set", SET, "--json", *options])
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return done.exit, json.loads(done.stdout)

    def report(self, faults, *options):
        with Site(faults=faults) as site:
            return self.check(site, *options)

    def findings(self, report):
        return sorted(f"{f['code']} {f['confidence']} {f['owner']}" for f in report["findings"])

    def probe(self, report, name):
        return next(p for p in report["probes"] if p["id"] == name)

    def detail(self, report, name):
        return self.probe(report, name)["detail"]


@unittest.skipUnless(os.access("/dev/net/tun", os.R_OK | os.W_OK) and os.geteuid() == 0,
                     "a tunnel interface needs root and /dev/net/tun")
class Vpn(NetworkTest):
    def test_a_full_tunnel(self):
        with Site(faults=["vpn-full-tunnel"]) as site:
            status, report = self.check(site)
            self.assertEqual(["network.vpn_full_tunnel certain vpn"], self.findings(report))
            self.assertEqual(0, status, "it works, at a price")
            finding = report["findings"][0]
            self.assertIn("tun0", finding["title"])
            self.assertIn("Route 185.199.40.0/22 past the VPN", finding["fix"])
            ways = {w["interface"]: w for w in report["site"]["ways"]}
            self.assertEqual({"tun0", "eth0"}, set(ways) | {"eth0"})
            self.assertTrue(ways["tun0"]["tunnel"] and ways["tun0"]["default_route"])
            self.assertIn("turn1.example-calls.com", ways["tun0"]["hosts"])
            # The other way is worth a look: bound to the interface, without its default route.
            _, report = self.check(site, "--interface", "tun0", "--interface", "eth0", "--only",
                                   "sip-tls")
            over = {p["vantage"]: p["outcome"] for p in report["probes"] if p["check"] == "sip"}
            self.assertEqual("answered", over["tun0"])
            self.assertIn("eth0", over)

    def test_a_vpn_with_a_carriers_addresses_is_no_carrier(self):
        with Site(faults=["vpn-overlay"]) as site:
            _, report = self.check(site)
            self.assertEqual(["network.vpn_full_tunnel certain vpn"], self.findings(report))
            done = site.run([CALLREADY, "check", "cloudoe", "--json"])
        translations = [e for p in json.loads(done.stdout)["probes"] for e in p["evidence"]
                        if e["kind"] == "nat_translations"]
        self.assertTrue(translations)
        self.assertNotIn("carrier", {e["value"] for e in translations}, translations)
        self.assertNotIn("nat.carrier_grade", [f["code"] for f in json.loads(done.stdout)["findings"]])

    def test_both_ways_are_compared(self):
        """As VPN clients do that leave the default route alone and cover it with two halves."""
        with Site(faults=["vpn-split=0.0.0.0/1,128.0.0.0/1"]) as site:
            _, report = self.check(site)
            self.assertEqual(["network.vpn_full_tunnel certain vpn"], self.findings(report))
            self.assertIn("--interface eth0 --interface tun0", report["findings"][0]["fix"])
            status, report = self.check(site, "--interface", "eth0", "--interface", "tun0")
            self.assertEqual(0, status)
            for interface, address in (("eth0", "10.20.0.23"), ("tun0", "10.8.0.2")):
                over = [p for p in report["probes"] if p["vantage"] == interface
                        and not p["control"] and p["check"] != "dns"]  # the LAN's own resolver
                self.assertEqual({"answered"}, {p["outcome"] for p in over})
                self.assertEqual({address}, {p["local"]["address"] for p in over})
                self.assertEqual(6, len(over), "each of the set's rows")
            done = site.run([CALLREADY, "check", "example", "--set", SET, "--verbose", "--only",
                             "sip-tls", "--interface", "eth0", "--interface", "tun0"])
            for interface in ("eth0", "tun0"):
                self.assertRegex(done.stdout, f"{interface} +Example", "what each saw")
            # Each has routers of its own, at a distance of its own.
            done = site.run([CALLREADY, "check", "rainbow", "--json", "--interface", "eth0",
                             "--interface", "tun0"])
            ranges = {p["vantage"]: p["outcome"] for p in json.loads(done.stdout)["probes"]
                      if p["check"] == "udp-range"}
            self.assertEqual({"eth0": "passed", "tun0": "passed"}, ranges)

    def test_a_tunnel_for_the_service_alone(self):
        _, report = self.report(["vpn-split=185.199.40.0/24"])
        self.assertEqual(["network.vpn_full_tunnel certain vpn"], self.findings(report))
        self.assertIn("the service's traffic", report["findings"][0]["title"])

    def test_a_split_tunnel_is_well(self):
        status, report = self.report(["vpn-split=172.16.0.0/12"])
        self.assertEqual((0, []), (status, self.findings(report)))


# A second adapter in the same LAN, by the name of a Wi-Fi's, while a command runs.
WITH_ANOTHER = """ip link add wl0 link eth0 type macvlan mode bridge
ip address add 10.20.0.24/24 dev wl0
ip link set wl0 up
ip route add default via 10.20.0.1 dev wl0 metric 600
"$@"
ip link del wl0"""
NO_UDP_FROM_IT = """nft -f - <<END
table ip second {
chain from_it {
type filter hook forward priority -5
ip saddr 10.20.0.24 udp dport != 53 drop
}
}
END"""


class TwoAdapters(NetworkTest):
    def test_each_has_its_own_verdict_and_causes(self):
        both = ("--interface", "eth0", "--interface", "wl0")
        with Site() as site:
            self.assertEqual(0, site.run(["sh", "-c", NO_UDP_FROM_IT], router="firewall").exit)
            done, events = (
                site.run(["sh", "-c", WITH_ANOTHER, "sh", CALLREADY, "check", "rainbow", "--json",
                          *both, *options], privileged=True) for options in ((), ("--follow",)))
        report = json.loads(done.stdout)
        self.assertEqual(["firewall.udp_blocked certain network"], self.findings(report))
        self.assertEqual(["wl0"], report["findings"][0]["seen_from"])
        verdicts = {one["name"]: one["sets"][0]["verdict"] for one in report["vantages"]}
        self.assertEqual("ready", verdicts["eth0"])
        self.assertNotEqual("ready", verdicts["wl0"])
        lines = [json.loads(line) for line in events.stdout.splitlines()]
        self.assertEqual(1, [line["event"] for line in lines].count("started"))
        probes = [line for line in lines if line["event"] == "probe"]
        self.assertEqual({"eth0", "wl0"}, {line["probe"]["vantage"] for line in probes})
        self.assertEqual(list(range(1, len(probes) + 1)), [line["done"] for line in probes])


class Mtu(NetworkTest):
    def test_a_black_hole(self):
        _, report = self.report(["mtu-black-hole=1400"])
        self.assertEqual(["network.mtu certain lan"], self.findings(report))
        self.assertIn("1400", report["findings"][0]["title"])
        self.assertIn("1360 bytes", report["findings"][0]["fix"])
        self.assertEqual("black_hole", self.detail(report, "path/tls/www.google.com:443"))

    def test_a_small_line_that_says_so_is_well(self):
        status, report = self.report(["small-mtu=1400"])
        self.assertEqual((0, []), (status, self.findings(report)))
        self.assertEqual("path_mtu", self.detail(report, "path/udp/stun.cloudflare.com:3478"))
        self.assertEqual("full_size", self.detail(report, "path/tls/www.google.com:443"))


class Ipv6(NetworkTest):
    def test_missing_is_no_fault(self):
        _, report = self.report([])
        self.assertEqual([], self.findings(report))
        self.assertEqual("ipv4_only", self.detail(report, "ipv6/tcp/www.google.com:443"))
        status, report = self.report(["ipv6-elsewhere"])
        self.assertEqual((0, []), (status, self.findings(report)))
        self.assertTrue(any("has no IPv6 here" in note for note in report["notes"]), report["notes"])

    def test_both_work(self):
        with Site(faults=["ipv6"]) as site:
            status, report = self.check(site)
            self.assertEqual((0, []), (status, self.findings(report)))
            both = self.probe(report, "ipv6/tcp/www.google.com:443")
            self.assertEqual("ipv6_first", both["detail"])
            # The service by IPv6 alone, as far as it has it.
            _, report = self.check(site, "-6", "--only", "portal", "--only", "events")
            for name in ("http/tls/portal.example-calls.com:443",
                         "http/tls/events.example-calls.com:443?path=/ws&upgrade=websocket"):
                seen = self.probe(report, name)
                self.assertEqual("answered", seen["outcome"], seen)
                self.assertIn(":", seen["target"]["address"])
            _, report = self.check(site, "-6", "--only", "sip-tls")
            self.assertEqual("no_address", self.detail(report, "sip/tls/sip.example-calls.com:5061"))

    def test_broken(self):
        status, report = self.report(["ipv6-broken"])
        self.assertEqual(["network.ipv6_broken certain network"], self.findings(report))
        self.assertEqual(0, status, "a warning, and no failure of the service")
        self.assertEqual("ipv4_first", self.detail(report, "ipv6/tcp/www.google.com:443"))

    def test_an_ipv6_only_network_with_nat64(self):
        try:
            tool("tayga")
        except Missing as missing:
            self.skipTest(str(missing))
        if os.geteuid() != 0:
            self.skipTest("a translator needs root and /dev/net/tun")
        status, report = self.report(["ipv6-only"])
        self.assertEqual((0, []), (status, self.findings(report)), report["notes"])
        self.assertTrue(any("64:ff9b::/96" in note for note in report["notes"]), report["notes"])
        portal = self.probe(report, "http/tls/portal.example-calls.com:443")
        self.assertTrue(portal["target"]["address"].startswith("64:ff9b::"))


class Names(NetworkTest):
    def test_a_resolver_on_the_link(self):
        """resolv.conf names it together with the interface (RFC 4007 section 11)."""
        command = """
            own=$(ip -6 -o address show dev eth0 scope link | sed 's/.*inet6 //; s,/.*,,')%eth0
            /usr/bin/python3 "$1" "$own" 10.20.0.1 0 >/dev/null 2>&1 &
            echo "nameserver $own" >/etc/resolv.conf
            until getent ahosts portal.example-calls.com >/dev/null; do sleep 0.1; done
            exec "$2" check example --set "$3" --skip names-tcp --json"""
        with Site(faults=["ipv6"]) as site:
            done = site.run(["sh", "-c", command, "sh", beside("late_dns.py"), CALLREADY, SET],
                            privileged=True)
        report = json.loads(done.stdout)
        self.assertEqual((0, []), (done.exit, self.findings(report)))
        resolver, = report["site"]["resolvers"]
        self.assertRegex(resolver, "^fe80::")
        asked = [p for p in report["probes"] if p["id"].startswith("dns/udp?")]
        self.assertEqual({"answered"}, {p["outcome"] for p in asked})

    def test_servers_that_answer_late(self):
        """They are silent until the run asks whether it is the names or the line."""
        silent = """
            table ip late {
              set asked { type ipv4_addr; }
              chain first { type filter hook prerouting priority -300;
                ip daddr 9.9.9.9 tcp dport 443 add @asked { ip saddr };
                ip saddr != @asked th dport 53 drop; }
            }"""
        with Site(sets=["rainbow"]) as site:
            done = site.run(["sh", "-c", 'echo "$1" | nft -f -', "sh", silent], router="router")
            self.assertEqual((0, ""), (done.exit, done.stderr))
            done = site.run([CALLREADY, "check", "rainbow", "--json"])
        report = json.loads(done.stdout)
        self.assertEqual(["network.interrupted likely lan"], self.findings(report))
        self.assertEqual((0, {"ready"}), (done.exit, {s["verdict"] for s in report["sets"]}))

    def test_a_split_horizon_is_no_fault(self):
        """The company's own view of a name: an inside address that answers."""
        status, report = self.report(["split-horizon=sip.example-calls.com"])
        self.assertEqual((0, []), (status, self.findings(report)))
        sip = self.probe(report, "sip/tls/sip.example-calls.com:5061")
        self.assertTrue(sip["target"]["address"].startswith("10."))

    def test_resolvers_are_compared(self):
        _, report = self.report(["dns-first-denies=example-calls.com"])
        self.assertEqual(["dns.filtered certain dns"], self.findings(report))
        words = " ".join(e["text"] for e in report["findings"][0]["evidence"])
        self.assertIn("10.20.0.3", words, "the one that denies")

    def test_dns_over_tcp(self):
        _, report = self.report([], "--only", "names-tcp")
        names = self.probe(report, "dns/tcp/portal.example-calls.com:53")
        self.assertEqual("answered", names["outcome"])
        # The names with long answers are lost, and only those.
        for faults in (["dns-no-tcp", "dns-tcp-only=example-calls.com"],
                       ["dns-tcp-dropped", "dns-tcp-only=example-calls.com"]):
            _, report = self.report(faults)
            self.assertEqual(["dns.unreachable certain dns"], self.findings(report), faults)
            finding, = report["findings"]
            self.assertIn("over UDP only", finding["title"])
            words = " ".join(e["text"] for e in finding["evidence"])
            self.assertIn("portal.example-calls.com", words)
            self.assertEqual("answered", self.probe(report, "tls/tls/www.google.com:443")["outcome"])

    def test_a_clock_is_told_from_a_certificate(self):
        _, report = self.report(["clock=5184000"])
        self.assertEqual(["time.skewed certain helpdesk"], self.findings(report))
        _, report = self.report(["certificate=expired:example-calls.com"])
        self.assertEqual(["tls.expired certain helpdesk"], self.findings(report))


if __name__ == "__main__":
    unittest.main()
