"""Each fault does what it says, and only that."""

from .harness import Site, SiteTest
from .site_test import call

STUN_UDP = ("stun", "udp", "turn1.example-calls.com", 3478)
STUN_TCP = ("stun", "tcp", "turn1.example-calls.com", 3478)
STUN_TLS = ("stun", "tls", "turn1.example-calls.com", 443)
SIP_UDP = ("sip", "udp", "sip.example-calls.com", 5060)
SIP_UDP_2 = ("sip", "udp", "sip.example-calls.com", 5080)
SIP_TCP = ("sip", "tcp", "sip.example-calls.com", 5060)
SIP_TLS = ("sip", "tls", "sip.example-calls.com", 5061)
NTP = ("ntp", "udp", "pool.ntp.org", 123)
WEB = ("hello", "tls", "portal.example-calls.com", 443)
EVERYTHING = [STUN_UDP, STUN_TCP, STUN_TLS, SIP_UDP, SIP_UDP_2, SIP_TCP, SIP_TLS, NTP, WEB]


class Faults(SiteTest):
    def expect(self, faults, broken):
        """`broken` maps calls to the error they end with; all the other calls still work."""
        with Site(faults=faults) as site:
            answers = dict(zip(EVERYTHING, call(site, *EVERYTHING)))
        found = {one: answer["error"] for one, answer in answers.items() if "error" in answer}
        self.assertEqual(broken, found)
        return answers

    def test_none(self):
        self.expect([], {})

    def test_udp_blocked(self):
        self.expect(["udp-blocked"], dict.fromkeys([STUN_UDP, SIP_UDP, SIP_UDP_2, NTP], "silent"))
