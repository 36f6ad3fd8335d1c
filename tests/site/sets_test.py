"""Each vendor's set on the private site: ready where nothing is wrong, and degraded by its own
fallbacks where what it wants is closed."""

import json
import os
import unittest

from .check_test import CALLREADY, check, not_reached, rows, verdicts
from .harness import Site, SiteTest
from .names import ROOT

SERVICE_TAGS = os.path.join(ROOT, "tests", "targets", "service_tags.json")

# What a customer has to say, by hosts of the site.
SETS = {
    "cloudoe": [],
    "itracks": ["--service-tags", SERVICE_TAGS],
    "librestream": [],
    "quicklink": [],
    "rainbow": [],
    "webex": [],
}
OWN = {
    "onsight, own SIP server": ["librestream", "--scenario", "own-sip", "--var",
                                "sip_server=sip.example.com", "--var",
                                "media_server=media.example.com"],
    "onsight, TeamLink": ["librestream", "--scenario", "onsight-sip-teamlink"],
    "rainbow hub": ["rainbow", "--scenario", "hub"],
    "webex room device": ["webex", "--scenario", "room-device"],
    "cloudoe, Yealink": ["cloudoe", "--scenario", "yealink"],
    "cloudoe, Unity": ["cloudoe", "--scenario", "unity"],
}

MY_PBX = """schema: callready.targets/1
id: my-pbx
title: Our PBX
vendor: Ourselves
document: The telephone list
verified: 2026-11-20
capabilities: [{ id: calls, title: Calls, needs: [sip] }]
requirements:
  - { id: sip, title: SIP, source: page 1, check: sip, transport: [udp, tcp], ports: [5060],
      hosts: [sip.example-calls.com] }
"""


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class CleanSite(SiteTest):
    def assert_ready(self, site, name, *arguments):
        status, report = check(site, *arguments)
        self.assertEqual({"ready"}, set(verdicts(report).values()),
                         (name, verdicts(report), not_reached(report)))
        self.assertEqual(0, status, name)
        self.assertEqual([], report["findings"], name)
        return report

    def test_every_set_is_ready(self):
        with Site() as site:
            for name, arguments in SETS.items():
                with self.subTest(name):
                    report = self.assert_ready(site, name, name, *arguments)
                    hosts = {p["target"].get("address") for p in report["probes"]
                             if not (p["target"].get("address") or "10.").startswith("10.")}
                    self.assertLessEqual(len(hosts), 24)

    def test_every_set_is_ready_with_all_of_it(self):
        with Site() as site:
            for name, arguments in SETS.items():
                with self.subTest(name):
                    report = self.assert_ready(site, name, name, *arguments, "--all", "--pace",
                                               "fast", "--timeout", "60")
                    self.assertTrue(report["complete"])

    def test_other_ways_to_use_them_are_ready_with_what_is_the_customers(self):
        with Site() as site:
            for name, arguments in OWN.items():
                with self.subTest(name):
                    self.assert_ready(site, name, *arguments)

    def test_the_nearest_are_looked_for_everywhere(self):
        with Site() as site:
            _, report = check(site, "rainbow")
        turn = rows(report, "rainbow")["turn-udp"]
        regions = {p["region"] for p in report["probes"]
                   if p["check"] == "turn" and p["outcome"] == "answered"}
        self.assertGreaterEqual(len(regions), 7, "each part of the world")
        self.assertIn("in all parts of the world, and more in the nearest", turn["sampled"])
        self.assertRegex(turn["summary"], r"^nearest: turn-\w+\.\S+, turn-\w+")

    def test_a_set_of_ones_own_beside_a_vendors(self):
        file = os.path.join("/tmp", f"callready-my-pbx-{os.getpid()}.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(MY_PBX)
        self.addCleanup(os.unlink, file)
        with Site() as site:
            report = self.assert_ready(site, "both", "rainbow", "my-pbx", "--set", file)
        self.assertEqual(["rainbow", "my-pbx"], [one["id"] for one in report["sets"]])

    def test_all_says_truthfully_how_much_it_sends(self):
        count = ("nft add table ip count; nft add set ip count seen "
                 "'{ type ipv4_addr; size 65535; flags dynamic; }'; "
                 "nft add chain ip count out '{ type filter hook output priority 0; }'; "
                 "nft add rule ip count out ip daddr != 10.20.0.0/16 ip daddr != 127.0.0.0/8 "
                 "counter update @seen '{ ip daddr }'; ")
        with Site() as site:
            done = site.run(["sh", "-c", count + f"{CALLREADY} check quicklink webex --all --pace "
                             "fast --json > /dev/null; nft -j list table ip count"],
                            privileged=True)
        announced = done.stderr.split()
        self.assertTrue(done.stderr.startswith("callready: --all: "), done.stderr)
        number = lambda after: int(announced[announced.index(after) - 1].replace(",", ""))
        packets, addresses = None, None
        for entry in json.loads(done.stdout)["nftables"]:
            if "rule" in entry:
                packets = next(e["counter"]["packets"] for e in entry["rule"]["expr"]
                               if "counter" in e)
            if "set" in entry:
                addresses = len(entry["set"].get("elem", []))
        # Names may share an address; nothing else is met.
        self.assertLessEqual(addresses, number("hosts"))
        self.assertGreaterEqual(addresses, 0.8 * number("hosts"))
        self.assertLessEqual(packets, 1.5 * number("packets,"))
        self.assertGreaterEqual(packets, 0.6 * number("packets,"))


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Fallbacks(SiteTest):
    """What each document has in place of its first choice shows as degraded."""

    def degraded(self, capability, by, faults, *arguments):
        with Site(faults=faults) as site:
            _, report = check(site, *arguments)
        name, short = capability.split("/")
        found = next(c for s in report["sets"] if s["id"] == name for c in s["capabilities"]
                     if c["id"] == short)
        self.assertEqual("degraded", found["verdict"], (found, not_reached(report)))
        self.assertIn(by, found["summary"])
        return report

    def test_rainbow_media_by_tls(self):
        self.degraded("rainbow/media", "TURN servers over TLS", ["udp-3478-blocked"], "rainbow")

    def test_rainbow_media_by_tcp_80(self):
        self.degraded("rainbow/media", "TURN servers over TCP", ["udp-3478-blocked", "tls-reset"],
                      "rainbow")

    def test_rainbow_media_through_the_proxy(self):
        with Site(faults=["web-only-proxy"]) as site:
            done = site.run(["sh", "-c", f'{CALLREADY} check rainbow --json --proxy '
                             '"$CALLREADY_SITE_PROXY"'], timeout=90)
        found = verdicts(json.loads(done.stdout))
        self.assertEqual("degraded", found["rainbow/media"], done.stderr)
        self.assertEqual("ready", found["rainbow/sign-in"])

    def test_webex_media_by_tcp_5004(self):
        report = self.degraded("webex/media", "Webex media over TCP", ["udp-blocked"], "webex")
        asked = [p for p in report["probes"] if p["check"] == "hop" and not p.get("control")]
        self.assertTrue(all(p["target"]["transport"] == "tcp" for p in asked))

    def test_webex_media_by_tls_443(self):
        self.degraded("webex/media", "Webex media over TLS",
                      ["udp-blocked", "tcp-ports-blocked=5004"], "webex")

    def test_onsight_firewall_detect_chooses_teamlink(self):
        self.degraded("librestream/calls-or-teamlink", "TeamLink, HTTPS",
                      ["tcp-ports-blocked=5060,5061", "udp-blocked"], "librestream", "--scenario",
                      "onsight-sip-teamlink")

    def test_cloudoe_by_alternate_ports(self):
        self.degraded("cloudoe/sip-registration", "alternate ports",
                      ["tcp-ports-blocked=5060,5061", "udp-ports-blocked=5060"], "cloudoe")

    def test_quicklink_media_by_turn(self):
        self.degraded("quicklink/media", "TURN over UDP", ["udp-ports-blocked=10000-20000"],
                      "quicklink")

    def test_itracks_media_by_tcp(self):
        self.degraded("itracks/media", "TCP 3478", ["udp-blocked"], "itracks", "--service-tags",
                      SERVICE_TAGS)


if __name__ == "__main__":
    unittest.main()
