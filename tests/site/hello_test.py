"""TLS greetings as long as a browser's, and devices that want them in one packet."""

import unittest

from .harness import CheckTest


class LongHello(CheckTest):
    def hellos(self, report):
        return {f"{p['outcome']} {p['detail']}" for p in report["probes"]
                if p["check"] == "tls-hello"}

    def test_is_cut_off_however_the_device_does_it(self):
        for fault, detail in (("long-hello-cut", "long_hello_cut"),
                              ("long-hello-reset", "long_hello_cut"),
                              ("split-hello-cut", "split_hello_cut")):
            with self.subTest(fault):
                report = self.report([fault], "rainbow", "cloudoe")
                self.assertEqual({f"failed {detail}"}, self.hellos(report))
                self.assertEqual([("tls.long_hello_cut", "likely", "security")],
                                 self.findings(report))
                self.assertEqual({"degraded"}, {one["verdict"] for one in report["sets"]})

    def test_gets_through_a_healthy_site(self):
        report = self.report([], "rainbow", "cloudoe")
        self.assertEqual({"answered connected"}, self.hellos(report))
        self.assertEqual([], report["findings"])

    def test_is_not_blamed_for_an_mtu(self):
        """A path that loses full-size packets loses the long greeting's first one."""
        report = self.report(["mtu-black-hole"], "rainbow")
        self.assertNotIn("tls.long_hello_cut", {f["code"] for f in report["findings"]})

    def test_is_not_compared_where_nothing_is_answered(self):
        report = self.report(["offline"], "rainbow")
        self.assertEqual({"skipped server_silent"}, self.hellos(report))


if __name__ == "__main__":
    unittest.main()
