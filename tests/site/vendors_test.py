"""Everything that the target sets ask for is there: each name, port and protocol answers."""

from .harness import Site, SiteTest
from .names import load
from .site_test import call

AT_ONCE = 32


class Vendors(SiteTest):
    def test_all_that_the_sets_list_is_served(self):
        calls = []
        internet = load()
        for role, transport, where, port in sorted(internet.served):
            if transport not in ("udp", "tcp", "tls"):
                continue  # a variable that has no value
            is_name = not where.replace(".", "").isdigit()
            if transport == "tls" and (not is_name or where in internet.private):
                transport = "tcp"  # no name to verify, or an authority that nobody here knows
            what = {"turn": "stun", "sip": "sip", "ntp": "ntp"}.get(role, "hello")
            if what == "sip" and not is_name and port == 5061:
                what = "hello"
            calls.append((what, transport, where, port))
        self.assertGreater(len(calls), 300)
        with Site() as site:
            answers = []
            for start in range(0, len(calls), AT_ONCE):
                answers += call(site, *calls[start:start + AT_ONCE])
        self.assertEqual({}, {one: answer for one, answer in zip(calls, answers)
                              if "error" in answer or answer.get("answer") is False})
