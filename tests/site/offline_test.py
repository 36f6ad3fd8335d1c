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

    def test_a_sign_in_that_ends_during_the_run(self):
        """As soon as the first page of the Internet checks has been fetched, nothing else passes."""
        ends = """
            table ip session {
              set ended { type ipv4_addr; }
              chain first { type filter hook prerouting priority -300;
                ip saddr @ended ip daddr != 10.20.0.0/16 th dport != 80 drop;
                tcp dport 80 tcp flags & fin == fin add @ended { ip saddr }; }
              chain pages { type nat hook prerouting priority -110;
                ip saddr @ended tcp dport 80 redirect to :8081; }
            }"""
        sign_in = """
            echo "$1" | nft -f -
            setsid /usr/bin/python3 -m http.server 8081 --directory /var/empty >/dev/null 2>&1 &
            until ss -lnt | grep -q :8081; do sleep 0.1; done"""
        with Site(sets=["rainbow"]) as site:
            done = site.run(["sh", "-c", sign_in, "sh", ends], router="router")
            self.assertEqual((0, ""), (done.exit, done.stderr))
            done = site.run([CALLREADY, "check", "rainbow", "--json"], timeout=120)
        found = json.loads(done.stdout)["findings"]
        self.assertEqual(["network.captive_portal"], [f["code"] for f in found], done.stdout)


if __name__ == "__main__":
    unittest.main()
