"""What a report asks to let through is what the sets ask for: tests/site/fixes.py, which also judges
every case of cases.yaml, held against saved reports, and against reports that ask for too much."""

import copy
import glob
import json
import os
import subprocess
import unittest

from tests.site.fixes import beyond_the_document

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))
SAVED = os.path.join(ROOT, "tests", "reports", "sites")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Fixes(unittest.TestCase):
    def setUp(self):
        self.reports = {}
        for path in glob.glob(os.path.join(SAVED, "*.json")):
            done = subprocess.run([CALLREADY, "render", path, "--json"], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.reports[os.path.basename(path).removesuffix(".json")] = json.loads(done.stdout)

    def test_saved_reports_ask_for_nothing_else(self):
        rules = 0
        for name, report in self.reports.items():
            with self.subTest(name):
                self.assertEqual([], beyond_the_document(report))
            rules += sum(len(finding.get("rules", [])) for finding in report["findings"])
        self.assertGreater(rules, 10)

    def changed(self, change):
        report = copy.deepcopy(self.reports["udp-3478"])
        change(report["findings"][0])
        return "; ".join(beyond_the_document(report))

    def test_what_no_set_holds_is_noticed(self):
        def anchor(finding):
            finding["fix"] += " UDP 3478 to stun.cloudflare.com."

        def sampled_port(finding):
            finding["fix"] += " UDP 52428."

        def peer(finding):
            finding["rules"][0]["destinations"].append({"kind": "name", "text": "stun.cloudflare.com"})

        def port(finding):
            finding["rules"][0]["ports"] = ["3479"]

        def anybody(finding):
            finding["rules"][0]["destinations"] = []

        self.assertEqual("", self.changed(lambda finding: None))
        for change, words in ((anchor, "names stun.cloudflare.com"), (sampled_port, "sampled port"),
                              (peer, "stun.cloudflare.com is not in the set"),
                              (port, "port 3479 is not in the set"), (anybody, "a rule to any")):
            with self.subTest(change.__name__):
                self.assertIn(words, self.changed(change))


if __name__ == "__main__":
    unittest.main()
