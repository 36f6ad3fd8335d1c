"""Each fault breaks what it says, and only that."""

import unittest

from . import faults as table
from .harness import Site, SiteTest
from .names import load
from .plan import Plan
from .site_test import call

TURN, SIP, PORTAL = "turn1.example-calls.com", "sip.example-calls.com", "portal.example-calls.com"
STUN_UDP = ("stun", "udp", TURN, 3478)
STUN_TCP = ("stun", "tcp", TURN, 3478)
STUN_TLS = ("stun", "tls", TURN, 443)
ANCHOR_STUN = ("stun", "udp", "stun.l.google.com", 19302)
SIP_UDP = ("sip", "udp", SIP, 5060)
SIP_UDP_2 = ("sip", "udp", SIP, 5080)
SIP_TCP = ("sip", "tcp", SIP, 5060)
SIP_TLS = ("sip", "tls", SIP, 5061)
NTP = ("ntp", "udp", "pool.ntp.org", 123)
WEB = ("hello", "tls", PORTAL, 443)
HTTP = ("hello", "tcp", PORTAL, 80)
ANCHOR_WEB = ("hello", "tls", "www.cloudflare.com", 443)
EVERYTHING = [STUN_UDP, STUN_TCP, STUN_TLS, ANCHOR_STUN, SIP_UDP, SIP_UDP_2, SIP_TCP, SIP_TLS, NTP,
              WEB, HTTP, ANCHOR_WEB]
UDP = [c for c in EVERYTHING if c[1] == "udp"]
STREAMS = [c for c in EVERYTHING if c[1] != "udp"]


def silent(*calls):
    return dict.fromkeys(calls, "silent")


class Reachability(SiteTest):
    """What still answers under each fault. What is not named as broken must work."""

    def expect(self, faults, broken, *more):
        """`broken` maps calls to the error they end with; all the other calls still work."""
        calls = EVERYTHING + list(more)
        with Site(faults=faults) as site:
            answers = dict(zip(calls, call(site, *calls, silent=[
                one for one, error in broken.items() if error == "silent"])))
        found = {one: answer["error"] for one, answer in answers.items() if "error" in answer}
        self.assertEqual(broken, found)
        return answers

    def test_none(self):
        self.expect([], {})

    def test_udp_blocked(self):
        self.expect(["udp-blocked"], silent(*UDP))

    def test_reject_udp(self):
        self.expect(["reject-udp"], dict.fromkeys(UDP, "rejected"))

    def test_udp_3478_blocked(self):
        self.expect(["udp-3478-blocked"], silent(STUN_UDP))

    def test_sip_udp_blocked(self):
        self.expect(["sip-udp-blocked"], silent(SIP_UDP))

    def test_udp_high_blocked(self):
        self.expect(["udp-high-blocked"], silent(SIP_UDP_2, ANCHOR_STUN))

    def test_udp_ports_blocked(self):
        self.expect(["udp-ports-blocked=5070-5090,123"], silent(SIP_UDP_2, NTP))

    def test_tcp_5061_blocked(self):
        self.expect(["tcp-5061-blocked"], silent(SIP_TLS))

    def test_rst_tcp_5061(self):
        self.expect(["rst-tcp-5061"], {SIP_TLS: "refused"})

    def test_tcp_ports_blocked(self):
        self.expect(["tcp-ports-blocked=5060,3478"], silent(SIP_TCP, STUN_TCP))

    def test_host_blocked(self):
        self.expect([f"host-blocked={TURN}"], silent(STUN_UDP, STUN_TCP, STUN_TLS),
                    ("stun", "udp", "turn2.example-calls.com", 3478))
        self.expect([f"host-blocked={SIP},{PORTAL}"],
                    silent(SIP_UDP, SIP_UDP_2, SIP_TCP, SIP_TLS, WEB, HTTP))

    def test_only_web(self):
        self.expect(["only-web"], silent(*UDP, STUN_TCP, SIP_TCP, SIP_TLS),
                    ("stun", "tcp", TURN, 80))

    def test_web_only_proxy(self):
        self.expect(["web-only-proxy"], silent(*EVERYTHING))

    def test_stun_inspected(self):
        self.expect(["stun-inspected"], silent(STUN_UDP, ANCHOR_STUN))

    def test_sip_inspected(self):
        self.expect(["sip-inspected"], silent(SIP_UDP, SIP_UDP_2, SIP_TCP),
                    ("hello", "tcp", SIP, 5060))

    def test_tls_reset(self):
        self.expect(["tls-reset"], dict.fromkeys([STUN_TLS, WEB, ANCHOR_WEB], "reset"),
                    ("stun", "tcp", TURN, 443))

    def test_mtu_black_hole(self):
        big = ("stun", "udp", TURN, 3478)
        self.expect(["mtu-black-hole=1400"], {}, big)
        with Site(faults=["mtu-black-hole=1400"]) as site:
            done = site.run(["curl", "-sS", "--max-time", "3", "-o", "/dev/null",
                             f"https://{PORTAL}/download"])
            self.assertEqual(28, done.exit, done.stderr)  # timed out

    def test_dns_dead(self):
        answers = self.expect(["dns-dead"], dict.fromkeys(EVERYTHING, "unresolved"),
                              ("stun", "udp", "185.199.40.11", 3478))
        self.assertEqual({-3}, {answers[one]["code"] for one in EVERYTHING})  # EAI_AGAIN

    def test_dns_nxdomain(self):
        theirs = [c for c in EVERYTHING if c[2].endswith("example-calls.com")]
        for fault in ("dns-nxdomain", "dns-policy"):
            answers = self.expect([fault], dict.fromkeys(theirs, "unresolved"),
                                  ("stun", "udp", "185.199.40.11", 3478))
            self.assertEqual({-2}, {answers[one]["code"] for one in theirs})  # EAI_NONAME
        self.expect([f"dns-nxdomain={PORTAL}"], dict.fromkeys([WEB, HTTP], "unresolved"))

    def test_carrier_double_and_other_nats_hurt_nothing_here(self):
        for fault in ("symmetric-nat", "full-cone", "no-nat", "carrier-nat", "double-nat",
                      "sip-alg", "dscp-cleared", "dns-local-only", "proxy-down"):
            self.expect([fault], {})

    def test_offline(self):
        self.expect(["offline"], dict.fromkeys(EVERYTHING, "unresolved"))

    def test_turn_down(self):
        self.expect(["turn-down"], dict.fromkeys([STUN_UDP, STUN_TCP, STUN_TLS], "refused"))

    def test_sip_down(self):
        self.expect(["sip-down"],
                    dict.fromkeys([SIP_UDP, SIP_UDP_2, SIP_TCP, SIP_TLS], "refused"))

    def test_web_down(self):
        self.expect(["web-down"], dict.fromkeys([WEB, HTTP, ANCHOR_WEB], "refused"))

    def test_ntp_down(self):
        self.expect(["ntp-down"], {NTP: "refused"})

    def test_sip_5xx(self):
        answers = self.expect(["sip-5xx"], {})
        self.assertEqual({503}, {answers[c]["status"]
                                 for c in (SIP_UDP, SIP_UDP_2, SIP_TCP, SIP_TLS)})

    def test_faults_combine(self):
        self.expect(["sip-udp-blocked", "rst-tcp-5061", "symmetric-nat"],
                    {SIP_UDP: "silent", SIP_TLS: "refused"})

    def test_captive_portal(self):
        self.expect(["captive-portal"],
                    silent(*UDP, STUN_TCP, SIP_TCP, SIP_TLS)
                    | dict.fromkeys([STUN_TLS, WEB, ANCHOR_WEB], "refused"))

    def test_certificates(self):
        for kind, reason in (("expired", "expired"), ("wrong-name", "match"),
                             ("untrusted", "local issuer"), ("incomplete", "local issuer")):
            answers = self.expect([f"certificate={kind}:example-calls.com"],
                                  dict.fromkeys([STUN_TLS, SIP_TLS, WEB], "tls"))
            for one in (STUN_TLS, SIP_TLS, WEB):
                self.assertIn(reason, answers[one]["reason"])

    def test_clock(self):
        answers = self.expect(["clock=7200"], dict.fromkeys(
            [STUN_TLS, SIP_TLS, WEB, ANCHOR_WEB], "tls"))
        self.assertAlmostEqual(7200, answers[NTP]["offset"], delta=30)
        self.assertIn("not yet valid", answers[WEB]["reason"])
        self.assertAlmostEqual(-600, self.expect(["clock=-600"], {})[NTP]["offset"], delta=30)


class Table(unittest.TestCase):
    """The table itself; needs no namespaces."""

    def test_every_fault_changes_the_plan(self):
        net = load()
        for name, fault in table.FAULTS.items():
            plan = Plan(net, turn_password="p", proxy_password="p")
            clean = Plan(net, turn_password="p", proxy_password="p")
            table.apply_all(plan, [name])
            self.assertNotEqual(clean, plan, name)
            self.assertTrue(fault.description, name)

    def test_values_that_make_no_sense(self):
        for text in ("clock=noon", "rate-limited=many", "certificate=green:example.com",
                     "certificate=expired", "offline=1"):
            with self.assertRaises(table.Unknown, msg=text):
                table.apply_all(Plan(load()), [text])
