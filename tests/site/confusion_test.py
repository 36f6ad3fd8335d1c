"""Each fault gives exactly the findings that name it, and a clean site gives none: cases.yaml.

CALLREADY_CASES=all runs every case; otherwise two of each finding, and the clean sites and pairs.
"""

import contextlib
import dataclasses
import glob
import io
import os
import subprocess
import sys
import time
import unittest
from unittest import mock

import yaml

from . import confusion, faults, networks_test
from .confusion import Outcome, load, spread
from .harness import CALLREADY, SiteTest
from .names import HERE, ROOT
from .tools import is_running

NEW_CASES = os.path.join(HERE, "cases_new.yaml")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Confusion(SiteTest):
    def test_the_cause_is_named(self):
        cases = load() if os.environ.get("CALLREADY_CASES") == "all" else spread(load())
        outcomes = confusion.run_all(cases, CALLREADY, jobs=2 * os.cpu_count())
        bad = [f"{o.case.name}: {'; '.join(confusion.details(o))}" for o in outcomes if not o.good()]
        with self.subTest("expectations"):
            self.assertEqual([], bad)
        if os.path.exists(networks_test.NETWORKS):
            with self.subTest("model"):
                self.assertEqual([], [line for one in outcomes for line in networks_test.compared(one)])


class Table(unittest.TestCase):
    """The table, and the counting; needs no namespaces."""

    def test_there_is_enough_of_each_kind(self):
        groups = [case.group for case in load()]
        self.assertGreaterEqual(groups.count("clean"), 15)
        self.assertGreaterEqual(groups.count("single"), 45)
        self.assertGreaterEqual(groups.count("pair"), 6)

    def test_verdicts_are_of_what_a_report_has(self):
        """A name that is misspelt would be compared with nothing."""
        parts = {}
        for path in [confusion.SET, *glob.glob(os.path.join(ROOT, "targets", "vendors", "*.yaml"))]:
            with open(path, encoding="utf-8") as file:
                document = yaml.safe_load(file)
            parts[document["id"]] = {document["id"], *(f"{document['id']}/{one['id']}"
                                                       for one in document["capabilities"])}
        for case in [*load(), *load(NEW_CASES)]:
            known = set().union(*(parts[name] for name in case.sets or ["example"]))
            self.assertLessEqual(set(case.verdicts), known, case.name)

    def test_rows_are_whole(self):
        names = set()
        for case in [*load(), *load(NEW_CASES)]:
            self.assertNotIn(case.name, names)
            names.add(case.name)
            for fault in case.faults:
                self.assertIn(fault.partition("=")[0], faults.FAULTS, case.name)
            if case.group == "clean":
                self.assertFalse(case.expected, case.name)
            else:  # nothing need be named where a verdict stays open
                self.assertTrue(case.expected or "unknown" in case.verdicts.values(), case.name)
            for confidences, owners in case.expected.values():
                self.assertLessEqual(set(confidences), {"certain", "likely", "possible"})
                self.assertLessEqual(set(owners), {"user", "helpdesk", "network", "proxy", "dns",
                                                   "security", "vendor", "lan", "provider",
                                                   "vpn"})
            for verdicts in case.verdicts.values():
                self.assertLessEqual(set(verdicts.split("|")),
                                     {"ready", "degraded", "blocked", "unknown"})
            self.assertLessEqual(set(case.says), set(case.expected))

    def test_a_name_that_no_case_has(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(2, confusion.main(["--only", "nothing is called so"]))
        self.assertIn("no case has nothing is called so in its name", said.getvalue())

    def test_a_load_ends_with_who_made_it(self):
        """However that ends: processes that only count would do so for ever."""
        program = ("import os, signal\n"
                   "from tests.site.confusion import Load\n"
                   "with Load(True) as load:\n"
                   "    print(*(one.pid for one in load._processes), flush=True)\n"
                   "    os.kill(os.getpid(), signal.SIGKILL)")
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True,
                              text=True, timeout=60, check=False)
        left = done.stdout.split()
        self.assertTrue(left, done.stderr)
        deadline = time.monotonic() + 60
        while (left := [pid for pid in left if is_running(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual([], left)

    def report(self, *findings, status="pass"):
        return {"findings": list(findings), "probes": [{"id": "p"}],
                "sets": [{"id": "example", "verdict": "ready", "capabilities": [],
                          "requirements": [{"id": "row", "status": status}]}]}

    def finding(self, code="dns.slow", confidence="certain", owner="dns"):
        return {"code": code, "confidence": confidence, "owner": owner, "title": "t", "fix": "f",
                "evidence": [{"probe": "p", "text": "e"}], "explains": []}

    def compared(self, report):
        case = next(c for c in load() if list(c.expected) == ["dns.slow"])
        outcome = Outcome(case, 1, report=report)
        confusion._compare_findings(outcome)
        return outcome

    def test_right_missed_and_wrong(self):
        outcome = self.compared(self.report(self.finding()))
        self.assertEqual((["dns.slow"], [], []), (outcome.right, outcome.missed, outcome.wrong))
        self.assertEqual(["dns.slow"], self.compared(self.report()).missed)
        weak = self.compared(self.report(self.finding(confidence="possible")))
        self.assertEqual(([], 1), (weak.right, len(weak.missed)))
        other = self.compared(self.report(self.finding(), self.finding("nat.symmetric")))
        self.assertEqual((1, 1), (len(other.right), len(other.wrong)))
        stranger = self.finding()
        stranger["evidence"] = [{"probe": "nobody", "text": "e"}]
        self.assertTrue(self.compared(self.report(stranger)).remarks)

    def test_patterns_alternatives_and_what_may_come_besides(self):
        case = next(c for c in load() if list(c.expected) == ["dns.slow"])
        case = dataclasses.replace(case, expected={"dns.*|time.skewed": (["certain"], ["dns"])},
                                   may=["media.*"], says={"dns.*|time.skewed": "t"},
                                   verdicts={"example": "blocked|ready"})
        outcome = Outcome(case, 1, report=self.report(self.finding(), self.finding("media.loss")))
        confusion._compare_findings(outcome)
        confusion._compare_verdicts(outcome)
        self.assertTrue(outcome.good(), outcome)
        self.assertEqual(["dns.slow"], outcome.right)
        case.says["dns.*|time.skewed"] = "what it does not say"
        case.verdicts["example"] = "blocked"
        outcome = Outcome(case, 1, report=self.report(self.finding(), self.finding("nat.double")))
        confusion._compare_findings(outcome)
        confusion._compare_verdicts(outcome)
        self.assertEqual((1, 2), (len(outcome.wrong), len(outcome.remarks)))

    def test_what_no_finding_explains(self):
        self.assertEqual(["example/row"], confusion._loose_ends(self.report(status="fail")))
        self.assertEqual([], confusion._loose_ends(self.report()))

    def test_false_alarms_are_counted_apart(self):
        clean = next(c for c in load() if c.group == "clean")
        alarm = Outcome(clean, 1, found=["dns.slow"], wrong=["dns.slow (certain dns): t"])
        table = confusion.counts([alarm])["clean"]
        self.assertEqual((0, 1), (table["wrong"], table["false alarm"]))
        self.assertIn("**x**", confusion.matrix_as_markdown([alarm]))

    def test_the_counts_say_what_they_were_measured_on(self):
        case = load()[0]
        business = confusion.Business()
        business._seen = [7.6, 12.3]
        text = confusion.circumstances([Outcome(case, 1), Outcome(case, 2)], "script/confusion",
                                       4, business)
        self.assertIn("made 1 sites 2 times after each other, 4 at a time", text)
        self.assertIn("load was 8 to 12", text)
        table = confusion.counts_as_markdown([Outcome(case, 1)], text)
        self.assertIn("| nothing is wrong | 1 | 1 | 0 | 0 | 0 | 0 |", table)
        self.assertLessEqual(max(map(len, table.splitlines())), 100)
        self.assertNotIn("load", confusion.circumstances([Outcome(case, 1)], "x", 4,
                                                         confusion.Business()))

    def test_readme_is_written_between_its_marks_only(self):
        before = "a\n" + "".join(confusion.MARKS).replace(confusion.MARKS[1], "old\n" + confusion.MARKS[1])
        opened = mock.mock_open(read_data=before + "z\n")
        with mock.patch("builtins.open", opened):
            confusion.write_between_marks("README.md", "new\n")
        written = "".join(call.args[0] for call in opened().write.call_args_list)
        self.assertEqual("a\n" + confusion.MARKS[0] + "new\n" + confusion.MARKS[1] + "z\n", written)
        with mock.patch("builtins.open", mock.mock_open(read_data="no marks\n")):
            self.assertRaises(SystemExit, confusion.write_between_marks, "README.md", "new\n")


if __name__ == "__main__":
    unittest.main()
