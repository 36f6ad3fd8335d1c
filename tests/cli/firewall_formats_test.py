"""Firewall rules for devices: every vendor's in every format, read back by that system's own parser
(nft) or by its documented grammar, and compared with the rules as JSON."""

import json
import os
import re
import shutil
import subprocess
import unittest
import xml.etree.ElementTree as xml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))

HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
V4 = r"\d+\.\d+\.\d+\.\d+"
V6 = r"[0-9a-f:]*:[0-9a-f:]*"
PORT = r"\d+(?:-\d+)?"

OWN = r"cr-[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
RULE = r"cr-[a-z0-9-]{1,23}(?:-v6|-urls)?"

# FortiOS CLI Reference: config firewall address, addrgrp, service custom, policy.
FORTIGATE = [
    r"config firewall (?:address6?|addrgrp6?|service custom|policy)",
    r"    edit (?:7\d{8}|\"%s\")" % OWN, r"    delete (?:7\d{8}|\"%s\")" % OWN, r"    next", r"end",
    r"        set type (?:fqdn|iprange)", r"        set fqdn \"(?:\*\.)?%s\"" % HOST,
    r"        set subnet %s %s" % (V4, V4), r"        set ip6 %s/\d+" % V6,
    r"        set (?:start|end)-ip %s" % V4, r"        set member(?: \"%s\")+" % OWN,
    r"        set comments? \"[^\"]{0,255}\"",
    r"        set (?:tcp|udp)-portrange(?: %s)+" % PORT,
    r"        set name \"%s\"" % RULE, r"        set status disable", r"        set nat enable",
    r"        set (?:src|dst)intf \"any\"", r"        set (?:src|dst)addr6? \"(?:all|%s)\"" % RULE,
    r"        set action accept", r"        set schedule \"always\"", r"        set service \"%s\"" % RULE,
]
# PAN-OS CLI: configuration mode, set and delete commands.
PALOALTO = [
    r"set tag callready comments \"Written by callready\"",
    r"set address %s (?:fqdn %s|ip-netmask [0-9a-f.:/]+|ip-range %s-%s) tag callready"
    % (OWN, HOST, V4, V4),
    r"set address-group %s static \[(?: %s)+ \] tag callready" % (RULE, OWN),
    r"set service %s protocol (?:tcp|udp) port %s(?:,%s)* tag callready" % (RULE, PORT, PORT),
    r"set profiles custom-url-category %s-urls type \"URL List\"" % RULE,
    r"set profiles custom-url-category %s-urls list \*\.%s/" % (RULE, HOST),
    r"set rulebase security rules %s from any to any source (?:any|%s) destination (?:any|%s) "
    r"application any service %s(?: category %s-urls)? action allow tag callready disabled yes "
    r"description \"[^\"]*\"" % (RULE, RULE, RULE, RULE, RULE),
    r"delete (?:tag callready|(?:address|address-group|service|rulebase security rules|profiles "
    r"custom-url-category) %s)" % OWN,
]
# Cisco ASA command reference: object network, object-group, access-list extended.
CISCO = [
    r"(?:no )?object network %s" % OWN, r" fqdn %s" % HOST, r" range %s %s" % (V4, V4),
    r"(?:no )?object-group (?:network|service) %s" % OWN, r" description .{1,200}",
    r" network-object (?:host [0-9a-f.:]+|object %s|%s %s|%s/\d+)" % (OWN, V4, V4, V6),
    r" service-object (?:tcp|udp) destination (?:eq \d+|range \d+ \d+)",
    r"(?:no )?access-list callready remark .{1,100}",
    r"(?:no )?access-list callready extended permit object-group %s-ports (?:any object-group %s|"
    r"object-group %s any)" % (RULE, RULE, RULE),
]
# PAN-OS: Formatting Guidelines for an External Dynamic List.
EDL = {
    "edl-ip": [r"%s(?:/\d+)?" % V4, r"%s(?:/\d+)?" % V6, r"%s-%s" % (V4, V4)],
    "edl-domain": [r"(?:\*\.)?%s" % HOST],
    "edl-url": [r"(?:\*\.)?%s/" % HOST],
}
COMMENTS = {"fortigate": "#", "paloalto": "#", "cisco-asa": "!"}
GRAMMARS = {"fortigate": FORTIGATE, "paloalto": PALOALTO, "cisco-asa": CISCO, **EDL}


def run(*arguments):
    done = subprocess.run([CALLREADY, "firewall", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def every_set():
    listed = subprocess.run([CALLREADY, "list", "--json"], capture_output=True, text=True, timeout=60,
                            check=True).stdout
    return [one["id"] for one in json.loads(listed)]


def every_scenario(name):
    scenarios = json.loads(run(name, "--format", "json"))["sets"][0]["other_scenarios"]
    shown = json.loads(subprocess.run([CALLREADY, "show", name, "--json"], capture_output=True,
                                      text=True, timeout=60, check=True).stdout)
    ids = [one["id"] for one in shown.get("scenarios", [])]
    assert ids or not scenarios
    return [word for one in ids for word in ("--scenario", one)]


@unittest.skipUnless(os.path.exists(CALLREADY), "callready is not built")
class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sets = every_set()
        cls.scenarios = {name: every_scenario(name) for name in cls.sets}
        cls.texts = {}

    def text(self, name, form):
        if (name, form) not in self.texts:
            self.texts[name, form] = run(name, *self.scenarios[name], "--format", form)
        return self.texts[name, form]

    def peers(self, name, *kinds):
        """What a device can be told: of the rules that have a protocol and ports."""
        rules = json.loads(self.text(name, "json"))["sets"][0]["rules"]
        found = set()
        for rule in rules:
            device = rule["protocol"] in ("UDP", "TCP", "TCP (TLS)")
            if not device or not any(re.fullmatch(PORT, port) for port in rule["ports"]):
                continue
            for peer in rule.get("destinations", []) + rule.get("sources_of_traffic", []):
                if peer["kind"] in kinds:
                    found.add(peer["text"])
        return found

    def commands(self, name, form):
        """Lines that are no comments, and those that undo them."""
        sign, lines = COMMENTS.get(form, "\n"), self.text(name, form).splitlines()
        undo = [line.removeprefix(sign + "- ") for line in lines if line.startswith(sign + "- ")]
        return [line for line in lines if not line.startswith(sign)], undo

    def test_every_line_is_of_the_systems_grammar(self):
        for form, lines in GRAMMARS.items():
            grammar = re.compile("|".join("(?:%s)" % line for line in lines))
            for name in self.sets:
                for line in sum(self.commands(name, form), []):
                    self.assertIsNotNone(grammar.fullmatch(line), f"{form} {name}: {line!r}")

    def test_what_is_made_is_removed(self):
        made = {"fortigate": (r"edit (.*)", r"delete (.*)"),
                "paloalto": (r"set (tag callready|(?:address|address-group|service|rulebase security "
                             r"rules|profiles custom-url-category) \S+)", r"delete (.*)"),
                "cisco-asa": (r"^((?:object|object-group|access-list) .*)", r"no (.*)")}
        for form, (makes, removes) in made.items():
            for name in self.sets:
                lines, undo = self.commands(name, form)
                found = {match.group(1) for line in lines if (match := re.search(makes, line))}
                gone = [match.group(1) for line in undo if (match := re.search(removes, line))]
                self.assertEqual(found, set(gone), f"{form} {name}")
                if form != "fortigate":  # whose groups and services may share a name
                    self.assertEqual(len(gone), len(set(gone)), f"{form} {name}")

    def test_every_name_and_address_is_there(self):
        for name in self.sets:
            names = self.peers(name, "name")
            addresses = self.peers(name, "address")
            for form in ("list", "fortigate", "paloalto", "cisco-asa", "pfsense", "opnsense",
                         "nftables"):
                text = self.text(name, form)
                words = set(re.split(r"[\s\"/,{}<>]+", text.replace("\\n", " ")))
                missing = {one for one in names | addresses if one not in words}
                self.assertEqual(missing, set(), f"{form} {name}")
            self.assertEqual(names - set(self.text(name, "edl-domain").split()), set())
            self.assertEqual(addresses - set(self.text(name, "edl-ip").split()), set())

    def test_objects_are_defined_before_they_are_used_and_once(self):
        for name in self.sets:
            text = "\n".join(self.commands(name, "paloalto")[0])
            known = re.findall(r"set (?:address|address-group) (\S+) (?:fqdn|ip-|static)", text)
            self.assertEqual(len(known), len(set(known)), name)
            used = " ".join(re.findall(r"static \[ (.*) \]", text)).split()
            used += re.findall(r" (?:source|destination) (\S+)", text)
            self.assertEqual(set(used) - {"any"}, set(known), f"{name}: none is missing, none unused")
            for kind, use in (("service", r" service (\S+)"),
                              ("profiles custom-url-category", r" category (\S+)")):
                self.assertEqual(set(re.findall(rf"set {kind} (\S+) ", text)),
                                 set(re.findall(rf"rules .*?{use}", text)), name)
            text = "\n".join(self.commands(name, "cisco-asa")[0])
            known = set(re.findall(r"^object network (\S+)", text, re.M))
            self.assertEqual(set(re.findall(r"network-object object (\S+)", text)), known)
            groups = set(re.findall(r"^object-group \w+ (\S+)", text, re.M))
            self.assertEqual(set(re.findall(r"object-group (\S+)", " ".join(
                re.findall(r"^access-list .*extended.*", text, re.M)))), groups, name)
            text = "\n".join(self.commands(name, "fortigate")[0])
            known = set(re.findall(r"edit \"(.*)\"", text))
            used = set(re.findall(r"\"(.*?)\"", " ".join(re.findall(
                r"set (?:member|srcaddr6?|dstaddr6?|service) (.*)", text))))
            self.assertEqual(used - {"all"}, known, name)

    def test_aliases(self):
        name_of = re.compile(r"cr_[a-z0-9_]{1,28}")  # pf: 31 characters
        for name in self.sets:
            blocks = self.text(name, "pfsense").split("\n# Alias ")[1:]
            aliases = []
            for block in blocks:
                head, *content = block.splitlines()
                aliases.append((*re.match(r"(\w+) \((\w+)\): callready: ", head).groups(),
                                [line for line in content if line != "#"]))
            loaded = json.loads(self.text(name, "opnsense"))["aliases"]["alias"]
            imported = [(one["name"], one["type"], one["content"].split("\n"))
                        for one in loaded.values()]
            self.assertEqual(aliases, imported, name)
            self.assertEqual(len({one[0] for one in aliases}), len(aliases))
            entry = {"host": re.compile(HOST), "network": re.compile(r"[0-9a-f.:]+/\d+"),
                     "port": re.compile(r"\d+(?::\d+)?")}
            for alias, kind, content in aliases:
                self.assertIsNotNone(name_of.fullmatch(alias), alias)
                for one in content:
                    self.assertIsNotNone(entry[kind].fullmatch(one), f"{alias}: {one}")
            rules = re.findall(r"^#   (?:LAN|WAN): .*? (cr_\w+), destination port (cr_\w+)$",
                               self.text(name, "pfsense"), re.M)
            self.assertEqual({one for rule in rules for one in rule}, {one[0] for one in aliases}, name)

    SETS = os.path.join(ROOT, "tests", "cli", "own_pbx.yaml")

    def own(self, form):
        return run("--set", self.SETS, "--var", "server=10.1.2.10", "--format", form)

    def test_your_own_servers_stand_apart(self):
        """Phones to a PBX in the local network: the same ports as the trunk, and no NAT."""
        for form, both in {
                "fortigate": (r'cr-own-pbx-lanudp5060"\n        set member "cr-10.1.2.10"\n',
                              r'cr-own-pbx-udp5060"\n        set member "cr-203.0.113.0_24"\n'),
                "paloalto": (r"address-group cr-own-pbx-lanudp5060 static \[ cr-10.1.2.10 \]",
                             r"address-group cr-own-pbx-udp5060 static \[ cr-203.0.113.0_24 \]"),
                "cisco-asa": (r"network cr-own-pbx-lanudp5060\n.*\n network-object host 10.1.2.10\n\S",
                              r"network cr-own-pbx-udp5060\n.*\n network-object 203.0.113.0 \S+\n\S"),
                "pfsense": (r"Alias cr_own_pbx_lanudp5060_nets .*\n10.1.2.10/32\n#",
                            r"Alias cr_own_pbx_udp5060_nets .*\n203.0.113.0/24\n#"),
                "opnsense": (r'"cr_own_pbx_lanudp5060_nets",[^}]*"content": "10.1.2.10/32"',
                             r'"cr_own_pbx_udp5060_nets",[^}]*"content": "203.0.113.0/24"'),
                "nftables": (r"ip daddr \{ 10.1.2.10 \} udp dport \{ 5060 \}",
                             r"ip daddr \{ 203.0.113.0/24 \} udp dport \{ 5060 \}"),
                "list": (r"# cr-own-pbx-lanudp5060: .*\n10.1.2.10\n",
                         r"# cr-own-pbx-udp5060: .*\n203.0.113.0/24\n")}.items():
            text = self.own(form)
            for part in both:
                self.assertRegex(text, part, form)
            self.assertIn("cr-own-pbx-lanudp5060: UDP 5060 to 1 entry of your own network: Phones register", text)
            self.assertIn("cr-own-pbx-udp5060: UDP 5060 to 1 entry: Calls through the trunk", text)
        policies = re.findall(r'set name "(\S+)"((?:.*\n)*?)    next', self.own("fortigate"))
        self.assertEqual({"cr-own-pbx-udp5060", "cr-own-pbx-tcp5061", "cr-own-pbx-tcp5090"},
                         {name for name, settings in policies if "set nat enable" in settings})

    def test_what_comes_from_outside_needs_a_forwarded_port(self):
        for form in ("list", "fortigate", "paloalto", "cisco-asa", "pfsense", "opnsense", "nftables"):
            text = " ".join(re.sub(r'["#!]|",', " ", self.own(form)).replace(" ,", " ").split())
            self.assertIn("Traffic from outside (cr-own-pbx-inudp5062): if your server is behind NAT, "
                          "the ports must also be forwarded to it (DNAT)", text, form)
        self.assertRegex(self.own("fortigate"), r'set comments "callready .*: behind NAT, forward the ports')

    def test_a_group_is_not_called_after_another_row(self):
        text = self.own("fortigate")
        group = re.search(r'set name "cr-own-pbx-tcp5061"(?:.*\n)*?.*set dstaddr "(\S+)"', text).group(1)
        self.assertRegex(group, r"^cr-own-pbx-grp[0-9a-f]{4}$")
        self.assertEqual(2, len(re.findall(f'set dstaddr "{group}"', text)))
        self.assertIn(f'edit "{group}"', text)
        self.assertRegex(text, r'set comment "callready \S+: for cr-own-pbx-tcp5061, cr-own-pbx-tcp5090"')

    def test_each_says_what_it_is(self):
        for name in self.sets:
            for form in ("list", "fortigate", "paloalto", "cisco-asa", "pfsense", "nftables"):
                sign = COMMENTS.get(form, "#")
                text = self.text(name, form)
                self.assertTrue(text.startswith(f"{sign} Firewall rules written by callready on 20"))
                for part in ("Left out, and yours to add:", "To remove:", "To enable:", "To check:"):
                    # Not every set leaves something out; a list is nothing that a device loads.
                    if part[0] == "L" or form == "list":
                        continue
                    self.assertIn(f"\n{sign} {part}", text, f"{form} {name}")
            self.assertTrue(json.loads(self.text(name, "opnsense"))["about"])

    @unittest.skipUnless(shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin") and
                         shutil.which("unshare"), "needs nft and unshare")
    def test_nft_takes_it(self):
        for name in self.sets:
            done = subprocess.run(["unshare", "-Urn", "sh", "-c", "PATH=$PATH:/usr/sbin nft -c -f -"],
                                  input=self.text(name, "nftables"), capture_output=True, text=True,
                                  timeout=60, check=False)
            if "unshare failed" in done.stderr:
                self.skipTest("this kernel forbids namespaces")
            self.assertEqual(done.returncode, 0, f"{name}: {done.stderr[:2000]}")


if __name__ == "__main__":
    unittest.main()
