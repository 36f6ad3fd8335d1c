"""Who is on the private internet: the hosts, addresses and ports of the target sets.

The sets say what exists (format: targets/README.md). Addresses that a set gives are used as they
are; a name without one gets a public-looking address of its own, in a network of its own.
"""

import glob
import ipaddress
import itertools
import os
import re
from dataclasses import dataclass, field, replace

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))

# Which kind of server answers a requirement's check.
ROLES = {"turn": "turn", "stun": "turn", "nat": "turn", "ice": "turn", "media": "turn",
         "sip": "sip", "sip-alg": "sip", "ntp": "ntp",
         "http": "web", "tls": "web", "tcp": "web", "proxy": "web"}
TWO_PART_SUFFIXES = {"co.uk", "cn.com", "com.cn", "co.jp", "com.au"}


@dataclass
class Turn:
    """What one coturn serves: the relays of one set, which listen where web servers would."""
    relays: bool = False    # whether a row asks for TURN; otherwise its addresses only speak STUN
    names: set = field(default_factory=set)
    addresses: list = field(default_factory=list)
    udp_ports: set = field(default_factory=set)
    tcp_ports: set = field(default_factory=set)
    tls_ports: set = field(default_factory=set)


@dataclass
class Row:
    """A row of a set, with everything expanded."""
    id: str
    check: str | None
    reach: object
    severity: str
    transports: list
    ports: list      # "443", "40000-65000"
    places: list     # (name or "", address or network)
    default: bool    # on without --scenario
    examples: bool   # its names are examples of a wildcard's only, which alone are no proof


@dataclass
class Internet:
    """Everything that the servers have to be told."""
    forward: dict = field(default_factory=dict)   # name -> addresses
    anchors: set = field(default_factory=set)     # names that are not a vendor's
    reverse: dict = field(default_factory=dict)   # address -> name, where no forward entry says it
    turn: dict = field(default_factory=dict)      # set id -> Turn
    stun: set = field(default_factory=set)        # addresses that speak STUN beside other things
    stun_ports: set = field(default_factory=set)
    sip: dict = field(default_factory=dict)       # address -> names
    sip_udp_ports: set = field(default_factory=set)
    sip_tcp_ports: set = field(default_factory=set)
    sip_tls_ports: set = field(default_factory=set)
    web: dict = field(default_factory=dict)       # address or network -> names
    web_ports: dict = field(default_factory=lambda: {80: False, 443: True})  # port -> TLS?
    served: set = field(default_factory=set)      # (role, transport, name or address, port)
    quic: set = field(default_factory=set)        # addresses of web servers that speak QUIC
    pages: dict = field(default_factory=dict)     # path of a web page that a row asks for -> its text
    private: dict = field(default_factory=dict)   # name -> the private authority that its row names
    rows: dict = field(default_factory=dict)      # set id -> its rows by their ids
    records: list = field(default_factory=list)   # SRV and NAPTR, as dnsmasq options

    def names_of(self, domain):
        """The names at or below a domain."""
        return sorted(n for n in self.forward if n == domain or n.endswith("." + domain))

    def names_serving(self, role):
        """The names that somebody serves this for."""
        return sorted({name for its, _, name, _ in self.served
                       if its == role and name in self.forward})

    def leave_out_others(self, sets):
        """Leaves out the relays and the SIP servers that none of these sets asks, nor the anchors. Their
        names stay, and lead to silence."""
        unknown = set(sets) - set(self.rows)
        if unknown:
            raise ValueError(f"no set is called {' or '.join(sorted(unknown))}")
        wanted = {place for one in {*sets, "anchors", "public"} for row in self.rows[one].values()
                  for _, place in row.places}
        self.turn = {name: turn for name, turn in self.turn.items() if wanted.intersection(turn.addresses)}
        self.sip = {address: self.sip[address] for _, addresses in self.sip_owners()
                    if wanted.intersection(addresses) for address in addresses}

    def sip_owners(self):
        """[(owner, addresses)]: kamailio has one TLS socket, with its own certificate, for each."""
        owners = {}
        for address, names in self.sip.items():
            owners.setdefault(owner(min(names)) if names else address, []).append(address)
        return list(owners.items())


def owner(name):
    """The registrable domain, roughly: who would hold the certificate."""
    labels = name.split(".")
    count = 3 if ".".join(labels[-2:]) in TWO_PART_SUFFIXES else 2
    return ".".join(labels[-count:])


def _as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def _ids_in(needs):
    """The rows that a capability names, however deep."""
    if isinstance(needs, str):
        return {needs}
    parts = needs.values() if isinstance(needs, dict) else needs
    return set().union(*map(_ids_in, parts))


class _Loader:
    def __init__(self):
        self.internet = Internet()
        self._taken = set()   # addresses of names
        self._numbers = {}    # owner -> its number, and a counter of its names

    def _fresh_address(self, name):
        """A /16 a domain and a /24 a name: names of one vendor are rarely neighbours, and two
        vendors never look like one network."""
        domain = owner(name)
        if domain not in self._numbers:
            self._numbers[domain] = (len(self._numbers), itertools.count())
        block, names = self._numbers[domain]
        number = next(names)
        return f"{146 + block // 200}.{20 + block % 200}.{number % 256}.{11 + number // 256}"

    def _expand(self, text, variables):
        """`${name}` by the set's own default or example; None where there is neither."""
        missing = []

        def value(match):
            variable = variables.get(match.group(1), {})
            found = variable.get("default", variable.get("example"))
            if found is None:
                missing.append(match.group(1))
            return str(found)

        text = re.sub(r"\$\{([\w-]+)\}", value, str(text))
        return None if missing else text

    def _hosts(self, row, variables):
        for host in _as_list(row.get("hosts")):
            host = host if isinstance(host, dict) else {"name": host}
            if host.get("lifecycle") != "removed":
                yield self._expand(host["name"], variables)
        for wildcard in _as_list(row.get("wildcards")):
            if isinstance(wildcard, dict):
                for example in _as_list(wildcard.get("examples")):
                    example = example["name"] if isinstance(example, dict) else example
                    yield self._expand(example, variables)

    def _addresses(self, row, variables):
        """Single addresses, and networks, as the row lists them."""
        singles, networks = [], []
        for entry in _as_list(row.get("addresses")):
            entry = entry if isinstance(entry, dict) else {"address": entry}
            text = self._expand(entry.get("address") or entry.get("value") or entry.get("network")
                                or entry.get("range"), variables)
            if "-" in text:
                first, last = (ipaddress.ip_address(part.strip()) for part in text.split("-"))
                networks += map(str, ipaddress.summarize_address_range(first, last))
            elif "/" in text:
                networks.append(str(ipaddress.ip_network(text, strict=False)))
            else:
                singles.append(str(ipaddress.ip_address(text)))
        return ([a for a in singles if ":" not in a], [n for n in networks if ":" not in n])

    def _ports(self, row, variables):
        """Single ports and short ranges: a long range is media, and nothing listens there."""
        for port in _as_list(row.get("ports")):
            text = self._expand(port, variables)
            first, _, last = (text or "").partition("-")
            if first.isdigit() and (last or first).isdigit() and int(last or first) - int(first) < 16:
                yield from range(int(first), int(last or first) + 1)

    def _own_addresses(self, row, variables):
        """Shares the addresses that a row gives out among the names that it gives, and puts them
        into its networks where it has those. No two names share an address: names without one get
        a fresh one later."""
        names, singles, networks = self._destinations(row, variables)
        if not row.get("listening", True):
            return
        for index, name in enumerate(names):
            own = singles[index::len(names)]
            if networks and not singles:
                network = ipaddress.ip_network(networks[index % len(networks)])
                place = 11 + index // len(networks)
                own = [str(network[place])] if place < network.num_addresses - 1 else []
            if own and not self._taken.intersection(own) and name not in self.internet.forward:
                self.internet.forward[name] = own
                self._taken.update(own)

    def _row(self, set_id, row, variables):
        """Gives a row's names and addresses to the kind of server that answers its check."""
        net = self.internet
        names, singles, networks = self._destinations(row, variables)
        for name in names:
            if name not in net.forward:
                net.forward[name] = [self._fresh_address(name)]
        self._reverse(row, singles)
        asks = row.get("with") or {}
        net.private.update((name, asks["issuer"]) for name in names if "issuer" in asks)
        if "body" in asks:
            net.pages[asks["path"]] = asks["body"]
        # Rows of UDP 443 name web servers; which of them speak QUIC, none says.
        if row.get("check") in ("quic", "udp-range") and set(self._ports(row, variables)) == {443}:
            net.quic.update(a for name in names for a in net.forward[name])
        role = ROLES.get(row.get("check"))
        if role is None:
            return
        served = row.get("listening", True)
        addresses = {a: set() for a in (singles if served else [])}
        for name in names:
            for address in net.forward[name]:
                addresses.setdefault(address, set()).add(name)
        transports = {self._expand(t, variables) for t in _as_list(row.get("transport")) or ["tcp"]}
        ports = set(self._ports(row, variables))
        net.served.update((role, transport, where, port) for transport in transports
                          for where in ([*names, *singles] if served else []) for port in ports)
        if role == "turn":
            self._turn(set_id, addresses, transports, ports, row["check"] != "stun")
        elif role == "sip":
            for address, own in addresses.items():
                net.sip.setdefault(address, set()).update(own)
            for transport in transports & {"udp", "tcp", "tls"}:
                getattr(net, f"sip_{transport}_ports").update(ports)
        else:
            addresses.update({n: set() for n in (networks if served else [])})
            for address, own in addresses.items():
                net.web.setdefault(address, set()).update(own)
            if role == "web" and addresses:
                tls = row["check"] == "tls" or "tls" in transports
                for port in ports:
                    # One row's TLS is another's TCP: that server does for both.
                    net.web_ports[port] = port != 80 and (net.web_ports.get(port, False) or tls)

    def _destinations(self, row, variables):
        """(names, single addresses, networks); an address in place of a name counts as one."""
        singles, networks = self._addresses(row, variables)
        hosts = [n.lower() for n in self._hosts(row, variables) if n]
        bare = {n for n in hosts if re.fullmatch(r"[\d.]+", n)}
        singles += sorted(n for n in bare if ipaddress.ip_address(n).is_global)
        return ([n for n in hosts if n not in bare and re.fullmatch(r"[a-z0-9._-]+", n)],
                singles, networks)

    def _turn(self, set_id, addresses, transports, ports, relays):
        turn = self.internet.turn.setdefault(set_id, Turn())
        turn.relays |= relays
        for address, own in addresses.items():
            turn.names |= own
            if address not in turn.addresses:
                turn.addresses.append(address)
        for transport in transports & {"udp", "tcp", "tls"}:
            getattr(turn, f"{transport}_ports").update(ports)

    def _keep(self, set_id, row, variables, scenarios):
        """The row itself, as rules of firewalls and judges need it."""
        names, singles, networks = self._destinations(row, variables)
        places = [(n, a) for n in names for a in self.internet.forward.get(n, [])]
        places += [("", place) for place in [*singles, *networks]]
        ports = [self._expand(port, variables) for port in _as_list(row.get("ports"))]
        self.internet.rows.setdefault(set_id, {})[row["id"]] = Row(
            row["id"], row.get("check"), row.get("reach", "all"), row.get("severity", "required"),
            [self._expand(t, variables) for t in _as_list(row.get("transport")) or ["tcp"]],
            [port for port in ports if port], places,
            not row.get("scenarios") or bool(scenarios.intersection(row["scenarios"])),
            not row.get("hosts") and not row.get("addresses"))

    def _reverse(self, row, singles):
        names = [h["name"] if isinstance(h, dict) else h for h in _as_list(row.get("reverse_dns"))]
        if not names or not singles:
            return
        for index, address in enumerate(singles):
            self.internet.reverse[address] = names[index % len(names)].lower()
        for index, name in enumerate(names[:len(singles)]):
            self.internet.forward.setdefault(name.lower(), [singles[index]])

    def add(self, documents):
        """Takes in sets: first the names with addresses of their own, wherever those stand."""
        rows = []
        for document in documents:
            variables = {v["name"]: v for v in _as_list(document.get("variables"))}
            rows += [(document["id"], row, variables)
                     for row in _as_list(document.get("requirements"))
                     if row.get("direction") != "in" and row.get("lifecycle") != "removed"]
            self.internet.records += _as_list(document.get("site_records"))
        for set_id, row, variables in rows:
            self._own_addresses(row, variables)
            if set_id in ("anchors", "public"):
                self.internet.anchors.update(self._destinations(row, variables)[0])
        for set_id, row, variables in rows:
            self._row(set_id, row, variables)
        defaults = {document["id"]: {s["id"] for s in _as_list(document.get("scenarios"))
                                     if s.get("default")} for document in documents}
        for set_id, row, variables in rows:
            self._keep(set_id, row, variables, defaults[set_id])
        known = {document["id"]: document for document in documents}
        for document in documents:
            for entry in _as_list(document.get("needs_sets")):
                entry = entry if isinstance(entry, dict) else {"set": entry}
                self._lean(document["id"], known[entry["set"]], entry, defaults[document["id"]])

    def _lean(self, set_id, needed, entry, defaults):
        """The rows of a set that another leans on are that one's, too."""
        own, others = self.internet.rows[set_id], self.internet.rows[needed["id"]]
        wanted = {row for capability in needed.get("capabilities", [])
                  if capability["id"] in entry.get("capabilities", [])
                  for row in _ids_in(capability["needs"])}
        on = not entry.get("scenarios") or bool(defaults.intersection(entry["scenarios"]))
        for row in others.values():
            if row.id in wanted or not wanted and row.default:
                name = f"{needed['id']}-{row.id}" if row.id in own else row.id
                own[name] = replace(row, id=name, default=on)

    def finish(self):
        """Settles who owns an address that several rows name: relays have theirs alone."""
        net = self.internet
        for turn in [t for t in net.turn.values() if not t.relays]:
            net.stun.update(turn.addresses)
            net.stun_ports |= turn.udp_ports | turn.tcp_ports
            for address in turn.addresses:
                net.web.setdefault(address, set())
        net.turn = {k: t for k, t in net.turn.items() if t.relays}
        relays = {a for turn in net.turn.values() for a in turn.addresses}
        for address in relays:
            net.web.pop(address, None)
            net.sip.pop(address, None)
        first = {}
        for turn in net.turn.values():  # an address in two sets is served by the first, for both
            for owner_of_it in {id(first[a]): first[a] for a in turn.addresses if a in first}.values():
                owner_of_it.udp_ports |= turn.udp_ports
                owner_of_it.tcp_ports |= turn.tcp_ports
                owner_of_it.tls_ports |= turn.tls_ports
            turn.addresses = [a for a in turn.addresses if a not in first]
            first.update((a, turn) for a in turn.addresses)
        net.turn = {k: t for k, t in net.turn.items() if t.addresses}
        net.stun -= relays
        net.quic &= set(net.web)
        return net


def set_files():
    """The anchors, the vendors' sets, the site's own (other public hosts and an example), and what
    CALLREADY_SITE_SET names."""
    more = os.environ.get("CALLREADY_SITE_SET")
    return [os.path.join(ROOT, "targets", "anchors.yaml"),
            *sorted(glob.glob(os.path.join(HERE, "sets", "*.yaml"))),
            *sorted(glob.glob(os.path.join(ROOT, "targets", "vendors", "*.yaml"))),
            *([more] if more else [])]


def load(files=None):
    """Reads target sets into an Internet."""
    documents = []
    for path in files if files is not None else set_files():
        with open(path, encoding="utf-8") as file:
            documents.append(yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    loader = _Loader()
    loader.add(documents)
    return loader.finish()
