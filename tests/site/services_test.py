"""Every set, on a site where its vendor's servers answer: ready on a clean one, right where media,
all but the web, all but a proxy or names are closed, and where TLS is inspected.

All sets share one run for each site. That is more than the manners allow at once, so the run goes at
`--pace fast`, and the site's routers say of every packet where it died: a usual one answers six."""

import concurrent.futures
import glob
import json
import os
import unittest

import yaml

from .check_test import CALLREADY, not_reached
from .harness import Site, SiteTest
from .names import HERE, ROOT

AT_ONCE = 2
TAGS = os.path.join(ROOT, "tests", "targets", "service_tags.json")
# What is not ready, by site: tests/site/services.yaml.
EXPECTED = os.path.join(HERE, "services.yaml")


def documents():
    """{id: set} of all that the program has."""
    sets = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "targets", "vendors", "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            document = yaml.safe_load(file)
        sets[document["id"]] = document
    return sets


SETS = documents()


def own_servers():
    """Customers' own servers are those of the sets' examples, which the site has."""
    return [word for name, document in SETS.items() for variable in document.get("variables", [])
            if "default" not in variable
            for word in ("--var", f"{name}/{variable['name']}={variable['example']}")]


def run(faults, *arguments, proxy=False):
    """One run of all sets; the report."""
    command = [CALLREADY, "check", *SETS, *own_servers(), "--service-tags", TAGS, "--pace", "fast",
               "--json", *arguments]
    if proxy:
        command = ["sh", "-c", '"$@" --proxy "$CALLREADY_SITE_PROXY"', "sh", *command]
    with Site(faults=["patient-routers", *faults]) as site:
        done = site.run(command, timeout=120)
    if not done.stdout:
        raise AssertionError(f"exit {done.exit}, and no report: {done.stderr}")
    return json.loads(done.stdout)


def not_ready(report):
    """{set: {capability: verdict}}; what a normal run leaves out is not looked at."""
    found = {}
    for one in report["sets"]:
        bad = {c["id"]: c["verdict"] for c in one["capabilities"]
               if c["verdict"] != "ready" and not c["summary"].startswith("left out")}
        if bad:
            found[one["id"]] = bad
    return found


def sites():
    with open(EXPECTED, encoding="utf-8") as file:
        return yaml.safe_load(file)


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Services(SiteTest):
    maxDiff = None

    def test_every_set_on_every_site(self):
        every_scenario = [word for one in sorted({scenario["id"] for document in SETS.values()
                                                  for scenario in document.get("scenarios", [])})
                          for word in ("--scenario", one)]

        def on_its_site(case):
            return run(case["faults"], *(every_scenario if case.get("every_scenario") else []),
                       proxy=case.get("proxy", False))

        cases = sites()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            reports = list(pool.map(on_its_site, cases))
        for case, report in zip(cases, reports):
            with self.subTest(case["site"]):
                self.assertEqual(set(SETS), {one["id"] for one in report["sets"]})
                self.assertEqual(case["not_ready"], not_ready(report), not_reached(report))
                found = {f["code"] for f in report["findings"]}
                self.assertEqual(set(case["find"]), found - set(case.get("may", [])))


if __name__ == "__main__":
    unittest.main()
