"""Everything that the target sets ask for is there: each name, port and protocol answers."""

import json
import tempfile
import unittest

from .harness import Site, SiteTest
from .names import load
from .site_test import call

AT_ONCE = 32


class Addresses(unittest.TestCase):
    """Where they are on the private internet; needs no namespaces."""

    def test_each_name_has_an_address_in_a_network_of_its_own(self):
        internet = load()
        addresses = [a for own in internet.forward.values() for a in own]
        self.assertEqual(len(addresses), len(set(addresses)))
        documented = {a for a in addresses if not a.startswith("146.")}
        networks = [a.rpartition(".")[0] for a in addresses if a not in documented]
        self.assertEqual(len(networks), len(set(networks)))
        self.assertIn("169.44.201.11", documented)

    def test_names_of_a_row_with_networks_are_in_those(self):
        rows = [{"id": "media", "check": "tls", "ports": [443], "transport": ["tls"],
                 "hosts": ["a.example", "b.example", "c.example"],
                 "addresses": ["198.51.100.0/24", {"network": "203.0.113.0/24"}]}]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump({"id": "mixed", "requirements": rows}, file)
            file.flush()
            forward = load([file.name]).forward
        self.assertEqual({"a.example": ["198.51.100.11"], "b.example": ["203.0.113.11"],
                          "c.example": ["198.51.100.12"]}, forward)


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
