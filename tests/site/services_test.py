"""The sets of the services that people use: ready on a clean site, and right where media or all but
the web is closed. What a service falls back to is what its document says."""

import concurrent.futures
import os
import unittest

import yaml

from .check_test import CALLREADY, check, not_reached, verdicts
from .harness import Site, SiteTest
from .names import ROOT

AT_ONCE = 3

# set, capability of media, its verdict with UDP blocked, and with only TCP 80 and 443 open.
MEDIA = [
    ("teams", "audio", "degraded", "degraded"),
    ("teams-direct-routing", "media", "blocked", "blocked"),
    ("zoom", "media", "degraded", "degraded"),
    ("google-meet", "media-workspace", "degraded", "degraded"),
    ("google-meet", "media-consumer", "degraded", "degraded"),
    ("webex", "media", "degraded", "degraded"),
    ("webex-calling", "calls", "blocked", "blocked"),
    ("ringcentral", "calls", "blocked", "blocked"),
    ("ringcentral", "video", "degraded", "degraded"),
    ("amazon-chime-sdk", "media", "degraded", "degraded"),
    ("amazon-connect", "agent-voice", "blocked", "blocked"),
    ("azure-communication-services", "audio", "degraded", "degraded"),
    ("goto", "media", "degraded", "degraded"),
    ("genesys-cloud", "voice", "degraded", "blocked"),
    ("jitsi", "media", "degraded", "blocked"),
    ("3cx", "app-calls", "degraded", "blocked"),
]
SETS = sorted({name for name, *_ in MEDIA})


def scenarios(name):
    """(scenario, arguments) of a set; servers of one's own are those of its examples, which the
    site has."""
    with open(os.path.join(ROOT, "targets", "vendors", name + ".yaml"), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    own = [word for variable in document.get("variables", []) if "default" not in variable
           for word in ("--var", f"{variable['name']}={variable['example']}")]
    return document["scenarios"], own


def at_once(run, cases):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(zip(cases, pool.map(run, cases)))


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Services(SiteTest):
    def test_every_scenario_is_ready_on_a_clean_site(self):
        cases = [(name, scenario["id"]) for name in SETS for scenario in scenarios(name)[0]]

        def run(case):
            name, scenario = case
            with Site() as site:
                return check(site, name, "--scenario", scenario, *scenarios(name)[1])

        for case, (status, report) in at_once(run, cases):
            with self.subTest(case):
                capabilities = {verdict for one, verdict in verdicts(report).items() if "/" in one}
                self.assertLessEqual(capabilities, {"ready"}, not_reached(report))
                self.assertEqual([], report["findings"])
                self.assertEqual(0, status)

    def assert_media(self, fault, expected):
        """Each set on a site with one fault; `expected` by set and capability."""
        def run(name):
            with Site(faults=[fault]) as site:
                return check(site, name, *scenarios(name)[1])

        for name, (_, report) in at_once(run, SETS):
            found = verdicts(report)
            for (own, capability), verdict in expected.items():
                if own != name:
                    continue
                with self.subTest(own, capability=capability):
                    self.assertEqual(verdict, found[f"{own}/{capability}"], not_reached(report))

    def test_udp_blocked(self):
        self.assert_media("udp-blocked", {(name, capability): verdict
                                          for name, capability, verdict, _ in MEDIA})

    def test_only_the_web(self):
        self.assert_media("only-web", {(name, capability): verdict
                                       for name, capability, _, verdict in MEDIA})


if __name__ == "__main__":
    unittest.main()
