"""The checks over UDP and TURN against real servers, NATs and firewalls: what each observation is,
and that nothing counts as proved which is not."""

import json
import os
import time
import unittest

from .harness import CALLREADY, Site, SiteTest
from .names import HERE

SET = os.path.join(HERE, "udp.yaml")
LOGIN = ("export CALLREADY_TURN_HOST=$CALLREADY_SITE_TURN_HOST "
         "CALLREADY_TURN_USER=$CALLREADY_SITE_TURN_USER "
         "CALLREADY_TURN_PASSWORD=$CALLREADY_SITE_TURN_PASSWORD; ")
FIREWALL, PUBLIC, PROVIDER = "10.20.0.1", "84.199.10.2", "84.199.10.1"


class Checks(SiteTest):
    """Runs single rows of the set."""

    def start_rows(self, site, *rows, login=True, anchors=False, options=(), environment=None,
                   **signal):
        """A run of these rows, which may be interrupted by a signal. Without anchors nothing but
        the rows is asked, and no other host's path is known to lead out of the site."""
        only = [word for row in rows for word in ("--only", row)]
        return site.run(["sh", "-c", (LOGIN if login else "") + 'exec "$0" "$@"', CALLREADY, "check",
                         "example", "--set", SET, *([] if anchors else ["--no-anchors"]), "--json",
                         "--quiet", *only, *options],
                        env=environment, timeout=120, **signal)

    def run_rows(self, site, *rows, **how):
        """The report of a run of these rows."""
        done = self.start_rows(site, *rows, **how)
        self.assertIn(done.exit, (0, 1, 3, 4), done.stderr)
        return json.loads(done.stdout)

    def see(self, site, row, **how):
        """The only observation of a row, run alone."""
        return self.find(self.run_rows(site, row, **how), row)

    def find(self, report, row):
        """The only observation of a row; evidence by its kind, the first of each."""
        asked = [r for s in report["sets"] for r in s["requirements"] if r["id"] == row][0]
        seen = [p for p in report["probes"] if p["id"] in asked["probes"]][0]
        seen["by_kind"] = {}
        for evidence in seen["evidence"]:
            seen["by_kind"].setdefault(evidence["kind"], evidence)
        seen["report"] = report
        return seen

    def expect(self, seen, outcome, detail):
        self.assertEqual((outcome, detail), (seen["outcome"], seen["detail"]), seen["evidence"])


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Turn(Checks):
    def test_relays_over_every_way(self):
        with Site() as site:
            report = self.run_rows(site, "turn", "turn-tcp", "turn-tls")
            self.assertEqual({"relayed"}, {p["detail"] for p in report["probes"]})
            self.assertFalse([e for p in report["probes"] for e in p["evidence"]
                              if e["kind"] == "allocation_left"])
            report = self.run_rows(site, "turn", "turn-tcp", "turn-tls", login=False)
            for row in ("turn", "turn-tcp", "turn-tls"):
                self.expect(self.find(report, row), "answered", "401")

    def test_tls_to_a_plain_server_fails(self):
        with Site(faults=["turn-no-tls"]) as site:
            self.assertEqual("relayed", self.see(site, "turn")["detail"])
            plain = self.see(site, "tls-to-plain")
        self.assertEqual("failed", plain["outcome"], plain["evidence"])

    def test_refusals(self):
        for fault, outcome, detail in (("turn-password", "denied", "401"),
                                       ("turn-no-udp-relay", "denied", "442"),
                                       ("turn-peers-denied", "answered", "allocated"),
                                       ("relays-dead", "failed", "relay_dead"),
                                       ("turn-down", "refused", "connection_refused")):
            with self.subTest(fault), Site(faults=[fault]) as site:
                seen = self.see(site, "turn")
                self.expect(seen, outcome, detail)
                if fault == "turn-peers-denied":
                    self.assertIn("403", seen["by_kind"]["relay_trip"]["not_measured"])
                if fault == "turn-down":
                    self.assertEqual("beyond", seen["by_kind"]["refuser"]["who"])

    def test_a_relay_that_carries_nothing_is_no_pass(self):
        """Granted, silent both ways, and its server lets no second relay tell whose fault it is."""
        with Site(faults=["relays-dead", "turn-no-loops"]) as site:
            seen = self.see(site, "turn")
        self.expect(seen, "answered", "allocated")
        trip = seen["by_kind"]["relay_trip"]
        self.assertEqual((False, False), (trip["outbound"], trip["inbound"]))
        row = next(r for s in seen["report"]["sets"] for r in s["requirements"]
                   if r["id"] == "turn")
        self.assertEqual("unknown", row["status"], row["summary"])
        self.assertIn("no data came through it", row["summary"])

    def test_quota(self):
        # A user's own limit, and the end of the server's ports: one on each of its two addresses.
        # Each holds its relay for some ten round trips, so that they do at once.
        for fault, detail in (("turn-quota=1", "486"), ("turn-full=1", "508")):
            with self.subTest(fault), Site(faults=[fault], delay_ms=150) as site:
                report = self.run_rows(site, "turn", "turn-tcp", "turn-tls")
                details = {p["detail"]: p["outcome"] for p in report["probes"]}
                self.assertEqual("denied", details.get(detail), details)
                self.assertIn("relayed", details)
                self.assertIn("turn.quota", [f["code"] for f in report["findings"]])

    def test_time_limited_credentials(self):
        with Site(faults=["turn-secret=north"]) as site:
            for secret, detail in (("north", "relayed"), ("south", "401")):
                seen = self.see(site, "turn", login=False,
                                environment={"CALLREADY_TURN_SECRET": secret,
                                             "CALLREADY_TURN_HOST": "turn1.example-calls.com"})
                self.assertEqual(detail, seen["detail"], seen["evidence"])

    def test_an_inspection_device_is_not_turn(self):
        for fault in ("tls-intercept", "tls-intercept-unknown"):
            with self.subTest(fault), Site(faults=[fault]) as site:
                self.assertEqual("failed", self.see(site, "turn-tls")["outcome"])

    def test_nothing_is_left_allocated(self):
        # One relay a user: whatever were left would be in the way of the next run.
        # Interrupted while it waits for what the relay sends, which never comes.
        with Site(faults=["turn-quota=1", "udp-replies-dropped"]) as site:
            for after in (0.6, 1.2, 2, 3, 4.5):  # a busy machine is slow to get there
                done = self.start_rows(site, "turn-tcp", signal="SIGINT", after=after)
                if done.exit != 3:  # it had not begun, or had ended
                    continue
                seen = self.find(json.loads(done.stdout), "turn-tcp")
                if "relay" in seen["by_kind"] and not seen["report"]["complete"]:
                    break
            self.assertFalse(seen["report"]["complete"])
            self.assertIn("relay", seen["by_kind"], "it held a relay when it was interrupted")
            self.assertNotIn("allocation_left", seen["by_kind"])
            for _ in range(8):  # coturn frees what was given back a second later, or two
                time.sleep(1)
                again = self.see(site, "turn-tcp")
                if again["detail"] != "486":
                    break
            self.assertIn("relay", again["by_kind"])


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Proofs(Checks):
    """What must not count as proved."""

    def test_stun_inspected_away_is_no_answer(self):
        with Site(faults=["stun-inspected"]) as site:
            report = self.run_rows(site, "stun", "stun-tcp", "turn", "nat", "media")
        for row in ("stun", "turn", "nat"):
            self.expect(self.find(report, row), "silent", "timed_out")
        self.assertEqual("answered", self.find(report, "stun-tcp")["outcome"])
        # Other payload still leaves.
        self.assertEqual("passed", self.find(report, "media")["outcome"])

    def test_the_firewalls_own_hop_proves_nothing(self):
        with Site(faults=["udp-blocked", "mute-hops"]) as site:
            seen = self.see(site, "media")
        self.expect(seen, "silent", "silent")
        with Site(faults=["udp-blocked"]) as site:
            self.expect(self.see(site, "media", anchors=True), "silent", "dropped")

    def test_a_refusal_of_the_firewalls_is_not_the_servers(self):
        with Site(faults=["rst-tcp-5061"]) as site:
            report = self.run_rows(site, "sip-tls", anchors=True)
            asked = [p for p in report["probes"] if not p["control"]]
            self.assertEqual({"rejected"}, {p["outcome"] for p in asked})
            for probe in asked:
                refuser = [e for e in probe["evidence"] if e["kind"] == "refuser"][0]
                self.assertEqual(("on_the_way", FIREWALL), (refuser["who"], refuser["by"]))
            seen = self.see(site, "closed")
            self.expect(seen, "refused", "connection_refused")
            self.assertEqual("beyond", seen["by_kind"]["refuser"]["who"])

    def test_the_same_for_icmp(self):
        with Site(faults=["unreachable-udp-3478"]) as site:
            seen = self.see(site, "stun")
            self.assertEqual("rejected", seen["outcome"])
            self.assertEqual(FIREWALL, seen["by_kind"]["icmp_error"]["sender"])
        # A device that answers in the server's name.
        with Site(faults=["hijacked-udp-3478"]) as site:
            for row in ("stun", "turn"):
                seen = self.see(site, row)
                self.expect(seen, "rejected", "refused_on_the_way")
                self.assertEqual("on_the_way", seen["by_kind"]["refuser"]["who"])


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Ranges(Checks):
    def ports(self, seen):
        return {e["port"]: e for e in seen["evidence"] if e["kind"] == "udp_port"}

    def test_relays_are_far_ends(self):
        with Site() as site:
            seen = self.see(site, "relays")
            self.expect(seen, "answered", "replied")
            self.assertEqual(16, seen["by_kind"]["udp_relays"]["measured"])
            self.assertLess(seen["by_kind"]["udp_sample"]["excludes_percent"], 18)
            self.assertNotIn("allocation_left", seen["by_kind"])
            without = self.see(site, "relays", login=False)
            self.assertNotIn("udp_relays", without["by_kind"])

    def test_relays_find_a_block(self):
        with Site(faults=["udp-ports-blocked=52000-60000"]) as site:
            seen = self.see(site, "relays")
        self.expect(seen, "silent", "partly_dropped")
        for number, port in self.ports(seen).items():
            blocked = 52000 <= number <= 60000
            self.assertEqual("dropped" if blocked else "replied", port["result"], port)
            self.assertEqual(not blocked, port["outbound"])
        block = seen["by_kind"]["udp_block"]
        self.assertTrue(52000 <= block["first"] <= block["last"] <= 60000, block)

    def test_relays_tell_the_directions_apart(self):
        with Site(faults=["udp-replies-dropped"]) as site:
            seen = self.see(site, "relays")
        self.expect(seen, "silent", "inbound_dropped")
        for port in self.ports(seen).values():
            self.assertEqual((True, False), (port["outbound"], port["inbound"]))

    def test_dead_relays_prove_nothing_of_the_firewall(self):
        with Site(faults=["relays-dead"]) as site:
            seen = self.see(site, "relays")
        self.assertFalse(seen["by_kind"]["udp_relays"]["relays_work"])
        self.assertNotIn("dropped", {p["result"] for p in self.ports(seen).values()})

    def test_a_block_is_found_with_its_bounds(self):
        with Site(faults=["udp-ports-blocked=20000-35999"]) as site:
            seen = self.see(site, "media", anchors=True)
        self.expect(seen, "silent", "partly_dropped")
        block = seen["by_kind"]["udp_block"]
        self.assertTrue(10000 <= block["open_before"] < 20000 <= block["first"], block)
        self.assertTrue(block["last"] < 36000 <= block["open_after"] <= 43321, block)
        last = {(port["by"], port["ttl"]) for port in self.ports(seen).values()
                if port["result"] == "left_site"}
        self.assertEqual({("185.199.42.254", 4)}, last)  # the last router before the servers

    def test_two_hosts_of_a_range_show_more_ports_than_one(self):
        with Site(delay_ms=20) as site:
            report = json.loads(site.run([CALLREADY, "check", "librestream", "--json", "--quiet"],
                                         timeout=60).stdout)
        left = [{e["port"] for e in probe["evidence"] if e.get("result") == "left_site"}
                for probe in report["probes"] if probe["id"].startswith("udp-range/")]
        self.assertEqual(2, len(left), left)
        self.assertGreater(len(set.union(*left)), max(map(len, left)), left)

    def test_who_prohibits_is_named(self):
        with Site(faults=["reject-udp"]) as site:
            seen = self.see(site, "media")
        self.assertEqual("rejected", seen["outcome"])
        by = {p["by"] for p in self.ports(seen).values() if p["result"] == "prohibited"}
        self.assertEqual({FIREWALL}, by)


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Nat(Checks):
    KINDS = ("nat_mapping", "nat_filtering", "port_preservation", "hairpin", "nat_translations")

    def values(self, seen):
        return tuple(seen["by_kind"][kind]["value"] for kind in self.KINDS)

    def test_kinds(self):
        same, by_port, unknown = ("endpoint_independent", "address_and_port_dependent",
                                  "not_measured")
        for faults, expected in (
                ([], (same, by_port, "all", "no", "one")),
                (["symmetric-nat"], (by_port, by_port, "none", "no", "one")),
                (["full-cone"], (same, same, "all", "no", "one")),
                (["no-nat"], ("none", same, "all", unknown, "none")),
                (["hairpin"], (same, by_port, "all", "yes", "one")),
                (["mute-routers=provider"], (same, by_port, "all", "no", unknown)),
                (["carrier-nat"], (same, by_port, "all", "no", "carrier")),
                (["double-nat"], (same, by_port, "all", "no", "two"))):
            with self.subTest(faults), Site(faults=faults) as site:
                report = self.run_rows(site, "nat", "nat-two", "nat-relays")
                # A server with OTHER-ADDRESS, then by less: the same as far as it goes.
                self.assertEqual(expected, self.values(self.find(report, "nat")))
                nat = report["site"]["nat"]
                self.assertEqual(expected, tuple(nat[name] for name in (
                    "mapping", "filtering", "port_preservation", "hairpin", "translations")))
                self.assertEqual(unknown, nat["binding_lifetime_s"])
                mapping = expected[0].replace(by_port, "destination_dependent")
                self.assertEqual((mapping, unknown),
                                 self.values(self.find(report, "nat-two"))[:2])
                relays = self.find(report, "nat-relays")
                self.assertEqual(expected[:2], self.values(relays)[:2], relays["evidence"])

    def test_binding_lifetime(self):
        with Site(faults=["idle-timeout=14"]) as site:
            seen = self.see(site, "nat", options=["--thorough", "--timeout", "40"], login=False)
        self.assertEqual("10-20", seen["by_kind"]["nat_lifetime"]["value"])
        self.assertEqual("10-20", seen["report"]["site"]["nat"]["binding_lifetime_s"])


if __name__ == "__main__":
    unittest.main()
