"""`callready serve` on the vendor's side of the private site, and `check --set` of the set that it
prints on the PC: the whole way, through NAT and firewall, without and with faults."""

import json
import os
import unittest

from .harness import CALLREADY, Site, SiteTest
from .plan import FOLDER, RESPONDER_KEY

SET = os.path.join(FOLDER, "responder", "log")


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class ServeTest(SiteTest):
    def check(self, *options, faults=(), key=RESPONDER_KEY):
        with Site(faults=[f"responder={os.path.abspath(CALLREADY)}", *faults]) as site:
            done = site.run([CALLREADY, "check", "--set", SET, "--json", "--no-anchors", "--no-keep",
                             *options], timeout=90, env={"CALLREADY_MEDIA_KEY": key})
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertNotIn(RESPONDER_KEY, done.stdout + done.stderr)
        rows = {row["id"]: row for row in report["sets"][0]["requirements"]}
        return done.exit, report, rows

    def test_a_clean_site_is_ready(self):
        status, report, rows = self.check()
        self.assertEqual({"pass"}, {r["status"] for i, r in rows.items() if i != "stream"}, rows)
        self.assertEqual([], [f["code"] for f in report["findings"]])
        self.assertEqual(("ready", 0), (report["sets"][0]["verdict"], status))
        probes = {p["id"]: p for p in report["probes"]}
        media = probes[rows["media"]["probes"][0]]
        self.assertEqual("answered", media["outcome"])
        results = {e["result"] for e in media["evidence"] if e["kind"] == "udp_port"}
        self.assertEqual({"replied"}, results)
        nat = probes[rows["nat"]["probes"][0]]
        kinds = {e["kind"]: e.get("value") for e in nat["evidence"]}
        self.assertEqual("endpoint_independent", kinds["nat_mapping"])
        self.assertEqual("address_and_port_dependent", kinds["nat_filtering"])
        for probe in (probes[i] for i in rows["sip-alg"]["probes"]):
            self.assertEqual("no_rewriting_seen", probe["detail"])
            told = next(e for e in probe["evidence"] if e["kind"] == "sip_alg")
            self.assertTrue(told["sdp_tested"])

    def test_a_part_of_the_media_range_is_blocked(self):
        status, report, rows = self.check(faults=["udp-ports-blocked=20048-20063"])
        self.assertEqual("fail", rows["media"]["status"])
        self.assertEqual(1, status)
        found = {f["code"]: f for f in report["findings"]}
        self.assertEqual({"firewall.udp_range_blocked"}, set(found))
        self.assertRegex(found["firewall.udp_range_blocked"]["title"], "200(4[89]|5[0-9])-20063")
        self.assertEqual("certain", found["firewall.udp_range_blocked"]["confidence"])

    def test_a_sip_alg_is_found_by_the_mirror(self):
        _, report, rows = self.check(faults=["sip-alg"])
        found = {f["code"]: f for f in report["findings"]}
        self.assertEqual("certain", found["sip.alg"]["confidence"])
        probes = {p["id"]: p for p in report["probes"]}
        bases = {e["basis"] for i in rows["sip-alg"]["probes"]
                 for e in probes[i]["evidence"] if e["kind"] == "sip_alg" and "basis" in e}
        self.assertIn("mirror", bases)

    def test_long_sip_that_is_lost_tells_the_way(self):
        """The far end answers long requests, and sends replies as long where it is asked to."""
        for fault, way in (("fragments-dropped", "on the way out"),
                           ("fragments-dropped-inbound", "on the way back")):
            with self.subTest(fault):
                _, report, _ = self.check(faults=[fault])
                found = {f["code"]: f for f in report["findings"]}
                self.assertEqual(["sip.fragments_lost"], list(found))
                self.assertEqual("certain", found["sip.fragments_lost"]["confidence"])
                self.assertIn(way, found["sip.fragments_lost"]["evidence"][-1]["text"])

    def greeting(self, report, rows):
        probes = {p["id"]: p for p in report["probes"]}
        told = [e for i in rows["call"]["probes"] for e in probes[i]["evidence"]
                if e["kind"] == "call_greeting"]
        return [(e["first_parts"], e["later_parts"]) for e in told]

    def test_greetings_in_two_datagrams_arrive(self):
        _, report, rows = self.check()
        self.assertEqual([(4, 4)], self.greeting(report, rows))

    def test_a_device_that_drops_the_second_datagram_is_named(self):
        for _ in range(int(os.environ.get("CALLREADY_RUNS", "1"))):
            status, report, rows = self.check(faults=["dtls-part-cut"])
            self.assertEqual([(4, 0)], self.greeting(report, rows))
            self.assertEqual("pass", rows["call"]["status"], "its own greeting is short")
            self.assertEqual([("dtls.long_hello_cut", "certain", "security")],
                             [(f["code"], f["confidence"], f["owner"])
                              for f in report["findings"]])
            self.assertEqual(4, status)

    def test_without_the_key_nothing_is_claimed(self):
        status, _, rows = self.check(key="")
        self.assertEqual("unknown", rows["media"]["status"])
        self.assertEqual(3, status)


if __name__ == "__main__":
    unittest.main()
