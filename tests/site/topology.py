"""A chain of routers from the PC to the internet: namespaces, links, addresses and routes.

        PC             router               provider            exchange        internet
    10.20.0.23 ------ .1    84.199.10.2 ------ .1    62.4.8.1 ------ .2    62.4.7.1 -- .2

Behind the internet are namespaces of their own for the relays of each set, plain STUN, and for
quiet, where all other addresses are. Faults put more routers into the chain (plan.hops). On each
the link to the PC's side is called "lan" and the other one "wan".

The first namespace of the site is the PC's, so whatever is started without care is on the PC.
"""

import os

from . import isolation, rules
from .plan import AAAA, CORE_V6, LAN_V6, Plan, PUBLIC_RESOLVERS, RESPONDER, WAN_V6
from .rules import SIP_INSIDE, STUN_INSIDE
from .tools import must


class Topology:
    """The namespaces of a site, wired up."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self._links = []     # commands of ip
        self._settings = []  # (namespace, sysctl, value)
        self._commands = {}  # namespace -> commands of ip
        self.pc = isolation.Namespace("pc", existing=True)
        self.hops = {hop.name: isolation.Namespace(hop.name) for hop in plan.hops}
        self.router, self.provider = self.hops["router"], self.hops["provider"]
        self.branches = [isolation.Namespace(name) for name in plan.branches]
        self.internet = isolation.Namespace("internet")
        self.quiet = isolation.Namespace("quiet")
        self.stun = isolation.Namespace("stun")
        self.wire = isolation.Namespace("wire") if plan.needs_wire else None
        self.turn = {name: isolation.Namespace(f"turn-{name}") for name in plan.internet.turn}
        for space in self.spaces():
            with space:
                for name, value in (("ipv4/ip_forward", 1), ("ipv4/conf/all/rp_filter", 0),
                                    ("ipv4/conf/default/rp_filter", 0),
                                    ("ipv6/conf/default/disable_ipv6", 1)):
                    _sysctl(name, value)
            self._ip(space, "link set lo up")

    def spaces(self):
        """All namespaces, the PC's first."""
        spaces = [self.pc, *self.hops.values(), *self.branches, self.internet, self.quiet,
                  self.stun]
        return spaces + ([self.wire] if self.wire else []) + list(self.turn.values())

    def build(self):
        """Links, addresses and routes."""
        plan = self.plan
        self._link(self.pc, "eth0", self.router, "lan")
        self._link(self.internet, "quiet", self.quiet, "core")
        self._link(self.internet, "stun", self.stun, "core")
        if plan.connection != "no-address":
            self._ip(self.pc, f"addr add {plan.pc}/24 dev eth0")
        if plan.has_default_route:
            self._ip(self.pc, f"route add default via {plan.router}")
        if not plan.pc_up:
            self._ip(self.pc, "link set eth0 down")
        self._ip(self.router, f"addr add {plan.router}/24 dev lan", f"addr add {plan.proxy}/24 dev lan")
        if plan.connection == "no-signal":
            self._ip(self.router, "link set lan down")
        if plan.connection == "gateway-silent":
            self._ip(self.router, "link set lan arp off")
        self._build_chain()
        if not plan.icmp_limited:
            for space in self.hops.values():
                with space:
                    _say_of_every_packet()
        if self.branches:
            self._build_branches()
        if plan.nat == "pool":
            self._ip(self.router, *(f"addr add {plan.wan}.{n}/24 dev wan" for n in range(20, 24)))
        if plan.tcp_address:
            self._ip(self.router, f"addr add {plan.tcp_address}/24 dev wan")
        if not plan.wan_up:
            self._ip(self.router, "link set wan down")
        if plan.wan_mtu != 1500:
            for space, link in ((self.router, "wan"), (list(self.hops.values())[1], "lan")):
                self._ip(space, f"link set {link} mtu {plan.wan_mtu}")
        if plan.ipv6 not in ("", "elsewhere"):
            self._build_ipv6()
        self._build_internet()
        self._make()
        self._rules()

    def _make(self):
        """All that was asked for. Of two hundred commands, most of the time is that of starting ip."""
        _run_ip(self._links)
        for space, name, value in self._settings:
            with space:
                _sysctl(name, value)
        for space, commands in self._commands.items():
            with space:
                _run_ip(commands)

    def _build_chain(self):
        """Each router's link outwards, and its routes: out by default, in to what it sees."""
        spaces = [*self.hops.values(), self.internet]
        for number, hop in enumerate(self.plan.hops):
            near, far = spaces[number], spaces[number + 1]
            if hop.name == "provider" and self.wire:
                self._link(near, "wan", self.wire, "near")
                self._link(self.wire, "far", far, "lan")
            else:
                self._link(near, "wan", far, "lan")
            self._ip(near, f"addr add {hop.address}/24 dev wan", f"route add default via {hop.next}")
            self._ip(far, f"addr add {hop.next}/24 dev lan",
                     *(f"route add {net}.0/24 via {hop.address}"
                       for net in self.plan.seen_beyond(number)))

    def _build_branches(self):
        """Two ways from the provider to the router after it; a flow keeps to its own."""
        place = self.plan.position("provider")
        inner = [self.plan.wan, *self.plan.seen_beyond(place - 1)]
        after, ways = self.hops[self.plan.hops[place + 1].name], []
        for number, space in enumerate(self.branches):
            near, far = f"62.4.{40 + number}", f"62.4.{50 + number}"
            self._link(self.provider, f"wan{number}", space, "lan")
            self._link(space, "wan", after, f"lan{number}")
            self._ip(self.provider, f"addr add {near}.1/24 dev wan{number}")
            self._ip(after, f"addr add {far}.2/24 dev lan{number}")
            self._ip(space, f"addr add {near}.2/24 dev lan", f"addr add {far}.1/24 dev wan",
                     f"route add default via {far}.2",
                     *(f"route add {net}.0/24 via {near}.1" for net in inner))
            ways.append(f"nexthop via {near}.2")
        self._set(self.provider, "ipv4/fib_multipath_hash_policy", 1)  # by ports too
        self._ip(self.provider, f"route replace default {' '.join(ways)}")

    def _build_ipv6(self):
        for space, link, number in ((self.pc, "eth0", "23"), (self.router, "lan", "1")):
            self._allow_ipv6(space, link)
            self._ip(space, f"addr add {LAN_V6}{number}/64 dev {link} nodad")
        self._set(self.router, "ipv6/conf/all/forwarding", 1)
        self._set(self.router, "ipv6/conf/default/disable_ipv6", 0)  # of links to come: the translator's
        if self.plan.ipv6 == "nat64":
            self._ip(self.pc, f"addr del {self.plan.pc}/24 dev eth0")
        self._ip(self.pc, f"route add default via {LAN_V6}1")

        if self.plan.ipv6 == "dual":
            self._build_way_of_ipv6()

    def _build_way_of_ipv6(self):
        """From the LAN to the web servers; nobody translates."""
        spaces = [*self.hops.values(), self.internet]
        for number, (near, far) in enumerate(zip(spaces, spaces[1:])):
            net = WAN_V6 if number == 0 else CORE_V6.replace(":2::", f":{number + 1}::")
            for space, link, end in ((near, "wan", "2"), (far, "lan", "1")):
                self._allow_ipv6(space, link)
                self._set(space, "ipv6/conf/all/forwarding", 1)
                self._ip(space, f"addr add {net}{end}/64 dev {link} nodad")
            self._ip(near, f"route add default via {net}1")
            self._ip(far, f"route add {LAN_V6}/64 via {net}2")
        self._ip(self.internet, *(f"route add local {address} dev lo" for address in AAAA.values()))

    def _build_internet(self):
        plan = self.plan
        commands = ["addr add 62.4.9.1/30 dev quiet"]
        commands += [f"route add local {a} dev lo" for a in PUBLIC_RESOLVERS]
        commands += [f"route add local {a} dev lo" for a in {*plan.internet.web,
                                                             *plan.internet.sip}]
        commands.append(f"addr add {SIP_INSIDE}.1/24 dev lo")
        commands += [f"addr add {SIP_INSIDE}.{n}/32 dev lo"
                     for n in range(2, len(plan.internet.sip_owners()) + 1)]
        commands.append(f"addr add {STUN_INSIDE}.1/24 dev stun")
        commands.append("route add default via 62.4.9.2")
        for number, (name, space) in enumerate(self.turn.items()):
            link, net = f"turn{number}", f"62.4.{100 + number}"
            self._link(self.internet, link, space, "core")
            commands.append(f"addr add {net}.1/30 dev {link}")
            addresses = plan.internet.turn[name].addresses
            self._ip(space, f"addr add {net}.2/30 dev core", f"route add default via {net}.1",
                     *(f"route add local {a} dev lo" for a in addresses))
            commands += [f"route add {a} via {net}.2" for a in addresses]
        with self.internet:
            # The last routers of all destinations' networks in one (rules.py): many, each with
            # ICMP answers of its own.
            if not plan.far_limited:
                _say_of_every_packet()
        self._ip(self.internet, *commands)
        # No connection of a server's own, or of one that asks whether it is up, may take these first.
        self._set(self.internet, "ipv4/ip_local_reserved_ports",
                  ",".join(map(str, sorted(plan.internet.web_ports))))
        self._ip(self.stun, f"addr add {STUN_INSIDE}.2/24 dev core",
                 f"route add default via {STUN_INSIDE}.1")
        self._ip(self.quiet, "addr add 62.4.9.2/30 dev core", "route add default via 62.4.9.1",
                 "route add local default dev lo table 50", "rule add iif core lookup 50",
                 *(f"addr add {a}/32 dev lo" for a in RESPONDER if plan.responder),
                 *(f"addr add {a}/32 dev lo" for a in [plan.block_page] if a))

    def _link(self, one, one_name, other, other_name):
        # Packets as they are on a wire, where no device meets several segments in one.
        self._links.append(f"link add name {one_name} netns {one.path} gso_max_segs 1 "
                           f"type veth peer name {other_name} netns {other.path} gso_max_segs 1")
        self._ip(one, f"link set {one_name} up")
        self._ip(other, f"link set {other_name} up")

    def _ip(self, space, *commands):
        """To be run there, once all links are made."""
        self._commands.setdefault(space, []).extend(commands)

    def _set(self, space, name, value):
        """To be set there, once all links are made."""
        self._settings.append((space, name, value))

    def _allow_ipv6(self, space, link):
        for where in ("all", link):
            self._set(space, f"ipv6/conf/{where}/disable_ipv6", 0)

    def _rules(self):
        plan = self.plan
        if plan.pc_output:
            with self.pc:
                _nft(rules.chain("filter", "output", "filter", *plan.pc_output))
        if plan.agent:
            with self.pc:
                _nft(rules.agent(plan).replace("table ip site", "table ip agent"))
        if plan.flows_counted:
            with self.hops[plan.firewall_at]:
                _sysctl("netfilter/nf_conntrack_acct", 1)
        with self.router:
            _nft(rules.router(plan))
            if plan.ipv6 == "broken":  # no route, and nobody says so
                _nft("table ip6 site {\nchain lost {\ntype filter hook prerouting priority raw;\n"
                     f"ip6 daddr {LAN_V6}/64 accept\nip6 daddr 2000::/3 drop\n}}\n}}\n")
            if plan.ipv6_lost:
                _nft("table ip6 site {\nchain lost {\ntype filter hook prerouting priority raw;\n"
                     f"ip6 daddr {{ {', '.join(plan.ipv6_lost)} }} drop\n}}\n}}\n")
        with self.hops[plan.nat_at]:
            if plan.udp_timeout:
                for name in ("udp_timeout", "udp_timeout_stream"):
                    _sysctl(f"netfilter/nf_conntrack_{name}", plan.udp_timeout)
        for hop in plan.hops[1:]:
            with self.hops[hop.name]:
                _nft(rules.further_router(plan, hop))
        for space in self.branches:
            with space:
                _nft(rules.branch(plan, space.name))
        with self.internet:
            _nft(rules.internet(plan))
        with self.quiet:  # no known listener: whatever arrives is never answered
            answer = "reject with icmp port-unreachable" if plan.media_loud else "drop"
            known = [f"ip daddr {a} accept" for a in RESPONDER if plan.responder]
            known += [f"ip daddr {a} meta l4proto tcp accept" for a in [plan.block_page] if a]
            _nft(rules.chain("filter", "input", "filter", *known, f'iifname "core" {answer}'))
        for name, space in self.turn.items():
            with space:
                _nft(rules.relay(plan, plan.internet.turn[name]))


def _sysctl(name, value):
    """Of the current namespace."""
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write(str(value))


def _say_of_every_packet():
    """No limit of ICMP answers: neither by whom they go to, nor of all of them (of a namespace's own
    since Linux 6.12)."""
    _sysctl("ipv4/icmp_ratelimit", 0)
    for name in ("icmp_msgs_per_sec", "icmp_msgs_burst"):
        if os.path.exists(f"/proc/sys/net/ipv4/{name}"):
            _sysctl(f"ipv4/{name}", 1_000_000)


def _run_ip(commands):
    """In the current namespace, as `_nft`."""
    must("ip", "-batch", "-", text="\n".join(commands) + "\n")


def _nft(text):
    must("nft", "-f", "-", text=text)
