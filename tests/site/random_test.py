"""A handful of random sites, and the oracle that judges them.

The same in each run, as long as other seeds still find what is wrong with the diagnosis now and
then (a limit on new UDP flows above all): a test must not fail by chance. By hand,
CALLREADY_RANDOM_SEED and CALLREADY_RANDOM_SITES make others and more, as does
`script/confusion --random`.
"""

import dataclasses
import os
import unittest

from . import draw, faults, names, random_sites, relations
from .confusion_test import CALLREADY
from .harness import SiteTest
from .names import Row
from .plan import Plan
from .truth import (BLOCKED, DEGRADED, EITHER, Effect, FAILS, Flow, Judge, READY, WORKS,
                    capability_truth, destinations, row_truth)

INTERNET = names.load()
SEED = 70_010


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class RandomSites(SiteTest):
    def test_nobody_is_accused_who_did_nothing(self):
        seed = int(os.environ.get("CALLREADY_RANDOM_SEED", SEED))
        count = int(os.environ.get("CALLREADY_RANDOM_SITES", 5))
        print(f"seed {seed}", flush=True)
        results = random_sites.run_all(count, seed, CALLREADY, 2)
        for result in results:
            print(result.repeat(), result.site.described(), *result.details(), sep="; ")
        self.assertEqual([], [(r.repeat(), r.details()) for r in results
                              if r.error or r.judgement.wrong or r.judgement.false_alarms])


class Drawing(unittest.TestCase):
    """Needs no namespaces."""

    def test_a_seed_gives_the_same_site(self):
        for seed in range(20):
            self.assertEqual(draw.draw(seed, INTERNET).described(),
                             draw.draw(seed, INTERNET).described())

    def test_sites_can_be_made_and_differ(self):
        seen = set()
        for seed in range(300):
            site = draw.draw(seed, INTERNET)
            faults.apply_all(Plan(names.Internet(turn=INTERNET.turn, forward=INTERNET.forward,
                                                 rows=INTERNET.rows)), site.faults)
            seen.update(fault.partition("=")[0] for fault in site.faults)
        self.assertGreater(len(seen), 35, seen)


def row(check="tcp", transports=("tcp",), ports=("443",), places=(("a.example", "192.0.2.1"),),
        reach="all"):
    return Row("row", check, reach, "required", list(transports), list(ports), list(places), True, False)


def blocks(*places, part=1):
    return Effect("fault", lambda flow: part if flow.place in places else 0,
                  {"firewall.destination_blocked": {"network"}})


class Relations(unittest.TestCase):
    @staticmethod
    def report(*codes, confidence="likely", **verdicts):
        return {"sets": [{"id": name, "verdict": verdict} for name, verdict in verdicts.items()],
                "findings": [{"code": code, "confidence": confidence} for code in codes]}

    def test_the_same_question_has_the_same_answer(self):
        first = self.report("sip.alg", a="ready", b="blocked")
        self.assertEqual([], relations.same("again", first, first))
        other = self.report("nat.symmetric", a="ready", b="unknown")
        self.assertEqual(["again: b blocked, then unknown",
                          "again: findings ['sip.alg'], then ['nat.symmetric']"],
                         list(map(str, relations.same("again", first, other))))
        alone = self.report(b="blocked")
        self.assertEqual([], relations.same("alone", first, alone), "its causes may be a's")
        perhaps = self.report("sip.alg", confidence="possible", a="ready")
        self.assertEqual([], relations.same("again", self.report(a="ready"), perhaps))

    def test_a_run_that_asks_more_unsays_nothing(self):
        def broken(before, after):
            return bool(relations.decides_as_much("--all", self.report(a=before),
                                                  self.report(a=after)))
        self.assertFalse(broken("ready", "degraded"), "it tried what was left out")
        self.assertFalse(broken("unknown", "ready"))
        self.assertTrue(broken("blocked", "ready"))
        self.assertTrue(broken("ready", "unknown"))


class Truth(unittest.TestCase):
    """The oracle, on rows and reports made by hand."""

    A, B = ("a.example", "192.0.2.1"), ("b.example", "192.0.2.2")

    def test_destinations(self):
        made = destinations(row("turn", ("udp", "tls"), ("3478", "50000-50010")))
        self.assertEqual([[Flow("udp", False, "192.0.2.1", "a.example", 3478, 3478, "stun"),
                           Flow("udp", False, "192.0.2.1", "a.example", 50000, 50010, "stun"),
                           Flow("tcp", True, "192.0.2.1", "a.example", 3478, 3478, "stun"),
                           Flow("tcp", True, "192.0.2.1", "a.example", 50000, 50010, "stun")]], made)

    def test_rows(self):
        both = [self.A, self.B]
        one, all_ = [blocks("192.0.2.1")], [blocks("192.0.2.1", "192.0.2.2")]
        self.assertEqual(WORKS, row_truth(row(places=both), []))
        self.assertEqual(FAILS, row_truth(row(places=both), all_))
        self.assertEqual(FAILS, row_truth(row(places=both), one))
        self.assertEqual(WORKS, row_truth(row(places=both, reach="any"), one))
        self.assertEqual(EITHER, row_truth(row(places=both, reach={"nearest": 1}), one))
        self.assertEqual(EITHER, row_truth(row(), [blocks("192.0.2.1", part=0.1)]))
        self.assertEqual(EITHER, row_truth(row(check=None), []))
        examples = dataclasses.replace(row(places=both), examples=True)
        self.assertEqual(EITHER, row_truth(examples, one))
        self.assertEqual(FAILS, row_truth(examples, all_))

    def capability(self, *needs):
        return {"id": "c", "verdict": READY, "requirements": ["row"], "needs": list(needs)}

    def test_capabilities(self):
        first = {"alternatives": [["x"], ["y", "z"]], "equal": False}
        for x, y, z, expected in ((WORKS, FAILS, FAILS, {READY}), (FAILS, WORKS, WORKS, {DEGRADED}),
                                  (FAILS, WORKS, FAILS, {BLOCKED}),
                                  (EITHER, WORKS, WORKS, {READY, DEGRADED}),
                                  (EITHER, FAILS, WORKS, {READY, BLOCKED})):
            rows = {"x": x, "y": y, "z": z}
            self.assertEqual(expected, capability_truth(self.capability(first), rows))
        either = {"alternatives": [["x"], ["y"], ["z"]], "equal": False, "preferred": 2}
        rows = {"x": FAILS, "y": WORKS, "z": WORKS}
        self.assertEqual({READY}, capability_truth(self.capability(either), rows))
        rows["y"] = FAILS
        self.assertEqual({DEGRADED}, capability_truth(self.capability(either), rows))
        self.assertEqual({BLOCKED}, capability_truth(self.capability(
            either, {"alternatives": [["x"]], "equal": True}), rows))
        # It is degraded while one recommended need is met, and blocked when none is.
        needs = [{"alternatives": [[one]], "equal": True} for one in "xy"]
        for y, expected in ((WORKS, DEGRADED), (FAILS, BLOCKED)):
            self.assertEqual({expected}, capability_truth(
                self.capability(*needs), {"x": FAILS, "y": y},
                {"x": "recommended", "y": "recommended"}))

    def judged(self, effects, verdict, *findings):
        internet = names.Internet(rows={"set": {"row": row()}})
        report = {"findings": list(findings), "probes": [{"id": "p", "target": {"host": "a.example"}}],
                  "sets": [{
            "id": "set", "verdict": verdict,
            "requirements": [{"id": "row", "probes": ["p"], "severity": "required",
                              "status": "fail"},
                             {"id": "removed", "probes": [], "severity": "required", "status": "skip"}],
            "capabilities": [{**self.capability({"alternatives": [["row"]], "equal": True}),
                              "verdict": verdict}]}]}
        return Judge(internet, effects, report).judge()

    def finding(self, code="firewall.destination_blocked", confidence="certain", explains=()):
        return {"code": code, "confidence": confidence, "owner": "network", "title": "t",
                "explains": list(explains)}

    def test_judging(self):
        blocked = blocks("192.0.2.1")
        right = self.judged([blocked], BLOCKED, self.finding(explains=["set/row"]))
        self.assertTrue(right.good(), right)
        self.assertEqual(["firewall.destination_blocked"], right.right)
        self.assertEqual(["fault"], self.judged([blocked], BLOCKED).missed)
        self.assertEqual(1, len(self.judged([blocked], BLOCKED).verdicts), "nothing is found")
        self.assertEqual(2, len(self.judged([blocked], READY, self.finding()).verdicts))
        self.assertEqual(1, len(self.judged([blocked], "unknown", self.finding()).verdicts))
        self.assertEqual(1, len(self.judged([blocked], "unknown").undecided))
        self.assertEqual(1, len(self.judged([blocked], BLOCKED, self.finding(),
                                            self.finding("sip.alg")).wrong))
        self.assertEqual(1, len(self.judged([], READY, self.finding("sip.alg")).false_alarms))
        self.assertEqual(1, len(self.judged([], READY,
                                            self.finding("sip.alg", "possible")).doubtful))
        self.assertEqual(2, len(self.judged([], BLOCKED, self.finding()).verdicts))

    def test_what_was_not_tried_cannot_be_known(self):
        internet = names.Internet(rows={"set": {"row": row(places=[self.A, self.B])}})
        report = {"findings": [], "probes": [{"id": "p", "target": {"host": "a.example"}}],
                  "sets": [{"id": "set", "verdict": READY,
                            "requirements": [{"id": "row", "probes": ["p"], "severity": "required",
                              "status": "fail"}],
                            "capabilities": [self.capability({"alternatives": [["row"]],
                                                              "equal": True})]}]}
        self.assertTrue(Judge(internet, [blocks("192.0.2.2")], report).judge().good())
        found = Judge(internet, [blocks("192.0.2.1")], report).judge()
        self.assertEqual((["fault"], 0), (found.missed, len(found.wrong)))

    def test_a_right_name_for_the_wrong_flow_is_wrong(self):
        found = self.judged([blocks("192.0.2.9")], READY, self.finding(explains=["set/row"]))
        self.assertEqual((1, []), (len(found.wrong), found.right))

    def test_what_a_document_advises_against(self):
        effect = Effect("alg", lambda flow: 0, {"sip.alg": {"network"}}, concerns=lambda flow: True,
                        sets=("set",))
        self.assertEqual((["alg"], 1), (self.judged([effect], READY).missed,
                                        len(self.judged([effect], READY).verdicts)))
        self.assertTrue(self.judged([effect], DEGRADED, self.finding("sip.alg")).good())
        elsewhere = Effect("alg", lambda flow: 0, {"sip.alg": {"network"}}, sets=("other",),
                           concerns=lambda flow: True)
        self.assertTrue(self.judged([elsewhere], READY).good())

    def test_the_table(self):
        site = draw.draw(1, INTERNET)
        good, bad = random_sites.Result(site), random_sites.Result(site, error="no report")
        self.assertEqual({"sites": 2, "good": 1, "no report": 1},
                         {k: random_sites.counts([good, bad])[k]
                          for k in ("sites", "good", "no report")})
        self.assertIn("| all | 2 | 1 | 0 |", random_sites.as_markdown([good, bad]))
        self.assertEqual("script/confusion --random 1 --seed 1", good.repeat())
