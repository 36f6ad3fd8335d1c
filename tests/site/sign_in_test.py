"""What a service leans on: its sign-in is in the verdict, and in what `firewall` asks for."""

import json
import os
import subprocess
import tempfile
import unittest

from .check_test import CALLREADY, check, not_reached, rows, verdicts
from .harness import Site, SiteTest


def findings_of(report):
    return {finding["code"]: finding for finding in report["findings"]}


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class SignIn(SiteTest):
    def checked(self, *faults, sets=("teams",), options=()):
        with Site(faults=faults) as site:
            return check(site, *sets, *options)

    def test_a_clean_site_signs_in(self):
        status, report = self.checked()
        self.assertEqual(0, status, not_reached(report))
        self.assertEqual("ready", verdicts(report)["teams/sign-in"])
        own = rows(report, "teams")["sign-in"]
        self.assertEqual(("microsoft-365", "pass"), (own["of_set"], own["status"]))
        self.assertEqual(["microsoft-365", "single-sign-on"],
                         [needed["id"] for needed in report["sets"][0]["needs_sets"]])

    def test_names_of_the_sign_in_are_denied(self):
        status, report = self.checked("dns-nxdomain=microsoftonline.com")
        found = verdicts(report)
        self.assertEqual((1, "blocked", "blocked", "ready"),
                         (status, found["teams"], found["teams/sign-in"], found["teams/audio"]))
        self.assertEqual(["dns.filtered"], list(findings_of(report)))
        cause = findings_of(report)["dns.filtered"]
        self.assertIn({"set": "teams", "capabilities": ["sign-in"]}, cause["affects"])
        self.assertIn("login.microsoftonline.com", cause["title"] + str(cause["evidence"]))

    def test_the_way_to_the_sign_in_is_closed(self):
        """The rules to ask for name the set that the sign-in stands in, and its vendor's names."""
        names = "login.microsoftonline.com,login.microsoft.com,login.windows.net"
        status, report = self.checked("host-blocked=" + names)
        self.assertEqual((1, "blocked"), (status, verdicts(report)["teams/sign-in"]))
        (cause,) = [f for f in report["findings"] if "teams/sign-in" in f["explains"]]
        self.assertEqual({"microsoft-365"}, {rule["set"] for rule in cause["rules"]})
        asked = {one["text"] for rule in cause["rules"] for one in rule["destinations"]}
        self.assertTrue(asked >= set(names.split(",")), asked)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(report, file)
            file.flush()
            done = subprocess.run([CALLREADY, "firewall", "--missing", "--from", file.name,
                                   "--format", "json"], capture_output=True, text=True, check=True,
                                  timeout=60)
        missing = {one["id"]: one["rules"] for one in json.loads(done.stdout)["sets"]}
        self.assertEqual({"closed"}, {rule["state"] for rule in missing["microsoft-365"]
                                      if "sign-in" in rule["requirements"]})

    def test_two_sets_lean_on_one_sign_in(self):
        status, report = self.checked("dns-nxdomain=microsoftonline.com",
                                      sets=("teams", "teams-direct-routing"),
                                      options=("--scenario", "commercial", "--scenario", "client",
                                               "--scenario", "administration"))
        found = verdicts(report)
        self.assertEqual(1, status)
        self.assertEqual({"blocked"}, {found[name + "/sign-in"] for name in
                                       ("teams", "teams-direct-routing")})
        self.assertEqual(["dns.filtered"], [f["code"] for f in report["findings"]], "one cause")
        probes = [p["id"] for p in report["probes"] if p["id"].startswith("tls/")]
        self.assertEqual(len(probes), len(set(probes)), "each is asked once")

    def test_a_sign_in_of_ones_own(self):
        """Known by its variable: tested where it is given, and not asked for where it is not."""
        with Site(faults=["host-blocked=login.example.com"]) as site:
            status, report = check(site, "teams", "--var", "sign_in=login.example.com")
        self.assertEqual((1, "fail"), (status, rows(report, "teams")["single-sign-on"]["status"]))
        (cause,) = report["findings"]
        self.assertIn("TCP 443 to login.example.com", cause["fix"])
        self.assertNotIn("--var", cause["fix"], "the value was given")
        _, report = self.checked()
        self.assertEqual("skip", rows(report, "teams")["single-sign-on"]["status"])

    def test_a_sign_in_of_ones_own_where_the_document_names_none(self):
        var = ("--var", "sign_in=login.example.com")
        with Site() as site:
            status, report = check(site, "whereby", *var)
        self.assertEqual((0, "ready"), (status, verdicts(report)["whereby/sign-in"]))
        self.assertNotIn("Sign-in was not tested", str(report["sets"][0]["notes"]))
        with Site(faults=["host-blocked=login.example.com"]) as site:
            status, report = check(site, "whereby", *var)
        found = verdicts(report)
        self.assertEqual((1, "blocked", "ready"),
                         (status, found["whereby/sign-in"], found["whereby/join"]))

    def test_what_names_no_sign_in_says_so(self):
        with Site() as site:
            done = site.run([CALLREADY, "check", "whereby"])
            teams = site.run([CALLREADY, "check", "teams"])
        said = ("Sign-in was not tested: the vendor's document lists no hosts for it. To test your own "
                "sign-in page, add --var sign_in=...")
        self.assertEqual(1, " ".join(done.stdout.split()).count(said), done.stdout)
        self.assertNotIn("Sign-in was not tested", teams.stdout)

    def test_what_firewall_lists_is_enough(self):
        """A new PC behind a firewall that lets out nothing else resolves names, signs in and calls."""
        done = subprocess.run([CALLREADY, "firewall", "teams", "teams-direct-routing", "--scenario",
                               "client", "--scenario", "administration", "--format", "json"],
                              capture_output=True, text=True, check=True, timeout=60)
        lists = {one["id"]: one for one in json.loads(done.stdout)["sets"]}
        self.assertEqual(["Microsoft Teams", "Microsoft Teams Direct Routing"],
                         lists["microsoft-365"]["needed_by"], "once for both")
        status, report = self.checked("only-list=teams")
        found = verdicts(report)
        self.assertEqual({"ready"}, set(found.values()), not_reached(report))
        self.assertEqual(0, status)
        seen = rows(report, "teams")
        self.assertEqual({"pass"}, {seen[row]["status"] for row in
                                    ("sign-in", "sign-in-pages", "signaling", "media-udp")})


if __name__ == "__main__":
    unittest.main()
