"""How many calls at once a narrow line carries (--calls), held against the line's ledger."""

import os
import unittest

from .media_test import Line, LineTest, longest_wait


class Calls(LineTest):
    def test_as_many_calls_as_the_line_carries(self):
        """1 Mbit/s carries 11 calls of 85.6 kbit/s each way, and not 12."""
        with Line(rate=1000) as line:
            status, report, stream = self.measure(line, "--calls", "11")
        if not stream["calls"]["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        self.assertEqual((11, 11), (stream["calls"]["wanted"], stream["calls"]["passed"]),
                         stream["calls"])
        self.assertEqual({0}, {s["lost_up"] + s["lost_down"] for s in stream["calls"]["steps"]})
        self.assertEqual([1, 2, 4, 8, 11], [s["calls"] for s in stream["calls"]["steps"]])
        self.assertEqual([], report["findings"])
        self.assertEqual(0, status)

    def test_one_call_more_is_too_many(self):
        with Line(rate=1000) as line:
            status, report, stream = self.measure(line, "--calls", "12")
        calls = stream["calls"]
        if not calls["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        self.assertEqual((12, 11, "queueing"), (calls["wanted"], calls["passed"], calls["limit"]),
                         calls)
        self.assertIn(calls["way"], ("up", "both"))
        self.assertEqual(["media.bandwidth"], [f["code"] for f in report["findings"]])
        self.assertEqual("degraded", report["sets"][0]["verdict"])
        self.assertEqual(4, status)

    def test_a_narrow_way_back_is_named(self):
        with Line("down.rate=500") as line:
            _, report, stream = self.measure(line, "--calls", "8")
        calls = stream["calls"]
        if not calls["fit"]:
            self.skipTest("this computer was too busy, and the program says so")
        self.assertIn(calls["passed"], (4, 5), "within one call of what fits")
        self.assertEqual(("queueing", "down"), (calls["limit"], calls["way"]))
        self.assertIn("on the way back", report["findings"][0]["fix"] +
                      report["findings"][0]["evidence"][0]["text"])

    def test_a_narrow_line_carries_what_it_carries(self):
        """512 kbit/s carry 5 calls of 85.6 kbit/s, where a hundred are wanted; while that is found
        out, others on the line do not wait long. Other lines by hand:
        CALLREADY_RATES=512,1000,2000,10000."""
        for rate in map(int, os.environ.get("CALLREADY_RATES", "512").split(",")):
            with self.subTest(rate), Line(rate=rate) as line:
                _, report, stream = self.measure(line, "--calls", "100")
                packets = line.packets()
                calls = stream["calls"]
                longest = longest_wait(packets)
                most = max(p["left"] - p["came"] for p in packets if p["fate"] == "passed") / 1000
                print(f"{rate} kbit/s: {calls['passed']} calls, {rate / 85.6:.1f} fit; another waits "
                      f"{longest:.2f} s, {most:.0f} ms at most, fit: {calls['fit']}", flush=True)
                if not calls["fit"]:
                    self.skipTest("this computer was too busy, and the program says so")
                self.assertAlmostEqual(min(100, int(rate / 85.6)), calls["passed"], delta=1)
                found = [] if calls["passed"] == 100 else ["media.bandwidth"]
                self.assertEqual(found, [f["code"] for f in report["findings"]], calls)
                self.assertLess(longest, 0.5, "another call would wait for more than 100 ms")


if __name__ == "__main__":
    unittest.main()
