"""A fix asks for what the vendor's document asks for, and for nothing else: no anchor, no address and no
port that was only sampled, nothing that a set does not contain."""

import itertools
import os
import re
import subprocess
import tempfile

import yaml

from .names import HERE, ROOT, load

LETS_THROUGH = re.compile(r"firewall\.(?!idle_timeout|rate_limited|new_flows_limited)|media\.one_way|"
                          r"proxy\.(required|auth_required|connect_denied|no_websocket)|tls\.(intercepted|filtered)")


def load_set(name, own):
    """The set's rows, by id, each with all that its document names."""
    files = [os.path.join(ROOT, "targets", "vendors", name + ".yaml"), own]
    for path in files:
        if path and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                document = yaml.safe_load(file)
            if document["id"] == name:
                return {row["id"]: row for row in document["requirements"]}
    raise ValueError(f"no set {name}")


def peers_of(row):
    """Names, patterns, addresses, networks, service tags: as written."""
    texts = set(row.get("service_tags", []))
    for item in row.get("hosts", []):
        texts.add(item if isinstance(item, str) else item["name"])
    for item in row.get("wildcards", []):
        texts.add(item if isinstance(item, str) else item["pattern"])
    for item in row.get("addresses", []):
        texts |= {item} if isinstance(item, str) else {str(value) for value in item.values()}
    return texts


def ports_of(row):
    return {str(port) for port in row.get("ports", [])}


def only_measures(row):
    return row.get("check") in ("nat", "sip-alg")


def mentions(text, word):
    """The word by itself, not as a part of a longer name or number, or of a network."""
    return re.search(r"(?<![\w.-])" + re.escape(word) + r"(?![\w-]|\.\w|/\d)", text) is not None


def beyond_the_document(report, own_set=os.path.join(HERE, "findings.yaml")):
    """What findings ask to let through that no document asks for, in words."""
    names = {one["id"] for one in report["sets"]}
    names |= {needed["id"] for one in report["sets"] for needed in one.get("needs_sets", [])}
    sets = {name: load_set(name, own_set) for name in names}
    documented = {text for rows in sets.values() for row in rows.values()
                  if not only_measures(row) for text in peers_of(row)}
    ports = {port for rows in sets.values() for row in rows.values()
             if not only_measures(row) for port in ports_of(row)}
    titles = {row["title"] for one in report["sets"] for row in one["requirements"]}
    own = set(report["site"].get("own_hosts", []))  # --var
    found = []
    for finding in report["findings"]:
        code, fix = finding["code"], finding["fix"]
        if finding["owner"] == "vendor":
            continue  # nobody at this site opens anything: "ask whoever runs 192.0.2.1"
        if not LETS_THROUGH.match(code):
            if finding.get("rules"):
                found.append(f"{code} has rules, and asks to open nothing")
            continue
        for rule in finding.get("rules", []):
            # A row of a set that another leans on may have its set's id before its own.
            rows = [sets[rule["set"]].get(row.removeprefix(rule["set"] + "-"),
                                          sets[rule["set"]].get(row))
                    for row in rule["requirements"]]
            if None in rows or any(only_measures(row) for row in rows):
                found.append(f"{code}: {rule['requirements']} are no rows to be opened")
                continue
            peers = set().union(*map(peers_of, rows))
            far = rule.get("destinations", []) + rule.get("sources_of_traffic", [])
            found += [f"{code}: {one['text']} is not in the set" for one in far
                      if one["kind"] != "yours" and one["text"] not in peers | own]
            listed = set().union(*map(ports_of, rows))
            found += [f"{code}: port {port} is not in the set" for port in rule["ports"]
                      if port not in listed]
            if not far or not rule["ports"]:
                found.append(f"{code}: a rule to any")
        # "The device that rejects the traffic is 10.20.0.1" is no destination, and "(All UDP ports
        # above 1024)" is a row's title.
        asked = re.sub(r"The device that rejects the traffic.*", "", fix)
        for title in titles:
            asked = re.sub(r"\(" + re.escape(title) + r"( and \d+ more)?\)", "", asked)
        for probe in report["probes"]:
            target = probe["target"]
            host = target["host"]
            if host and host not in documented and mentions(asked, host):
                found.append(f"{code} names {host}, which no document does: {fix}")
            found += [f"{code} names the sampled port {port}: {fix}"
                      for port in target.get("sample", [])
                      if str(port) not in ports and mentions(asked, str(port))]
    return sorted(set(found))


class Written:
    """What `callready firewall` writes for nftables, used on a router as the file itself says."""

    def __init__(self, site, program, *what, router="firewall", table="ip site", chain="from_lan"):
        self._site, self._router, self._at = site, router, (table, chain)
        self.text = subprocess.run([program, "firewall", *what, "--format", "nftables", "--table", table,
                                    "--chain", chain], capture_output=True, text=True, timeout=60,
                                   check=True).stdout
        with tempfile.NamedTemporaryFile("w", suffix=".nft", delete=False) as file:
            file.write(self.text)
        self._file = file.name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.unlink(self._file)

    def on_router(self, command):
        """Its output."""
        done = self._site.run(["sh", "-c", command.replace("FILE", self._file)], router=self._router)
        if done.exit:
            raise RuntimeError(f"{command}: {done.stderr}")
        return done.stdout

    def said(self, step):
        """The commands that the file gives below the line that begins with `step`."""
        lines = iter(self.text.splitlines())
        next(line for line in lines if line.startswith(f"# {step}"))
        told = itertools.dropwhile(lambda line: not line.startswith("#   nft")
                                   and not line.startswith("#   sed"), lines)
        return "\n".join(line[2:].strip() for line in
                         itertools.takewhile(lambda line: line.startswith("#   "), told))

    def load(self, by_resolver=False):
        """The rules, and the addresses of names: by the file's own command, which asks the router's
        resolver, or, as of patterns always, by what the site knows."""
        self.on_router(self.said("To load"))
        if by_resolver:
            self.on_router(self.said("nftables cannot resolve names"))
        internet, places = load(), {}
        for name, star, host in re.findall(r"^#= (\S+) (\*\.)?(\S+)", self.text, re.M):
            hosts = internet.names_of(host) if star else [] if by_resolver else [host]
            places.setdefault(name, set()).update(
                address for one in hosts for address in internet.forward.get(one, []))
        for name, found in places.items():
            if found:
                self.on_router(f"nft add element {self._at[0]} {name}_v4 '{{ {', '.join(found)} }}'")

    def enable(self):
        """The jump from the firewall's own chain."""
        self.on_router(self.said("To enable"))

    def remove(self):
        """All of it."""
        self.on_router(self.said("To remove"))

    def rules(self):
        """Everything that the router has, without counts."""
        return self.on_router("nft -s list ruleset")
