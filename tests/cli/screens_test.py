"""What stays on a terminal of 80 columns and 24 lines: the first and the last screen of ten sites, from
saved reports of script/site with tests/site/findings.yaml. CALLREADY_UPDATE_GOLDEN=1 writes the
golden files anew; read the difference before you commit it."""

import glob
import json
import os
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))
SAVED = os.path.join(ROOT, "tests", "reports", "sites")
GOLDEN = os.path.join(ROOT, "tests", "golden", "screens")
LINES, COLUMNS = 24, 80
TEAMS = ("your firewall team", "your network team", "your proxy team", "your DNS team",
         "your security team", "the team that runs your VPN", "your helpdesk",
         "you, on this computer", "the vendor's support")
# What nobody at a helpdesk says.
NOT_OURS = ("timed out", "dies before", "hurts", "a SYN", "not tried from here", "strangers")


def render(path, *options):
    done = subprocess.run([CALLREADY, "render", path, *options], capture_output=True, text=True,
                          timeout=60, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.stderr == "", done.stderr
    return done.stdout


def screens(path):
    lines = render(path).splitlines()
    # The shell's prompt takes one.
    return lines[:LINES - 1], lines[-(LINES - 1):]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Screens(unittest.TestCase):
    def setUp(self):
        self.reports = sorted(glob.glob(os.path.join(SAVED, "*.json")))
        self.assertGreaterEqual(len(self.reports), 10)

    def test_golden(self):
        for path in self.reports:
            name = os.path.basename(path).removesuffix(".json")
            first, last = screens(path)
            text = "\n".join(first) + "\n" + "-" * COLUMNS + "\n" + "\n".join(last) + "\n"
            golden = os.path.join(GOLDEN, name + ".txt")
            if os.environ.get("CALLREADY_UPDATE_GOLDEN"):
                with open(golden, "w", encoding="utf-8") as file:
                    file.write(text)
            with self.subTest(name), open(golden, encoding="utf-8") as file:
                self.assertEqual(text, file.read())

    def test_the_answer_the_cause_who_and_what_stay(self):
        for path in self.reports:
            report = json.loads(render(path, "--json"))  # diagnosed anew, as the screens are
            first, last = screens(path)
            for name, lines in (("first", first), ("last", last)):
                with self.subTest(os.path.basename(path), screen=name):
                    screen = "\n".join(lines)
                    words = " ".join(screen.split())
                    self.assertLessEqual(max(map(len, lines)), COLUMNS)
                    self.assertRegex(screen, r"(?m)^\S (READY|DEGRADED|BLOCKED|NOT DECIDED)  ")
                    for unwanted in NOT_OURS:
                        self.assertNotIn(unwanted, words)
                    if not report["findings"]:
                        continue
                    finding = report["findings"][0]
                    self.assertIn("1. " + finding["title"], words)
                    self.assertTrue(any(team in words for team in TEAMS), screen)
                    self.assertIn(" ".join(finding["fix"].split()), words)

    def test_nothing_is_plainly_good_above_a_cause(self):
        for path in self.reports:
            if json.loads(render(path, "--json"))["findings"]:
                with self.subTest(os.path.basename(path)):
                    self.assertNotIn("✔ READY", render(path))
                    self.assertNotIn("✔ READY", render(path, "-q"))

    def test_a_portal_is_six_lines(self):
        first, last = screens(os.path.join(SAVED, "captive-portal.json"))
        self.assertEqual(first, last)
        self.assertLessEqual(len(first), 6)


if __name__ == "__main__":
    unittest.main()
