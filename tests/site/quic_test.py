"""QUIC on UDP 443: what a real server's answers prove, and who cuts it off."""

import unittest

from .harness import CheckTest


class Quic(CheckTest):
    def quic(self, report):
        return {p["target"]["host"]: f"{p['outcome']} {p['detail']}" for p in report["probes"]
                if p["check"] == "quic"}

    def row(self, report, name):
        (row,) = [r for s in report["sets"] for r in s["requirements"]
                  if f"{s['id']}/{r['id']}" == name]
        return row

    def test_is_spoken_with_a_real_server(self):
        for name, host in (("zoom", "assets.zoom.us"), ("google-meet", "accounts.google.com")):
            with self.subTest(name):
                report = self.report([], name)
                self.assertEqual({host, "www.google.com", "www.cloudflare.com"},
                                 set(self.quic(report)))
                self.assertEqual({"answered quic_spoken"}, set(self.quic(report).values()))
                self.assertEqual([], report["findings"])
                row = self.row(report, f"{name}/web-udp")
                self.assertEqual(("pass", "reached"), (row["status"], row["summary"]))

    def test_decides_a_row_where_no_router_speaks(self):
        row = self.row(self.report(["mute-hops"], "zoom"), "zoom/web-udp")
        self.assertEqual(("pass", "reached"), (row["status"], row["summary"][:7]))

    def test_names_a_vendor_s_server_that_does_not_speak_it(self):
        """Teams' names are in a row that does not mention QUIC: silence is no fault."""
        report = self.report([], "teams")
        self.assertEqual("silent timed_out", self.quic(report)["teams.microsoft.com"])
        self.assertEqual([], report["findings"])

    def test_is_refused(self):
        report = self.report(["quic-rejected"], "webex")
        self.assertEqual({"rejected prohibited"}, set(self.quic(report).values()))
        self.assertEqual([("firewall.quic_rejected", "likely", "network")], self.findings(report))
        self.assertEqual({"ready"}, {one["verdict"] for one in report["sets"]})

    def test_is_refused_where_a_row_needs_the_port(self):
        """The rule about UDP 443 has a name already."""
        report = self.report(["quic-rejected"], "zoom")
        self.assertEqual(["firewall.udp_port_blocked"], [f["code"] for f in report["findings"]])

    def test_is_dropped(self):
        """Nobody knows whether the server would have answered."""
        report = self.report(["quic-dropped"], "webex")
        self.assertEqual({"silent timed_out"}, set(self.quic(report).values()))
        self.assertEqual([], report["findings"])

    def test_is_cut_off_by_its_greeting(self):
        for fault, detail in (("quic-initial-cut", "initial_silent"),
                              ("quic-initial-rejected", "initial_rejected")):
            for routers in ([], ["patient-routers"]):
                with self.subTest(fault, routers=routers):
                    report = self.report([fault, *routers], "rainbow", "zoom")
                    seen = {*self.quic(report).values()}
                    # Other routers refuse only a few greetings: which ones is chance.
                    some_untold = set() if routers else {"answered initial_silent"}
                    self.assertEqual({f"answered {detail}"} | some_untold, seen | some_untold)
                    self.assertEqual([("firewall.quic_filtered", "likely", "security")],
                                     self.findings(report))
                    self.assertEqual("pass", self.row(report, "zoom/web-udp")["status"])

    def test_adds_no_name_where_all_udp_is_blocked(self):
        for fault in ("udp-blocked", "reject-udp"):
            with self.subTest(fault):
                report = self.report([fault], "rainbow")
                self.assertEqual(["firewall.udp_blocked"], [f["code"] for f in report["findings"]])


if __name__ == "__main__":
    unittest.main()
