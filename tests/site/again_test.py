"""One network, one answer: a run right after another says the same, though routers give few ICMP
answers (Linux: six at once, then one a second) and the earlier runs have used them up."""

import json
import os
import sys
import tempfile

from tests.site.harness import CALLREADY, Site, SiteTest
from tests.site.tools import beside

ANSWERS = beside("answers.py")
RUNS = int(os.environ.get("CALLREADY_AGAIN", "4"))

# From one router, while nothing is wrong (docs/design.md, "The evidence ladder for UDP").
MOST_ANSWERS = 3
# Sets with several kinds of packets to one host, some of them over TCP where nobody may listen.
MANY_KINDS = {"agora": 5, "ringcentral": 4}
# Media ranges of more than 8,192 ports, for which a second port is asked about.
WIDE_RANGES = {"cloudoe", "goto-connect-phones"}
# The PC's own router is asked for nothing but the way.
INSIDE = "10."


def most_answers(name):
    return MANY_KINDS.get(name, MOST_ANSWERS + (name in WIDE_RANGES))


def most_from_one(answers):
    return max((n for router, n in answers.items() if not router.startswith(INSIDE)), default=0)


def told(report):
    """What a reader takes away: verdicts and causes."""
    return ({one["id"]: one["verdict"] for one in report["sets"]},
            sorted((finding["code"], finding["confidence"]) for finding in report["findings"]))


class Again(SiteTest):
    def check(self, site, *sets, state=None):
        """`state`: where runs are kept, and what they learnt of the way."""
        done = site.run([sys.executable, ANSWERS, "--", CALLREADY, "check",
                         *([] if state else ["--no-keep"]), *sets, "--json"],
                        env={"XDG_STATE_HOME": state} if state else {}, privileged=True)
        seen = json.loads(done.stdout)
        self.packets = seen["packets"]  # of the last run: why there were so many
        return json.loads(seen["stdout"]), seen["answers"]

    def assert_few(self, answers, most):
        self.assertLessEqual(most_from_one(answers), most, (answers, self.packets))

    def test_a_healthy_network_is_ready_every_time(self):
        for sets in (["rainbow"], ["cloudoe"], ["librestream"], ["agora"], ["rainbow", "cloudoe"]):
            with self.subTest(sets=sets), Site(faults=["routers-limited"], delay_ms=20) as site:
                for number in range(RUNS):
                    report, answers = self.check(site, *sets)
                    self.assertEqual(told(report), ({name: "ready" for name in sets}, []), number)
                    if number == 0:
                        self.assert_few(answers, max(map(most_answers, sets)))

    def test_questions_are_spread_over_routers(self):
        for name in ("teams", "google-meet", "zoom", "ringcentral", "amazon-connect"):
            with self.subTest(set=name):
                # On a busy computer an answer comes too late now and then, and the question goes to
                # the next router as well; not three times in a row.
                for _ in range(3):
                    with Site(faults=["routers-limited"]) as site:
                        report, answers = self.check(site, name)
                    self.assertEqual(told(report), ({name: "ready"}, []))
                    if most_from_one(answers) <= most_answers(name):
                        break
                self.assert_few(answers, most_answers(name))

    def test_the_next_run_asks_less(self):
        """What a run learnt of the way is kept for some minutes: others need not climb again."""
        for name in ("agora", "goto-connect-phones"):
            with (self.subTest(set=name), tempfile.TemporaryDirectory() as state,
                  Site(faults=["patient-routers"], delay_ms=20) as site):
                answers = []
                for _ in range(4):  # which listener is reached first is chance
                    report, of = self.check(site, name, state=state)
                    self.assertEqual(told(report), ({name: "ready"}, []))
                    answers.append(of)
                least = min(answers[1:], key=lambda of: sum(of.values()))
                self.assertLess(sum(least.values()), sum(answers[0].values()) - 1, answers)
                self.assert_few(least, MOST_ANSWERS + (name in WIDE_RANGES))

    def test_what_was_learnt_elsewhere_is_not_believed(self):
        """The same computer, a minute later behind a firewall that drops media."""
        with tempfile.TemporaryDirectory() as state:
            told_of = []
            for faults in (["patient-routers"], ["patient-routers", "udp-ports-blocked=10000-65535"],
                           ["patient-routers", "double-nat", "udp-ports-blocked=10000-65535"]):
                with Site(faults=faults, delay_ms=20) as site:
                    kept, _ = self.check(site, "rainbow", state=state)
                    new, _ = self.check(site, "rainbow")
                self.assertEqual(told(kept), told(new), faults)
                told_of.append(told(kept))
            self.assertNotEqual(told_of[0], told_of[1])

    def test_one_router_is_enough(self):
        """The only router beyond the edge that speaks answers once a second, not every climb."""
        faults = ["double-nat", "only-vendor=webex-partner", "udp-replies-dropped"]
        with Site(faults=faults) as site:
            for number in range(RUNS):
                report, _ = self.check(site, "webex-partner", "--no-anchors")
                self.assertEqual(told(report), ({"webex-partner": "ready"}, []), number)

    def test_all_ports_are_tried_where_all_are_wanted(self):
        """By default one port over TCP speaks for its kind; --all tries each."""
        def spared(*options):
            with Site(faults=["patient-routers"]) as site:
                report, _ = self.check(site, "nfon", *options)
            self.assertEqual(told(report)[0], {"nfon": "ready"})
            return [probe["id"] for probe in report["probes"] if probe["detail"] == "spared"]

        self.assertNotEqual(spared(), [])
        self.assertEqual(spared("--all"), [])

    def test_a_fault_is_named_every_time(self):
        for fault in ("udp-blocked", "reject-udp", "symmetric-nat", "sip-alg"):
            with self.subTest(fault=fault), \
                    Site(faults=["routers-limited", fault], delay_ms=20) as site:
                first, _ = self.check(site, "cloudoe")
                self.assertNotEqual(told(first)[1], [])
                for _ in range(RUNS - 1):
                    again, _ = self.check(site, "cloudoe")
                    self.assertEqual(told(again), told(first))
