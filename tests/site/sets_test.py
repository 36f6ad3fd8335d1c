"""Each vendor's set on the private site: ready where nothing is wrong, and degraded by its own
fallbacks where what it wants is closed."""

import concurrent.futures
import json
import os
import tempfile
import unittest

import yaml

from .check_test import CALLREADY, check, not_reached, rows, verdicts
from .harness import Site, SiteTest
from .names import ROOT

AT_ONCE = 4
PROXY = "through the site's proxy"
SERVICE_TAGS = os.path.join(ROOT, "tests", "targets", "service_tags.json")

# What a customer has to say, by hosts of the site.
SETS = {
    "cloudoe": [],
    "itracks": ["--service-tags", SERVICE_TAGS],
    "librestream": [],
    "quicklink": [],
    "rainbow": [],
    "webex-partner": [],
}
# The customer's own PBX, gateway and servers are hosts of the site.
VARIABLES = {
    ("rainbow", "hybrid"): {"pbx": "sip.example.com", "webrtc_gateway": "sip.example-calls.com",
                            "ntp_server": "time.google.com"},
    ("librestream", "own-sip"): {"sip_server": "sip.example.com",
                                 "media_server": "media.example.com"},
    ("librestream", "own-sip-teamlink"): {"sip_server": "sip.example.com",
                                          "media_server": "media.example.com"},
}

# Devices that are none of the others', and the scenario that they are for.
DEVICES = [
    ("rainbow", "collaboration", "mobile"), ("rainbow", "collaboration", "room-device"),
    ("rainbow", "hybrid", "gateway"), ("rainbow", "hybrid", "pbx"), ("rainbow", "hub", "phone"),
    ("webex-partner", "app", "mobile"), ("webex-partner", "room-device", "room-device"),
    ("webex-partner", "mesh-node", "mesh-node"), ("cloudoe", "calling", "phone"),
    ("cloudoe", "trunk", "pbx"), ("cloudoe", "yealink", "phone"),
    ("cloudoe", "gigaset", "phone"), ("cloudoe", "polycom", "phone"), ("cloudoe", "unity", "pc"),
]


def every_scenario():
    """(set, scenario) of all that the vendors' files have."""
    for name in sorted(SETS):
        with open(os.path.join(ROOT, "targets", "vendors", name + ".yaml"),
                  encoding="utf-8") as file:
            for scenario in yaml.safe_load(file)["scenarios"]:
                yield name, scenario["id"]


def arguments_of(name, scenario):
    given = VARIABLES.get((name, scenario), {})
    return [name, "--scenario", scenario, *SETS[name],
            *(word for item in given.items() for word in ("--var", "=".join(item)))]


def asked(arguments):
    """The sets whose servers these arguments ask for: of all, where hosts are named."""
    return [] if "--var" in arguments else arguments[:1]


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

    def assert_all_ready(self, runs, faults=()):
        """{name: arguments}, each on a site of its own: a router that has just answered a run has
        few ICMP errors left for the next."""
        def on_its_own_site(name):
            with Site(faults=faults, sets=asked(runs[name])) as site:
                return name, check(site, *runs[name])

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            done = dict(pool.map(on_its_own_site, runs))
        for name, (status, report) in done.items():
            with self.subTest(name):
                self.assertEqual({"ready"}, set(verdicts(report).values()),
                                 (verdicts(report), not_reached(report)))
                self.assertEqual([], report["findings"])
                self.assertTrue(report["complete"])
                self.assertEqual(0, status)
                self.assertTrue(any(row["reached"] for row in report["sets"][0]["requirements"]))
        return {name: report for name, (_, report) in done.items()}

    def test_every_scenario_is_ready(self):
        for name, report in self.assert_all_ready(
                {pair: arguments_of(*pair) for pair in every_scenario()}).items():
            hosts = {p["target"].get("address") for p in report["probes"]
                     if not (p["target"].get("address") or "10.").startswith("10.")}
            asked = [(p["id"], p.get("sent_at")) for p in report["probes"]]
            self.assertLessEqual(len(hosts), 24, (name, report["duration_ms"], asked))

    def test_every_scenario_is_ready_with_all_of_it(self):
        """Hundreds of ranges in a minute are more than a usual router says anything of."""
        self.assert_all_ready({pair: [*arguments_of(*pair), "--all", "--pace", "fast", "--timeout",
                                      "60"] for pair in every_scenario()}, ["patient-routers"])

    def test_every_kind_of_device_is_ready(self):
        self.assert_all_ready({(name, scenario, device):
                               [*arguments_of(name, scenario), "--from", device]
                               for name, scenario, device in DEVICES})

    def test_the_nearest_are_looked_for_everywhere(self):
        with Site() as site:
            _, report = check(site, "rainbow")
        turn = rows(report, "rainbow")["turn-udp"]
        regions = {p["region"] for p in report["probes"]
                   if p["check"] == "turn" and p["outcome"] == "answered"}
        self.assertGreaterEqual(len(regions), 7, "each part of the world")
        self.assertIn("in all parts of the world, with more of them in the nearest part", turn["sampled"])
        self.assertRegex(turn["summary"], r"^nearest: turn-\w+\.\S+, turn-\w+")

    def test_a_set_of_ones_own_beside_a_vendors(self):
        """By its file, and by its id from the user's configuration folder."""
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "callready", "targets"))
            file = os.path.join(folder, "callready", "targets", "my-pbx.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(MY_PBX)
            with Site() as site:
                report = self.assert_ready(site, "by file", "rainbow", "my-pbx", "--set", file)
                done = site.run([CALLREADY, "check", "quicklink", "my-pbx", "--json"],
                                env={"XDG_CONFIG_HOME": folder})
        self.assertEqual(["rainbow", "my-pbx"], [one["id"] for one in report["sets"]])
        self.assertEqual(0, done.exit, done.stderr)
        both = json.loads(done.stdout)
        self.assertEqual({"quicklink": "ready", "my-pbx": "ready"},
                         {one["id"]: one["verdict"] for one in both["sets"]})

    def test_all_says_truthfully_how_much_it_sends(self):
        count = ("nft add table ip count; nft add set ip count seen "
                 "'{ type ipv4_addr; size 65535; flags dynamic; }'; "
                 "nft add chain ip count out '{ type filter hook output priority 0; }'; "
                 "nft add rule ip count out ip daddr != 10.20.0.0/16 ip daddr != 127.0.0.0/8 "
                 "counter update @seen '{ ip daddr }'; ")
        with Site() as site:
            done = site.run(["sh", "-c", count + '"$0" check quicklink webex-partner --all '
                             "--pace fast --json > /dev/null; nft -j list table ip count", CALLREADY],
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


# What each document has in place of its first choice: (capability, what it works over then, what is
# broken, how it is asked for).
FALLBACKS = [
    ("rainbow/media", "TURN servers over TLS", ["udp-3478-blocked"], ["rainbow"]),
    ("rainbow/media", "TURN servers over TCP", ["udp-3478-blocked", "tls-reset"], ["rainbow"]),
    ("rainbow/media", "TURN servers over TLS", ["web-only-proxy"], ["rainbow", PROXY]),
    ("rainbow/conference", "TURN servers over UDP", ["udp-ports-blocked=49152-65535"], ["rainbow"]),
    ("rainbow/hub-softphone", "TURN servers over UDP", ["udp-ports-blocked=30000-44999"],
     ["rainbow", "--scenario", "hub"]),
    ("rainbow/hybrid-softphone", "TURN servers over TLS", ["udp-3478-blocked"],
     arguments_of("rainbow", "hybrid")),
    ("webex-partner/media", "Webex media over TCP", ["udp-blocked"], ["webex-partner"]),
    ("webex-partner/media", "Webex media over TLS", ["udp-blocked", "tcp-ports-blocked=5004"],
     ["webex-partner"]),
    ("librestream/calls-or-teamlink", "TeamLink, HTTPS",
     ["tcp-ports-blocked=5060,5061", "udp-blocked"],
     ["librestream", "--scenario", "onsight-sip-teamlink"]),
    ("librestream/own-calls-or-teamlink", "TeamLink, HTTPS", ["tcp-ports-blocked=5060,5061"],
     arguments_of("librestream", "own-sip-teamlink")),
    ("cloudoe/sip-registration", "alternate ports",
     ["tcp-ports-blocked=5060,5061", "udp-ports-blocked=5060"], ["cloudoe"]),
    ("quicklink/media", "TURN over UDP", ["udp-ports-blocked=10000-20000"], ["quicklink"]),
    ("itracks/media", "TCP 3478", ["udp-blocked"], ["itracks", *SETS["itracks"]]),
]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Fallbacks(SiteTest):
    def seen(self, case):
        _, _, faults, arguments = case
        command = [CALLREADY, "check", *(one for one in arguments if one != PROXY), "--json"]
        if PROXY in arguments:
            command = ["sh", "-c", '"$@" --proxy "$CALLREADY_SITE_PROXY"', "sh", *command]
        with Site(faults=faults, sets=asked(arguments)) as site:
            done = site.run(command, timeout=90)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def test_show_as_degraded(self):
        self.assertEqual(set(SETS), {case[0].split("/")[0] for case in FALLBACKS})
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            reports = list(pool.map(self.seen, FALLBACKS))
        for (capability, by, faults, arguments), report in zip(FALLBACKS, reports):
            with self.subTest(capability, faults=faults):
                name, short = capability.split("/")
                found = next(c for s in report["sets"] if s["id"] == name
                             for c in s["capabilities"] if c["id"] == short)
                self.assertEqual("degraded", found["verdict"], (found, not_reached(report)))
                self.assertIn(by, found["summary"])
                if PROXY in arguments:
                    self.assertEqual("ready", verdicts(report)["rainbow/sign-in"])
                # Networks without a listener get no more than what ends on the way.
                asked = [p for p in report["probes"] if p["check"] == "hop" and not p.get("control")]
                if name == "webex-partner":
                    self.assertEqual({"tcp"}, {p["target"]["transport"] for p in asked})

    def test_a_line_below_the_vendors_figures(self):
        """Rainbow wants voice to take 150 ms one way at most: here it takes 170."""
        with Site(delay_ms=170) as site:
            status, report = check(site, "rainbow", "--scenario", "hub")
        self.assertEqual(4, status, not_reached(report))
        found = verdicts(report)
        self.assertEqual({"rainbow/phone-media", "rainbow/hub-softphone"},
                         {name for name, verdict in found.items()
                          if verdict == "degraded" and "/" in name}, found)
        row = rows(report, "rainbow")["hub-phone-media"]
        self.assertEqual(("warn", True), (row["status"], row["poor"]))
        self.assertEqual([("media.delay", "provider")],
                         [(f["code"], f["owner"]) for f in report["findings"]])
        self.assertRegex(row["summary"], r"about (1[7-9]|[2-9]\d)\d ms one way .* at most 150 ms")


if __name__ == "__main__":
    unittest.main()
