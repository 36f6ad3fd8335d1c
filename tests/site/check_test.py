"""callready itself on the private site: the whole way from a vendor's document to a verdict."""

import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest


def check(site, *arguments, timeout=90):
    """Runs `callready check ... --json`; gives the exit status and the report."""
    done = site.run([CALLREADY, "check", *arguments, "--json"], timeout=timeout)
    if not done.stdout:
        raise AssertionError(f"exit {done.exit}, and no report: {done.stderr}")
    return done.exit, json.loads(done.stdout)


def verdicts(report):
    """{"rainbow": "ready", "rainbow/media": "degraded", ...}"""
    found = {}
    for target_set in report["sets"]:
        found[target_set["id"]] = target_set["verdict"]
        for capability in target_set["capabilities"]:
            found[f"{target_set['id']}/{capability['id']}"] = capability["verdict"]
    return found


def not_reached(report):
    """What went wrong, for the message of a test that fails."""
    return [f"{p['id']}: {p['outcome']} {p['detail']}" for p in report["probes"]
            if p["outcome"] not in ("answered", "connected", "passed")]


def rows(report, target_set):
    return {row["id"]: row for one in report["sets"] if one["id"] == target_set
            for row in one["requirements"]}


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class CleanSite(SiteTest):
    def test_two_vendors_are_ready(self):
        with Site() as site:
            status, report = check(site, "rainbow", "cloudoe")
        self.assertEqual({"ready"}, set(verdicts(report).values()), not_reached(report))
        self.assertEqual(0, status)
        self.assertEqual([], report["findings"])
        self.assertTrue(report["complete"])
        self.assertEqual(["84.199.10.2"], report["site"]["public_addresses"])

    def test_every_endpoint_has_a_line_of_its_own(self):
        with Site() as site:
            _, report = check(site, "cloudoe")
            done = site.run([CALLREADY, "check", "cloudoe", "--verbose"])
        self.assertEqual(0, done.exit, done.stdout)
        for probe in report["probes"]:
            port = probe["target"].get("port", probe["target"].get("ports"))
            if port is not None:
                self.assertIn(f"{probe['target']['host']}:{port}/{probe['target']['transport']}",
                              done.stdout)

    def test_a_distant_site_is_ready_too(self):
        with Site(delay_ms=100, jitter_ms=10) as site:
            status, report = check(site, "rainbow")
        self.assertEqual(0, status, not_reached(report))

    def test_a_sip_server_is_asked_once(self):
        with Site() as site:
            _, report = check(site, "rainbow", "cloudoe")
        sip = [p for p in report["probes"] if p["check"] == "sip" and p["outcome"] != "skipped"]
        asked = [(p["target"]["host"], p["target"]["transport"]) for p in sip]
        self.assertEqual(len(asked), len(set(asked)), "one OPTIONS per server and transport")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class BrokenSite(SiteTest):
    def verdicts_with(self, fault, *sets):
        with Site(faults=[fault]) as site:
            status, report = check(site, *sets)
        return status, verdicts(report), report

    def test_udp_blocked_degrades_what_has_a_fallback(self):
        status, found, report = self.verdicts_with("udp-blocked", "rainbow")
        self.assertEqual(4, status, not_reached(report))
        self.assertEqual("ready", found["rainbow/sign-in"])
        self.assertEqual("degraded", found["rainbow/media"])

    def test_udp_blocked_blocks_what_has_none(self):
        status, found, _ = self.verdicts_with("udp-blocked", "cloudoe")
        self.assertEqual(1, status)
        self.assertEqual("ready", found["cloudoe/sip-registration"], "TCP and TLS answer")
        self.assertEqual("blocked", found["cloudoe/media"])

    def test_tls_port_blocked_leaves_udp_and_tcp(self):
        status, found, report = self.verdicts_with("tcp-5061-blocked", "cloudoe")
        self.assertEqual("ready", found["cloudoe/sip-registration"], not_reached(report))
        row = rows(report, "cloudoe")["sbc-tls"]
        self.assertEqual("fail", row["status"])
        self.assertEqual(4, status)  # a required row fails

    def test_offline_is_blocked(self):
        status, found, _ = self.verdicts_with("offline", "rainbow")
        self.assertEqual(1, status)
        self.assertEqual("blocked", found["rainbow/sign-in"])

    def test_a_device_that_refuses_is_named(self):
        _, _, report = self.verdicts_with("reject-udp", "rainbow")
        by = {evidence.get("by", evidence.get("sender"))
              for p in report["probes"] if p["outcome"] == "rejected" for evidence in p["evidence"]
              if evidence.get("result") == "prohibited" or evidence["kind"] == "icmp_error"}
        self.assertEqual({"10.20.0.1"}, by)
        # Routers answer a few packets and then one a second: the others are silent, not refused.
        self.assertEqual(["firewall.udp_blocked"], [f["code"] for f in report["findings"]])

    def test_the_cause_is_named_once(self):
        for fault, code in (("udp-blocked", "firewall.udp_blocked"), ("offline", "network.offline")):
            _, _, report = self.verdicts_with(fault, "rainbow")
            self.assertEqual([code], [f["code"] for f in report["findings"]], fault)

    def test_an_interrupted_run_reports_what_it_has(self):
        with Site(faults=["udp-blocked"]) as site:
            done = site.run([CALLREADY, "check", "rainbow", "--json", "--follow"],
                            signal="SIGTERM", once='"outcome":"answered"')
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual("finished", events[-1]["event"])
        self.assertFalse(events[-1]["complete"])
        self.assertEqual(3, done.exit)
        self.assertEqual(events[0]["probes"], sum(e["event"] == "probe" for e in events))


if __name__ == "__main__":
    unittest.main()
