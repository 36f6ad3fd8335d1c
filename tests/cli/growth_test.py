"""Every input grown a hundred times: what the program does with it is at most n log n. By the
processor's time, and as a ratio within the same run: a hundred times as much is held against ten
times as much. Ten times the work of n log n takes some twelve times as long, and that of n*n a
hundred times. CALLREADY names the binary."""

import json
import pathlib
import resource
import subprocess
import unittest

from tests.cli.commands_test import CALLREADY, CommandsTest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Of ten times as much; processor's time that is too short to be measured; and how often a size is
# measured until the answer is believed.
MOST, LEAST_S, ROUNDS = 30, 0.02, 4

HEAD = """schema: callready.targets/1
id: big
title: Big
vendor: Nobody
edition: "1"
document: A table
verified: 2026-11-20
"""
CAPABILITY = "capabilities: [{ id: all, title: All, needs: [%s] }]\n"
# In block style: of brackets a set may have some thousand.
ROW = """  - id: {id}
    title: R
    source: s
    check: tcp
    transport:
      - tcp
    ports:
      - {ports}
    {where}
"""
MEDIA_ROW = """  - id: {id}
    title: R
    source: s
    check: udp-range
    transport: [udp]
    ports: [{first}-{last}]
    addresses: [127.0.0.1]
"""


def address(number):
    return f"20.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"


def names(word, count):
    return ", ".join(f"{word}{i}" for i in range(count))


def one_row(where, ports="443"):
    return HEAD + CAPABILITY % "r" + "requirements:\n" + ROW.format(id="r", ports=ports, where=where)


# Sets, each grown along one of its dimensions.
SETS = {
    "rows": lambda n: HEAD + CAPABILITY % names("r", n) + "requirements:\n" + "".join(
        ROW.format(id=f"r{i}", ports=443, where=f"hosts:\n      - h{i}.example.com") for i in range(n)),
    "rows of one host": lambda n: HEAD + CAPABILITY % "r0" + "requirements:\n" + "".join(
        ROW.format(id=f"r{i}", ports=1 + i % 65535, where="hosts:\n      - h.example.com")
        for i in range(n)),
    "port ranges of one host": lambda n: HEAD + CAPABILITY % "r0" + "requirements:\n" + "".join(
        MEDIA_ROW.format(id=f"r{i}", first=30_000 - i, last=30_000 + i) for i in range(n)),
    "rows that become one rule": lambda n: HEAD + CAPABILITY % "r0" + "requirements:\n" + "".join(
        ROW.format(id=f"r{i}", ports=443, where="hosts: [" + ", ".join(
            f"h{i}-{j}.example.com" for j in range(20)) + "]") for i in range(n)),
    "hosts": lambda n: one_row("hosts: [" + ", ".join(f"h{i}.example.com" for i in range(n)) + "]"),
    "addresses": lambda n: one_row("addresses: [" + ", ".join(address(i) for i in range(n)) + "]"),
    "networks": lambda n: one_row("listening: false\n    addresses: [" + ", ".join(
        f"{address(256 * i)}/24" for i in range(n)) + "]"),
    "ports": lambda n: one_row("hosts: [h.example.com]",
                               ports="\n      - ".join(str(1 + 2 * i) for i in range(n))),
    "wildcards": lambda n: one_row("hosts: [h.example.com]\n    wildcards: ["
                                  + ", ".join(f"'*.w{i}.example.com'" for i in range(n)) + "]"),
    "capabilities": lambda n: HEAD + "capabilities:\n" + "".join(
        f"  - id: c{i}\n    title: C\n    needs: [r]\n" for i in range(n)) + "requirements:\n"
        + ROW.format(id="r", ports=443, where="hosts:\n      - h.example.com"),
    "alternatives": lambda n: HEAD + "capabilities:\n  - id: all\n    title: All\n    needs:\n"
        + f"      - first_of: [{names('r', n)}]\nrequirements:\n" + "".join(
            ROW.format(id=f"r{i}", ports=443, where=f"hosts:\n      - h{i}.example.com") for i in range(n)),
    "variables": lambda n: HEAD + "variables:\n" + "".join(
        f"  - name: v{i}\n    title: V\n    example: e.example.com\n" for i in range(n))
        + CAPABILITY % "r" + "requirements:\n" + ROW.format(
            id="r", ports=443, where="hosts: [" + ", ".join("'${v%d}'" % i for i in range(n)) + "]"),
    "scenarios": lambda n: HEAD + "scenarios:\n" + "".join(
        f"  - id: s{i}\n    title: S\n" for i in range(n)) + CAPABILITY % "r"
        + "requirements:\n" + ROW.format(id="r", ports=443,
                                         where="hosts: [h.example.com]\n    scenarios: ["
                                         + names("s", n) + "]"),
    "lines of a text": lambda n: HEAD + "evidence_note: |\n" + "  Something is said.\n" * n
        + CAPABILITY % "r" + "requirements:\n"
        + ROW.format(id="r", ports=443, where="hosts:\n      - h.example.com"),
    "mistakes": lambda n: HEAD + "requirements:\n" + "  - id: x\n    nothing: y\n" * n,
}


def blocked_report():
    """A run with findings, from the golden files."""
    with open(ROOT / "tests/golden/reports/blocked.json", encoding="utf-8") as file:
        return json.load(file)


def grown_report(count):
    """A report with so many rows and probes, and a third as many findings that explain some."""
    report = blocked_report()
    one = report["sets"][0]
    rows, probes, findings = one["requirements"], report["probes"], report["findings"]
    first_row, first_probe, first_finding = rows[0], probes[0], findings[0]
    for i in range(count):
        name = f"h{i}.example.com"
        probe = {**first_probe, "id": f"http/tls/{name}:443",
                 "target": {**first_probe["target"], "host": name, "address": address(i)}}
        probes.append(probe)
        rows.append({**first_row, "id": f"r{i}", "probes": [probe["id"]]})
        if i % 3 == 0:
            probe.update(outcome="silent", detail="")
            rows[-1]["status"] = "fail"
            rule = {**first_finding["rules"][0], "requirements": [f"r{i}"],
                    "destinations": [{"text": name, "kind": "name"}]}
            findings.append({**first_finding, "title": f"{name} is closed", "rules": [rule],
                             "explains": [f"{one['id']}/r{i}"],
                             "evidence": [{"probe": probe["id"], "text": "It is silent."}]})
    one["capabilities"][0]["requirements"] += [f"r{i}" for i in range(count)]
    return json.dumps(report)


def grown_set(count):
    """A report whose set has so many rows, capabilities and pieces of advice, and few probes."""
    report = blocked_report()
    one = report["sets"][0]
    rows, capabilities = one["requirements"], one["capabilities"]
    row = {**rows[0], "rules": [], "probes": []}
    rows += [{**row, "id": f"r{i}"} for i in range(count)]
    for i in range(count):
        need = {"alternatives": [[f"r{i}"]], "equal": True}
        capabilities.append({**capabilities[0], "id": f"c{i}", "requirements": [f"r{i}"],
                             "needs": [need]})
    one["advice"] = [{"id": f"a{i}", "text": "t", "source": "s"} for i in range(count)]
    return json.dumps(report)


def grown_site(count):
    """A report whose site has so many hosts and interfaces of its own."""
    report = blocked_report()
    site = report["site"]
    site["own_hosts"] = [f"srv{i}.example.com" for i in range(count)]
    site["interfaces"] = [{**site["interfaces"][0], "name": f"eth{i}"} for i in range(count)]
    return json.dumps(report)


def networks_of(count):
    return [f"{address(256 * i)}/24" for i in range(count)]


FILES = {
    "feed zoom": lambda n: "\n".join(networks_of(n)) + "\n",
    "feed google": lambda n: json.dumps({
        "syncToken": "1", "creationTime": "2025-07-24T20:00:00", "prefixes": [
            {"ipv4Prefix": network, "service": "Google Cloud", "scope": f"s{i}"}
            for i, network in enumerate(networks_of(n))]}),
    "feed m365": lambda n: json.dumps([
        {"id": i, "serviceArea": "Skype", "serviceAreaDisplayName": "Microsoft Teams",
         "urls": [f"h{i}.example.com"], "tcpPorts": "443", "category": "Allow", "required": True}
        for i in range(n)]),
    "service tags": lambda n: json.dumps({"changeNumber": 7, "cloud": "Public", "values": [
        {"name": f"AzureCloud.r{i}", "properties": {"addressPrefixes": [network]}}
        for i, network in enumerate(networks_of(n))]}),
    "credentials": lambda n: "# nothing\n" * n,
    "certificates": lambda n: CERTIFICATE * n,
}

CERTIFICATE = subprocess.run(
    ["openssl", "x509", "-inform", "DER", "-in", ROOT / "tests/fuzz/seeds/certificates/root"],
    capture_output=True, text=True, check=True).stdout


class Growth(CommandsTest):
    def cpu_of(self, *arguments, statuses):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([CALLREADY, *arguments], capture_output=True, text=True, check=False,
                              timeout=600, env=self.environment(), stdin=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.assertIn(done.returncode, statuses, (arguments, done.stderr[-500:]))
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def assert_grows_little(self, make, largest, *commands, statuses=(0,)):
        """Of what is made, a hundred times as much is held against ten times as much. `FILE` in a
        command is the file."""
        for command in commands:
            with self.subTest(" ".join(command)):
                def work(count):
                    file = self.write(make(count), "grown")
                    return self.cpu_of(*(word.replace("FILE", file) for word in command),
                                       statuses=statuses)

                # A busy machine makes a run look longer, never shorter: the least of each counts.
                # What does not depend on the size (a key's derivation takes a quarter of a second)
                # varies as well, and what is small beside it is not measured.
                sizes = (largest // 100, largest // 10, largest)
                least = [float("inf")] * len(sizes)
                for _ in range(ROUNDS):
                    least = [min(known, work(size)) for known, size in zip(least, sizes)]
                    start, middle, most = least
                    allowed = MOST * max(middle - start, start / 4, LEAST_S)
                    if most - start < allowed:
                        break
                self.assertLess(most - start, allowed)

    def test_sets(self):
        # As many as a set may have.
        for name in ("rows", "rows of one host", "capabilities", "alternatives", "variables",
                     "scenarios", "mistakes", "port ranges of one host",
                     "rows that become one rule"):
            # Ranges of one host are held against each other: 1,000 take three seconds.
            most = 200 if name == "port ranges of one host" else 1_000
            with self.subTest(name):
                self.assert_grows_little(
                    SETS[name], most, ["validate", "FILE"], ["show", "--set", "FILE"],
                    ["firewall", "--format", "fortigate", "--set", "FILE"],
                    statuses=(2,) if name == "mistakes" else (0,))
        for name in ("hosts", "addresses", "networks", "ports", "wildcards", "lines of a text"):
            with self.subTest(name):
                self.assert_grows_little(
                    SETS[name], 10_000, ["validate", "FILE"], ["show", "--set", "FILE"],
                    ["firewall", "--format", "fortigate", "--set", "FILE"])

    def another_report(self):
        return self.write(json.dumps({**blocked_report(), "started_at": "2026-11-20T13:00:00.000Z"}),
                          "other.json")

    def test_reports(self):
        other = self.another_report()
        self.assert_grows_little(
            grown_report, 2_000,
            *(["render", "FILE", "--report", kind]
              for kind in ("text", "html", "markdown", "csv", "junit", "nagios", "prometheus")),
            ["render", "FILE", "--redact", "--redact-key", self.write("k" * 64, "key"),
             "--report", "json"],
            ["merge", "a=FILE", f"b={other}"], ["diff", "FILE", other],
            ["firewall", "rainbow", "--missing", "--from", "FILE"], statuses=(0, 1, 3, 4))

    def test_merged_sets(self):
        self.assert_grows_little(grown_set, 8_000,
                                 ["merge", "a=FILE", f"b={self.another_report()}"], statuses=(1,))

    def test_sites(self):
        self.assert_grows_little(
            grown_site, 20_000,
            ["render", "FILE", "--redact", "--redact-key", self.write("k" * 64, "key"),
             "--report", "json"], ["merge", "a=FILE", f"b={self.another_report()}"], statuses=(1,))

    def test_lists(self):
        check = ("check", "small", "--set", self.small(), "--no-anchors",
                 "--proxy", "none", "--quiet")
        for name, command, statuses in (
                ("feed zoom", ["import", "zoom", "FILE"], (0,)),
                ("feed google", ["import", "google", "FILE"], (0,)),
                ("feed m365", ["import", "m365", "FILE"], (0,)),
                ("service tags", ["firewall", "rainbow", "--service-tags", "FILE"], (0,)),
                ("credentials", [*check, "--credentials", "FILE"], (0, 1, 3)),
                ("certificates", [*check, "--ca-file", "FILE"], (0, 1, 3))):
            with self.subTest(name):
                few = name in ("certificates", "credentials")
                # The set that is made of an m365 list has a row for each entry.
                largest = 1_000 if name == "feed m365" else 2_000 if few else 10_000
                self.assert_grows_little(FILES[name], largest, command, statuses=statuses)

    def test_products(self):
        """Rows, hosts and ports are each within their bounds, and all of them together are not."""
        for hosts, ports, good in ((100, 20, True), (100, 2_000, True), (300, 700, False)):
            where = "hosts: [" + ", ".join(f"h{i}.example.com" for i in range(hosts)) + "]"
            file = self.write(one_row(where, ports="\n      - ".join(
                str(1 + 2 * i) for i in range(ports))), "product.yaml")
            cpu = self.cpu_of("validate", file, statuses=(0 if good else 2,))
            self.assertLess(cpu, 60, (hosts, ports))
        self.assert_refused(self.run_it("validate", file), f"{file}:", "'r'", "210000 endpoints")

    def test_planning_takes_no_longer_than_it_may(self):
        """What planning took once: 2 to the number of ranges."""
        for count in (10, 100, 1_000):
            file = self.write(SETS["port ranges of one host"](count), "ranges.yaml")
            cpu = self.cpu_of("check", "--set", file, "--no-anchors", "--proxy", "none", "--quiet",
                              "--timeout", "1", statuses=(0, 1, 3, 4))
            self.assertLess(cpu, 20, count)


if __name__ == "__main__":
    unittest.main()
