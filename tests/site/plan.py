"""What a site is to look like: plain data, which faults change and the builders read."""

import secrets
from dataclasses import dataclass, field

from .names import Internet

# Where things run, once the site is up; /run is the site's own tmpfs.
FOLDER = "/run/site"

LAN_V6 = "2a01:cb00:20::"  # /64 of the LAN, where it has IPv6: 1 router, 23 PC
NAT64 = "64:ff9b::"
WAN_V6, CORE_V6 = "2a01:cb00:1::", "2a01:cb00:2::"  # /64 of links: 1 the far end, 2 the near one
CORE = "62.4.8"      # the provider's link outwards
EXCHANGE = "62.4.7"  # the last link, to the internet
# Where the world has IPv6. The addresses lead nowhere, unless the site has a way to them ("dual").
AAAA = {"www.google.com": "2a00:1450:4007:80e::2004", "www.cloudflare.com": "2606:4700::6810:7c60",
        "portal.example-calls.com": "2a03:b0c0:1:d0::11",
        "events.example-calls.com": "2a03:b0c0:1:d0::12"}

RESPONDER = ["45.79.11.10", "45.79.12.10"]  # of `callready serve`
RESPONDER_KEY = "a key that only this site has"

PUBLIC_RESOLVERS = ["9.9.9.9", "8.8.8.8", "1.1.1.1"]


def _list():
    return field(default_factory=list)


@dataclass
class Hop:
    """A router between the PC and the internet."""
    name: str
    address: str      # of its link outwards
    next: str         # the router at that link's other end
    translates: bool
    mute: bool        # sends no "time exceeded"


@dataclass
class Plan:
    """A site without faults, unless something below is changed."""
    internet: Internet

    # Links: the first three bytes of each /24.
    lan: str = "10.20.0"        # .1 router and resolver, .3 proxy, .23 PC
    wan: str = "84.199.10"      # .1 provider, .2 router
    pc_up: bool = True          # the PC's network adapter is switched on
    hosts_file: list = _list()  # lines of the PC's hosts file
    pc_output: list = _list()   # rules of the PC's own firewall for what it sends
    browser_policies: dict = field(default_factory=dict)  # of Chrome on the PC
    agent: bool = False         # a program on the PC takes all TCP to elsewhere, and says nothing
    connection: str = ""        # of the PC: "no-signal" (its cable is out), "no-address", "no-gateway"
    # (no default route), "gateway-silent" (the router does not answer ARP)
    wan_up: bool = True
    wan_mtu: int = 1500         # of the line to the provider; the router says so of larger packets
    vpn_net: str = "10.8.0"     # inside the tunnel: .2 the PC, .1 the concentrator
    vpn: list = _list()         # what the PC routes into its tunnel: "default", networks
    ipv6: str = ""              # "broken": leads nowhere; "nat64": nothing else; "dual": works;
    # "elsewhere": only the servers have it
    provider_nat: bool = False  # the provider translates too (carrier NAT)
    provider_block: list = _list()  # new flows through the provider
    icmp_limited: bool = True   # routers limit ICMP errors to one host, as Linux does by itself
    far_limited: bool = False   # the last router has the same limit, as if all ways were one
    hops_mute: bool = False     # routers beyond the site send no "time exceeded"
    mute: list = _list()        # nor do these of the routers, by their names
    inside: list = _list()      # names of the site's further routers, between router and provider
    inside_net: str = "84.199.3"  # of the links between them: with one digit more, a /24
    outside: list = _list()     # names of routers between the provider and the exchange
    branches: list = _list()    # parallel routers behind the provider: each flow keeps to one
    firewall_at: str = "router"  # whose rules inspect, block and only are
    nat_at: str = "router"

    # The router. Lists hold nftables rules.
    nat: str = "masquerade"     # masquerade, symmetric, pool, full-cone, none
    tcp_address: str = ""       # TCP leaves from this second address of the router's
    hairpin: bool = False       # what is sent back into the LAN is masqueraded, too
    inspect: list = _list()     # every packet of the PC's, both ways, before anything is let through
    block: list = _list()       # new flows of the PC's
    allow: list = _list()       # of those, rules that accept before `only` drops
    only: str | None = None     # a match: no other new flow gets out ("" lets none out)
    input: list = _list()       # what the router itself is sent
    redirect: list = _list()    # new flows from the LAN: dnat, redirect
    flows_counted: bool = False  # the firewall counts packets of flows
    ipv6_lost: list = _list()    # IPv6 addresses that packets never get to
    raw: list = _list()         # every packet at the router, before it puts fragments together
    mangle: list = _list()      # packets that leave for the WAN
    sets: list = _list()        # declarations of sets that the rules use
    sip_alg: bool = False
    udp_timeout: int | None = None  # seconds until a UDP binding dies
    accepts_all: bool = False   # TCP to elsewhere ends at a program that accepts and is silent
    portal: bool = False        # a page of the router's answers plain HTTP
    intercept: str | None = None    # TLS is opened by "trusted" or "unknown" authority
    inspector: str = "Example Corp TLS Inspection"  # what that authority calls itself

    # Names, as the LAN's resolver gives them: unbound's server clause, and what follows it.
    resolver: list = _list()
    denied: str = ""            # a domain that the PC's other resolver, which it asks first, denies
    search: str = ""            # the PC's domain
    policy_zone: list = _list()  # names that a response policy zone denies
    forwarders: list = field(default_factory=lambda: list(PUBLIC_RESOLVERS))
    dns_delay_ms: float = 0     # how late the LAN's resolver gets its answers
    block_page: str = ""        # the address of a filter's page, to which the resolver sends names
    block_page_tls: bool = False  # it answers TLS, with its own certificate, or it resets that
    gone: set = field(default_factory=set)  # names that no longer exist anywhere
    stub_zone: list = _list()    # domains whose name servers are not there
    tcp_only_names: list = _list()  # names that the resolver tells over TCP only: truncated over UDP

    # The LAN's proxy, on .3 port 3128.
    proxy_login: str = ""       # of "Basic", "NTLM", "Negotiate", separated by blanks
    spliced: list = _list()     # names whose TLS is left alone by whoever opens it
    proxy_rules: list = _list()  # squid's http_access rules before all others
    proxy_up: bool = True
    proxy_bumps: str | None = None  # CONNECTs are opened by "trusted" or "unknown" authority
    web_filter: list = _list()  # domains that a transparent filter hangs up on, by SNI
    wpad: bool = False          # a PAC file is served where WPAD looks for it

    # The far end.
    down: set = field(default_factory=set)          # "turn", "sip", "web", "ntp": not started
    web_status: int | None = None                   # every page of the vendors' answers with this
    sip_status: tuple = (200, "OK")
    sip_mute: bool = False                          # strangers' OPTIONS are not answered
    media_loud: bool = False                        # media hosts answer "port unreachable"
    far: list = _list()                             # rules for what reaches web and SIP servers
    far_relays: list = _list()                      # the same for relays
    sip_mirror: bool = False                        # the servers send back what they received
    turn_options: list = _list()                    # more lines for coturn
    responder: str = ""                             # the program whose `serve` runs there
    relays_dead: bool = False                       # allocations succeed and carry nothing
    certificates: dict = field(default_factory=dict)  # owner -> expired, wrong-name, untrusted, ...
    ntp_ahead_s: int = 0                            # how far the time servers alone are ahead
    old_tls: set = field(default_factory=set)       # domains whose web servers know TLS 1.0 only
    skew_s: float = 0                               # how far the whole internet's clock is ahead

    # The line between provider and internet.
    delay_ms: float = 0         # one way
    jitter_ms: float = 0
    loss_percent: float = 0     # each way
    rate_kbit: float = 0        # each way; 0: any

    turn_password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    turn_password_given: str | None = None          # to COMMAND, if it is another one
    proxy_password: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    @property
    def pc(self):
        return f"{self.lan}.23"

    @property
    def router(self):
        return f"{self.lan}.1"

    @property
    def proxy(self):
        return f"{self.lan}.3"

    @property
    def resolver_address(self):
        """The address at which the PC asks the LAN's resolver."""
        return f"{LAN_V6}1" if self.ipv6 == "nat64" else self.router

    @property
    def links(self):
        """The PC's interfaces."""
        return {"lo", "eth0"} | ({"tun0"} if self.vpn else set())

    @property
    def has_default_route(self):
        return self.connection not in ("no-address", "no-gateway")

    @property
    def routes(self):
        """The PC's IPv4 routes: (destination, gateway)."""
        if self.ipv6 == "nat64" or not self.pc_up or self.connection == "no-address":
            return set()
        routes = {("default", self.router), (f"{self.lan}.0/24", None)}
        if "default" in self.vpn or not self.has_default_route:
            routes.remove(("default", self.router))
        return routes | {(to, None) for to in self.vpn} | (
            {(f"{self.vpn_net}.0/24", None)} if self.vpn else set())

    @property
    def needs_wire(self):
        """Whether packets must be held back: a process does that, so only where it is asked."""
        return bool(self.delay_ms or self.jitter_ms or self.loss_percent or self.rate_kbit)

    @property
    def hops(self):
        """The routers, from the PC outwards."""
        inside, outside = ["router", *self.inside], ["provider", *self.outside, "exchange"]
        nets = [f"{self.inside_net}{n}" for n in range(len(self.inside))] + [self.wan, CORE]
        nets += [f"62.4.{20 + n}" for n in range(len(self.outside))] + [EXCHANGE]
        hops = []
        for name, net in zip(inside + outside, nets):
            near, far = (2, 1) if name in inside else (1, 2)
            hops.append(Hop(name, f"{net}.{near}", f"{net}.{far}", self._translates(name),
                            name in self.mute or self.hops_mute and name not in inside))
        return hops

    def _translates(self, name):
        return (name == self.nat_at and self.nat != "none") or (
            name == "provider" and self.provider_nat)

    def position(self, name):
        """Which of the routers that is, from 0."""
        return [hop.name for hop in self.hops].index(name)

    def seen_beyond(self, number):
        """The inner networks (three bytes) that the next router sees through this one."""
        hop = self.hops[number]
        if hop.translates:
            return []
        if number == 0:
            return [self.lan]
        inner = self.hops[number - 1].address.rpartition(".")[0]
        return [inner, *self.seen_beyond(number - 1)]

    def addresses_of(self, domain):
        """All addresses of the names at or below a domain; of an address, itself."""
        net = self.internet
        found = {a for n in net.names_of(domain) for a in net.forward[n]}
        return sorted(found) or [domain]
