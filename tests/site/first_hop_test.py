"""During a stream like a call's the first router is asked, to tell what is lost or late before it
from what is beyond it. Two lines in a row: the PC's own link, and the Internet line."""

import re
import unittest

from .media_test import Line, LineTest, run
from .tools import wan_program

PC, ROUTER = "192.168.7.23", "192.168.7.1"


class TwoLines(Line):
    """The PC is behind a router; `link` are callready-wan's options for what lies between them,
    `options` those of the line behind the router. The router is media_test's client."""

    def __init__(self, *options, link=(), echo=True, **numbers):
        super().__init__(*options, **numbers)
        self.link, self.echo = link, echo

    def __enter__(self):
        super().__enter__()
        try:
            self.add_pc()
        except BaseException:
            self.__exit__()
            raise
        return self

    def add_pc(self):
        router = self.names[0]
        pc, air = (self.add_space(f"{router}-{what}") for what in ("pc", "air"))
        for side, link, end, address in ((pc, "eth0", "near", PC), (router, "lan", "far", ROUTER)):
            run("ip", "-n", side, "link", "add", link, "type", "veth", "peer", "name", end, "netns",
                air)
            run("ip", "-n", side, "address", "add", f"{address}/24", "dev", link)
            for where, one in ((side, link), (side, "lo"), (air, end)):
                run("ip", "-n", where, "link", "set", one, "up")
        run("ip", "-n", pc, "route", "add", "default", "via", ROUTER)
        self.translate(router)
        users = "0 2147483647" if self.echo else "1 0"
        run("ip", "netns", "exec", pc, "sysctl", "-q", f"net.ipv4.ping_group_range={users}")
        self.start(air, wan_program(), "near", "far", "1", "0", "0", "0",
                   *self.link).stdout.readline()
        self.names[0], self.names[3] = pc, router


class FirstHopTest(LineTest):
    def measure(self, line):
        _, report, said = line.check("--only", "stream")
        self.assertTrue(report, said)
        stream = next(p for p in report["probes"] if p["check"] == "media")["media"]
        hop = stream["first_hop"]
        self.assertEqual((ROUTER, False), (hop["router"], hop["wireless"]))
        return stream, hop, {f["code"]: f for f in report["findings"]}

    def test_loss_on_the_line_is_not_the_lans(self):
        with TwoLines("up.loss=8") as line:
            stream, hop, found = self.measure(line)
        self.assertTrue(hop["echo"])
        self.assertEqual(hop["sent"], hop["answered"])
        self.assertGreaterEqual(hop["sent"], 100)
        self.assertGreater(stream["up"]["lost"], 0)
        self.assertTrue(0 <= stream["busy_percent"] <= 100, stream["busy_percent"])
        self.assertNotIn("wifi_before", stream)
        self.assertIn("The cause is not the Wi-Fi or the LAN", found["media.loss"]["fix"])
        self.assertEqual("provider", found["media.loss"]["owner"])

    def test_loss_on_the_own_link_is(self):
        with TwoLines(link=("up.loss=8",)) as line:
            _, hop, found = self.measure(line)
        self.assertGreater(hop["sent"], hop["answered"])
        self.assertIn("the problem is the LAN between this computer and its router",
                      found["media.loss"]["fix"])
        self.assertEqual("lan", found["media.loss"]["owner"])

    def test_without_echo_one_answer_a_second_blames_nobody(self):
        with TwoLines(link=("up.loss=8",), echo=False) as line:
            _, hop, found = self.measure(line)
        self.assertFalse(hop["echo"])
        self.assertLessEqual(hop["sent"], 20)
        self.assertIn("Run this again without a VPN", found["media.loss"]["fix"])

    def test_jitter(self):
        for place, words in (("line", "The cause is not the Wi-Fi or the LAN"), ("link", "the problem is the LAN")):
            uneven = ("up.jitter=100",)
            with self.subTest(place), TwoLines(*(uneven if place == "line" else ()),
                                               link=uneven if place == "link" else ()) as line:
                # As uneven as this line can be without packets that overtake each other.
                with open(line.set) as file:
                    text = re.sub(r"jitter_ms: \d+", "jitter_ms: 10", file.read())
                with open(line.set, "w") as file:
                    file.write(text)
                stream, _, found = self.measure(line)
                if not stream["fit"]:
                    self.skipTest("this computer was too busy, and the program says so")
                self.assertIn(words, found["media.jitter"]["fix"])


if __name__ == "__main__":
    unittest.main()
