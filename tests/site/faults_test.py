"""Each fault breaks what it says, and only that."""

import os
import unittest
from unittest import mock

from . import faults as table
from .harness import ExampleSite, SiteTest
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
        with ExampleSite(faults=faults) as site:
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
        self.expect(["mtu-black-hole=1400"], {})
        with ExampleSite(faults=["mtu-black-hole=1400"]) as site:
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

    def test_firewalls_further_out(self):
        for topology in ("campus=1", "campus=3", "company=2", "provider-firewall=1",
                         "provider-firewall=2", "carrier-firewall"):
            with self.subTest(topology):
                self.expect([topology, "tcp-5061-blocked"], silent(SIP_TLS))
        self.expect(["mute-branch", "udp-3478-blocked"], silent(STUN_UDP))

    def hops(self, *faults, silent_hops=()):
        """Who says that packets to a media host have died, hop by hop."""
        calls = [("hop", "udp", "185.199.42.11", ttl) for ttl in range(1, 7)]
        with ExampleSite(faults=faults) as site:
            answers = call(site, *calls, silent=[calls[n - 1] for n in silent_hops])
        return [answer.get("hop") for answer in answers]

    def test_hops_of_the_topologies(self):
        edge = "185.199.42.254"
        self.assertEqual(["84.199.20.1", "84.199.30.1", "84.199.10.1", "62.4.8.2", edge, None],
                         self.hops("campus", silent_hops=[6]))
        self.assertEqual(["10.20.0.1", "10.21.0.1", "10.21.1.1", "84.199.10.1", "62.4.8.2", edge],
                         self.hops("company=2"))
        self.assertEqual(["10.20.0.1", "100.72.10.1", "62.4.8.2", "62.4.20.2", edge, None],
                         self.hops("carrier-firewall", silent_hops=[6]))
        self.assertEqual(["10.20.0.1", None, "62.4.8.2", edge, None, None],
                         self.hops("mute-routers=provider", silent_hops=[2, 5, 6]))

    def test_a_mute_branch(self):
        """Flows differ by their port only, and so does who answers."""
        calls = [("hop", "udp", "185.199.42.11", 3, "silent")] * 24
        with ExampleSite(faults=["mute-branch"]) as site:
            answers = {answer.get("hop") for answer in call(site, *calls)}
        self.assertEqual({"62.4.40.2", None}, answers)

    def test_ports_blocked(self):
        self.expect(["ports-blocked=5060"], silent(SIP_UDP, SIP_TCP))

    def test_only_what_a_vendor_lists(self):
        self.expect(["only-vendor=example"], silent(ANCHOR_STUN, NTP, HTTP, ANCHOR_WEB))

    def test_what_lets_some_flows_through(self):
        calls = [("stun", "udp", TURN, 3478, "silent")] * 30
        for fault in ("udp-new-flows=1", "dead-path"):
            with self.subTest(fault=fault), ExampleSite(faults=[fault]) as site:
                answered = sum("mapped" in answer for answer in call(site, *calls))
                self.assertGreaterEqual(answered, 1)
                self.assertLess(answered, 30)

    def test_a_device_that_accepts_every_connection(self):
        answers = self.expect(["tcp-accepted"], silent(STUN_TCP, STUN_TLS, SIP_TCP, SIP_TLS, WEB,
                                                       ANCHOR_WEB),
                              ("hello", "tcp", "192.0.2.1", 9))
        self.assertTrue(answers[HTTP]["connected"])

    def test_port_53_is_led_elsewhere(self):
        ask = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
               "s.settimeout(1); s.connect(('9.9.9.9', 53))\n"
               "name = b''.join(bytes([len(p)]) + p for p in b'{}'.split(b'.'))\n"
               "for _ in range(10):\n"
               "    s.send(b'\\x00\\x01\\x01\\x00\\x00\\x01' + bytes(6) + name + b'\\x00\\x00\\x01\\x00\\x01')\n"
               "    try: print(s.recv(512)[3] & 15); break\n"
               "    except TimeoutError: pass")
        with ExampleSite(faults=["dns-redirected"]) as site:
            codes = [site.run(["/usr/bin/python3", "-c", ask.format(name)]).stdout.strip()
                     for name in (PORTAL, "www.google.com")]
        self.assertEqual(["3", "0"], codes)  # NXDOMAIN and no error

    def test_a_vendor_whose_servers_are_silent(self):
        theirs = [c for c in EVERYTHING if c[2].endswith("example-calls.com")]
        self.expect(["vendor-silent"], silent(*theirs))

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
                     "certificate=expired", "offline=1", "only-vendor=nobody", "campus=9",
                     "provider-firewall=3"):
            with self.assertRaises(table.Unknown, msg=text):
                table.apply_all(Plan(load()), [text])

    def test_a_list_that_callready_does_not_have(self):
        with mock.patch.dict(os.environ, {"CALLREADY": "false"}), self.assertRaises(table.Unknown):
            table.apply_all(Plan(load()), ["only-list=nobody"])
