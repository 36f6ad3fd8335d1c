"""A fix is enough: what `callready firewall --missing` writes after a run, put in front of the rules that
block, makes the same site ready.

CALLREADY_CASES=all runs every firewall's case of the matrix (ten minutes); otherwise one of each fault
that the example set shows.
"""

import concurrent.futures
import json
import os
import tempfile
import time
import unittest

from .confusion import SET, load
from .fixes import LETS_THROUGH, Written
from .harness import CALLREADY, SiteTest
from .names import HERE

INSPECTION = "inspection drops it in flows that the rules allow"
# Faults that no rule that allows more can mend, and why. All others have to heal.
CANNOT_HEAL = {
    "stun-inspected": INSPECTION, "turn-inspected": INSPECTION, "sip-inspected": INSPECTION,
    "sip-udp-inspected": INSPECTION, "tls-reset": INSPECTION, "tls-dropped": INSPECTION,
    "rtp-dropped": INSPECTION, "tcp-carries-nothing": INSPECTION,
    "udp-unknown-dropped": INSPECTION, "web-filter": "a filter of names: its own list has to change",
    "udp-replies-dropped": "the rules let requests out; replies are dropped",
    "hijacked-udp-3478": "the router takes it as its own before its rules are asked",
    **dict.fromkeys(("quic-rejected", "quic-initial-cut"),
                    "a note: no row needs QUIC, so no rule is written for it"),
}
# Faults whose rules are not the site's.
ELSEWHERE = {"provider-drops": ("provider", "filter"), "provider-rejects": ("provider", "filter")}
PATIENCE_S = 60  # for one run


def name_of(fault):
    return fault.partition("=")[0]


def asks_firewall(code):
    """Whether every finding that will do asks to let something through a firewall."""
    return all(one.startswith("firewall.") and "*" not in one and LETS_THROUGH.match(one)
               for one in code.split("|"))


def cases():
    """The matrix' cases whose findings are a firewall's."""
    found = [*load(), *load(os.path.join(HERE, "cases_new.yaml"))]
    return [case for case in found if any(map(asks_firewall, case.expected))]


def faults_of(case):
    return set(map(name_of, case.faults))


def one_of_each_fault(all_cases):
    """The first case of each fault, of the set that is checked fastest."""
    chosen = {}
    for case in all_cases:
        if case.group == "single" and not case.sets and not faults_of(case) & set(CANNOT_HEAL):
            chosen.setdefault(frozenset(faults_of(case)), case)
    return list(chosen.values())


class Heal(SiteTest):
    def check(self, site, case):
        done = site.run(case.command(CALLREADY), timeout=PATIENCE_S)
        return json.loads(done.stdout)

    def heal(self, case):
        """(what was found, what is found after, verdicts after, seconds)"""
        began = time.monotonic()
        router, chain = next((ELSEWHERE[f] for f in faults_of(case) if f in ELSEWHERE),
                             ("firewall", "from_lan"))
        with case.site() as site, tempfile.NamedTemporaryFile("w") as file:
            before = self.check(site, case)
            json.dump(before, file)
            file.flush()
            own = [] if case.sets else ["--set", SET]
            with Written(site, CALLREADY, *own, "--missing", "--from", file.name, router=router,
                         chain=chain) as rules:
                rules.load()
                rules.enable()
            after = self.check(site, case)
        codes = [[finding["code"] for finding in report["findings"]] for report in (before, after)]
        return (*codes, {one["id"]: one["verdict"] for one in after["sets"]},
                time.monotonic() - began)

    def test_the_rules_that_are_missing_heal(self):
        chosen = cases() if os.environ.get("CALLREADY_CASES") == "all" else one_of_each_fault(cases())
        bad = []
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for case, (before, after, verdicts, took) in zip(chosen, pool.map(self.heal, chosen)):
                others = [code for code in case.expected if not asks_firewall(code)]
                left = [code for code in after if asks_firewall(code)]
                well = not left and (bool(others) or set(verdicts.values()) == {"ready"})
                print(f"{case.name}: {before} -> {after}, {verdicts} ({took:.0f} s)", flush=True)
                if well == bool(faults_of(case) & set(CANNOT_HEAL)):
                    bad.append(f"{case.name}: {before} -> {after}, {verdicts}")
        self.assertEqual([], bad)


class Table(unittest.TestCase):
    def test_every_reason_is_of_a_case(self):
        known = set().union(*map(faults_of, cases()))
        self.assertEqual(set(), set(CANNOT_HEAL) - known)
        self.assertEqual(set(), set(ELSEWHERE) - known)
        self.assertEqual(14, len(CANNOT_HEAL), "a fault that a fix cannot mend needs its reason here")

    def test_there_are_enough(self):
        self.assertGreaterEqual(len(cases()), 60)
        self.assertGreaterEqual(len(one_of_each_fault(cases())), 18)

if __name__ == "__main__":
    unittest.main()
