"""What `callready firewall` writes for nftables, used as the file itself says: loaded twice,
removed once, and enough for a router that lets nothing else out."""

import json
import unittest

from .check_test import verdicts
from .fixes import Written
from .harness import CALLREADY, Site, SiteTest

# The capability of each set that people make calls with.
CALLS = {"rainbow": "rainbow/media", "teams": "teams/audio"}


class OnARouter(SiteTest):
    def test_loaded_twice_and_removed_once(self):
        with Site(faults=["web-only-proxy"]) as site, Written(site, CALLREADY, "rainbow") as rules:
            before = rules.rules()
            rules.load(by_resolver=True)
            rules.enable()
            once = rules.rules()
            self.assertIn("jump callready", once)
            self.assertIn("10.", once)
            rules.load(by_resolver=True)
            rules.enable()
            self.assertEqual(once, rules.rules())
            rules.remove()
            self.assertEqual(before, rules.rules())

    def test_what_a_set_lists_is_enough(self):
        for name in ("rainbow", "teams"):
            with self.subTest(name), Site(faults=["web-only-proxy"]) as site, \
                    Written(site, CALLREADY, name) as rules:
                before = json.loads(site.run([CALLREADY, "check", name, "--json"]).stdout)
                self.assertNotIn("ready", verdicts(before).values(), "nothing gets out yet")
                rules.load(by_resolver=True)
                rules.enable()
                report = json.loads(site.run([CALLREADY, "check", name, "--json"]).stdout)
                found = verdicts(report)
                self.assertEqual(({"ready"}, []), (set(found.values()), report["findings"]))
                self.assertLessEqual({name + "/sign-in", CALLS[name]}, set(found))


if __name__ == "__main__":
    unittest.main()
