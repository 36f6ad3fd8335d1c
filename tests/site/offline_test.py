"""Is this computer online? Every built-in set says first what keeps it off, and who can mend that."""

import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest
from .names import ROOT

VENDORS = os.path.join(ROOT, "targets", "vendors")


def is_shared(name):
    """Others lean on it; alone it may have nothing to ask."""
    with open(os.path.join(VENDORS, name), encoding="utf-8") as file:
        return "\nkind: shared\n" in file.read()


SETS = sorted(name[:-5] for name in os.listdir(VENDORS)
              if name.endswith(".yaml") and not is_shared(name))
# EverySet.NamesWhyThisComputerIsOffAndNothingElse has each set alone, in memory; here: with hosts of
# the vendor's, with none but the user's own, with media alone, and several at once.
FEW = (["teams"], ["rainbow"], ["3cx"], ["slack-huddles"], ["nfon"], SETS[::6])


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Offline(SiteTest):
    def expect(self, fault, runs, code, owner, title):
        with Site(faults=[fault]) as site:
            for sets in runs:
                done = site.run([CALLREADY, "check", *sets, "--json"], timeout=120)
                with self.subTest(fault=fault, sets=sets[0] if len(sets) == 1 else "all"):
                    report = json.loads(done.stdout)
                    found = [(f["code"], f["confidence"], f["owner"]) for f in report["findings"]]
                    self.assertEqual([(code, "certain", owner)], found, done.stdout)
                    self.assertIn(title, report["findings"][0]["title"])
                    self.assertEqual({"blocked"}, {s["verdict"] for s in report["sets"]})
                    self.assertEqual(1, done.exit)

    def test_no_adapter_is_switched_on(self):
        self.expect("unplugged", FEW, "network.offline", "user",
                    "not connected to any network")

    def test_no_cable_is_plugged_in(self):
        self.expect("no-signal", FEW, "network.offline", "user", "not connected to any network")

    def test_no_address(self):
        self.expect("no-address", FEW, "network.no_gateway", "lan", "gets no IP address")

    def test_no_route(self):
        self.expect("no-gateway", FEW, "network.no_gateway", "lan", "no default gateway")

    def test_a_silent_gateway(self):
        self.expect("gateway-silent", FEW, "network.no_gateway", "lan",
                    "The default gateway 10.20.0.1 does not answer")

    def test_the_line_is_down(self):
        self.expect("offline", FEW, "network.offline", "provider",
                    "Nothing outside this site answers")


if __name__ == "__main__":
    unittest.main()
