"""The model of networks (tests/networks) against the private site: each probe's outcome and detail.

A fault of the site is written as boxes of the model. What the model foresees and what the program
saw must agree, except where they differ by chance or by design, which is listed with its reason.
Sites that confusion_test.py makes as well are compared there.
"""

import json
import os
import subprocess
import tempfile
import unittest

from . import confusion
from .check_test import CALLREADY, check
from .harness import ExampleSite, SiteTest
from .names import ROOT

NETWORKS = os.environ.get("NETWORKS",
                          os.path.join(ROOT, "build", "dev", "tests", "networks", "networks"))
SET = os.path.join(ROOT, "tests", "site", "findings.yaml")

# topology.py: the PC, the site's router with its NAT, the provider.
HEAD = f"ask {SET}\npc 10.20.0.23\n"
HOPS = "hop 10.20.0.1 inside\nhop 84.199.10.1\n"
LINE = "line after 1 delay 0.1 loss 0 0\ndns works 1 ms\n"
NAT = "box nat at 1 drop outside 84.199.10.2 mapping independent filtering address_and_port\n"
CLEAN = HEAD + HOPS + LINE + NAT
ALL_UDP = "match udp 1-52 match udp 54-65535"
VENDOR = ("portal.example-calls.com", "turn1.example-calls.com", "turn2.example-calls.com",
          "sip.example-calls.com")
NAMES = "".join(f" name {name}" for name in VENDOR)

# By fault (faults.py): the network.
NETWORKS_BY_FAULT = {
    "": CLEAN,
    "udp-blocked": CLEAN + f"box rule at 1 drop {ALL_UDP}\n",
    "reject-udp": CLEAN + f"box rule at 1 prohibit {ALL_UDP}\n",
    "udp-3478-blocked": CLEAN + "box rule at 1 drop match udp 3478\n",
    "sip-udp-blocked": CLEAN + "box rule at 1 drop match udp 5060\n",
    "udp-high-blocked": CLEAN + "box rule at 1 drop match udp 1024-3477 match udp 3479-5059 "
                                "match udp 5061-65535\n",
    "udp-ports-rejected": CLEAN + "box rule at 1 prohibit match udp 49152-65535\n",
    "unreachable-udp-3478": CLEAN + "box rule at 1 refuse match udp 3478\n",
    "hijacked-udp-3478": CLEAN + "box rule at 1 bridge forge match udp 3478\n",
    "tcp-5061-blocked": CLEAN + "box rule at 1 drop match tcp 5061\n",
    "rst-tcp-5061": CLEAN + "box rule at 1 refuse match tcp 5061\n",
    "tcp-ports-rejected": CLEAN + "box rule at 1 prohibit match tcp 5061\n",
    "udp-replies-dropped": CLEAN + f"box replies at 1 drop {ALL_UDP}\n",
    "host-blocked": CLEAN + "box rule at 1 drop match any 1-65535 to turn1.example-calls.com\n",
    "host-rejected": CLEAN + "box rule at 1 prohibit match any 1-65535 "
                             "to turn1.example-calls.com\n",
    "flow-blocked": CLEAN + "box rule at 1 drop match tcp 5061 to sip.example-calls.com\n",
    "only-web": CLEAN + "box rule at 1 except drop match tcp 80 match tcp 443\n",
    "web-only-proxy": CLEAN + "box rule at 1 except drop\n",
    "stun-inspected": CLEAN + "box protocol at 1 drop payload stun match udp 1-65535\n",
    "sip-inspected": CLEAN + "box protocol at 1 drop payload sip match any 1-65535\n",
    "sip-udp-inspected": CLEAN + "box protocol at 1 drop payload sip match udp 1-65535\n",
    "tls-dropped": CLEAN + "box protocol at 1 drop payload tls match tcp 443\n",
    "tls-reset": CLEAN + "box protocol at 1 refuse payload tls match tcp 443\n",
    "mtu-black-hole": CLEAN + "box mtu at 1 drop limit 1400\n",
    "symmetric-nat": CLEAN.replace("independent", "address_and_port"),
    "no-nat": HEAD.replace("10.20.0.23", "84.199.20.23") + HOPS.replace("10.20.0.1", "84.199.20.1")
              + LINE,
    "carrier-nat": HEAD + HOPS.replace("84.199.10.1", "100.72.10.1") + LINE
                   + NAT.replace("84.199.10.2", "100.72.10.2")
                   + NAT.replace("at 1", "at 2").replace("84.199.10.2", "62.4.8.1"),
    "double-nat": HEAD + HOPS.replace("84.199.10.1", "192.168.178.1 inside") + LINE
                  + NAT.replace("84.199.10.2", "192.168.178.2")
                  + NAT.replace("at 1", "at 2").replace("84.199.10.2", "62.4.8.1"),
    "sip-alg": CLEAN + "box sip_alg at 1 drop\n",
    "mute-hops": CLEAN.replace("84.199.10.1\n", "84.199.10.1 mute\n") + "mute_far\n",
    "dns-nxdomain": CLEAN.replace("works 1 ms", "no_such_name 1 ms" + NAMES),
    "dns-sinkhole": CLEAN.replace("works 1 ms", "sinkhole 1 ms" + NAMES),
    "dns-refused": CLEAN.replace("works 1 ms", "refused 1 ms" + NAMES),
    "captive-portal-silent": CLEAN + "box portal at 1 drop\nbox rule at 1 drop match udp 53\n",
    "tls-intercept-unknown": CLEAN + "box intercept at 1 drop match tcp 443\n",
    "media-loud": CLEAN + "media_answers\n",
    "sip-mute": CLEAN + "sip_ignores_strangers\n",
    "ipv6-broken": CLEAN + "ipv6 broken\n",
    "name-gone": CLEAN + "far portal.example-calls.com gone\n",
    # Turned away by the last router that speaks to anybody: what a climb hears beyond it.
    "provider-firewall udp-ports-rejected mute-routers=exchange":
        CLEAN.replace("84.199.10.1\n", "84.199.10.1\nhop 62.4.8.1 mute\n")
        + "box rule at 2 prohibit match udp 49152-65535\n",
}

# The same over a satellite. Not where a router refuses: its six refusals of a burst go to the first
# packets, whose answers come too late there, and who gets the next ones is chance.
SLOW_MS = 300
# Probes that the two have in common, at least: a question of the second round may be in one of them.
LEAST_SHARED = 30
SLOW_FAULTS = ("", "udp-blocked", "udp-high-blocked")

# What may differ: (fault or "*", a part of the probe's id, why).
BY_CHANCE = [
    ("*", "ipv6/", "the site's anchors have IPv6 addresses of their own accord"),
    ("*", "dns/udp/example.com", "the site's own example.com has no address"),
    ("*", "nat/", "the site's STUN servers have OTHER-ADDRESS, which the model's have not"),
    ("*", "nobody=true", "a host without DNS refuses in the site and is silent in the model"),
    ("*", ":5080", "the site's SIP servers listen there as well; few others do"),
    ("tls-dropped", ":80", "the site's portal listens there as well; in the model only hosts that a row asks do"),
    ("mtu-black-hole", "/tls/", "the site's certificates are small: the handshake fits"),
    ("reject-udp", "/udp/", "the router refuses six times in a burst: by chance to whom"),
    ("hijacked-udp-3478", "/udp/", "the same"),
    ("unreachable-udp-3478", "/udp/", "the same"),
    ("udp-ports-rejected", "/udp/", "the same"),
]


def foreseen(network):
    """The model's observations: {probe: (outcome, detail)}."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(network)
        file.flush()
        done = subprocess.run([NETWORKS, "--observe", file.name], capture_output=True, text=True,
                              check=True)
    return {one["id"]: (one["outcome"], one["detail"]) for one in json.loads(done.stdout)}


def differences(fault, model, report):
    """What the two do not agree on. Questions of a second round may differ: those that only one of
    them asked are left out."""
    shared = model.keys() & {probe["id"] for probe in report["probes"]}
    found = [] if len(shared) >= LEAST_SHARED else [f"{fault or 'clean'}: only {len(shared)} in both"]
    for probe in report["probes"]:
        seen = (probe["outcome"], probe["detail"])
        expected = model.get(probe["id"], seen)
        allowed = any(where in ("*", fault) and part in probe["id"]
                      for where, part, _ in BY_CHANCE)
        if seen != expected and not allowed:
            found.append(f"{fault or 'clean'}: {probe['id']}: the model says "
                         f"{' '.join(expected)}, the site {' '.join(seen)}")
    return found


def fault_of(case):
    """The fault of the model that a case of confusion.py is, if it is one."""
    fault = " ".join(case.faults)
    other = case.sets or case.line or case.options or case.credentials
    return None if other or fault not in NETWORKS_BY_FAULT else fault


def compared(outcome):
    """The differences of a site of confusion.py."""
    fault = fault_of(outcome.case)
    if fault is None or not outcome.report:
        return []
    return differences(fault, foreseen(NETWORKS_BY_FAULT[fault]), outcome.report)


@unittest.skipUnless(os.path.exists(CALLREADY) and os.path.exists(NETWORKS), "not built")
class ModelAndSite(SiteTest):
    """One site per fault."""

    def agree(self, fault, network, delay_ms):
        with self.subTest(fault=fault or "clean"):
            model = foreseen(network)
            found = self.seen(fault, model, delay_ms)
            # A climb has a few seconds, which a slow line and a busy machine may use up: what the
            # program does not see for lack of time, it sees the next time.
            if found and delay_ms == SLOW_MS:
                found = self.seen(fault, model, delay_ms)
            self.assertEqual([], found)

    @staticmethod
    def seen(fault, model, delay_ms):
        with ExampleSite(fault.split(), delay_ms=delay_ms) as site:
            _, report = check(site, "example", "--set", SET)
        return differences(fault, model, report)

    def test_they_agree(self):
        wanted = os.environ.get("CALLREADY_NETWORK_FAULTS")
        faults = wanted.split(",") if wanted is not None else (
            set(NETWORKS_BY_FAULT) - set(map(fault_of, confusion.spread(confusion.load()))))
        for fault in sorted(faults):
            self.agree(fault, NETWORKS_BY_FAULT[fault], 1)

    def test_they_agree_over_a_satellite(self):
        for fault in SLOW_FAULTS:
            network = NETWORKS_BY_FAULT[fault].replace("delay 0.1 ", f"delay {SLOW_MS} ").replace(
                "works 1 ms", f"works {2 * SLOW_MS} ms")
            self.agree(fault, network, SLOW_MS)


if __name__ == "__main__":
    unittest.main()
