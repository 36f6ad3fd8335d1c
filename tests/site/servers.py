"""All the servers of a site, started at once."""

import os
import time

from . import far, kerberos, lan, names, voice
from .certificates import Authority, bundle
from .plan import AAAA, FOLDER, NAT64, PUBLIC_RESOLVERS
from .server import READY_S, Server, says, tcp
from .tools import wan_program

AUTHORITY = "Callready Site"

# What the PC trusts, and what counts as public there.
TRUST = os.path.join(FOLDER, "trust.pem")
PUBLIC = os.path.join(FOLDER, "public.pem")


def wire(plan, space):
    """The line with delay, jitter, loss and a rate: a program of our own between two interfaces."""
    server = Server("wire", space)
    return server.start(wan_program(), "near", "far", str(plan.delay_ms), str(plan.jitter_ms),
                        str(plan.loss_percent), str(plan.rate_kbit), probe=says(server, "forwarding"))


def ahead():
    """What is the same on every site, and takes a while: the internet, and an authority that has made the
    certificates of all the servers there."""
    net, authority = names.load(), Authority(AUTHORITY)
    for _, *what in (*far.web_certificates(net), *voice.sip_certificates(net)):
        authority.make(*what)
    return net, authority


def start_all(plan, topology, authority):
    """Starts every server that is not down, all at once, and waits until each answers."""
    if plan.skew_s:
        authority = Authority(AUTHORITY, plan.skew_s)
    authority.keep_in(os.path.join(FOLDER, "ca"))
    bundle(PUBLIC, [authority.certificate])
    servers = [wire(plan, topology.wire)] if topology.wire else []
    servers += [far.dns(plan, topology.internet), *lan.resolver(plan, topology.router),
                voice.stun(topology.stun)]
    if "Negotiate" in plan.proxy_login:  # before the proxy, which reads its key at once
        servers.append(kerberos.kdc(plan, topology.router))
    if plan.proxy_up:
        servers.append(lan.proxy(plan, topology.router, PUBLIC, authority))
    if plan.web_filter:
        servers.append(lan.web_filter(plan, topology.router))
    if plan.accepts_all:
        servers.append(lan.accept_all(plan.router, topology.router))
    if plan.agent:
        servers.append(lan.accept_all("127.0.0.1", topology.pc))
    if plan.denied:
        servers.append(lan.first_resolver(plan, topology.router))
    if plan.vpn:
        servers.append(lan.vpn(plan, topology))
    if plan.ipv6 == "nat64":
        servers.append(lan.nat64(topology.router))
    if plan.wpad:
        servers.append(lan.wpad(plan, topology.router))
    if plan.portal:
        servers.append(lan.portal(plan, topology.router))
    if plan.block_page:
        servers.append(lan.block_page(plan, topology.quiet, authority))
    if plan.responder:
        servers.append(far.responder(plan, topology.quiet))
    if "ntp" not in plan.down:
        servers.append(far.ntp(plan, topology.internet))
    if "sip" not in plan.down and plan.internet.sip:
        servers.append(voice.sip(plan, topology.internet, authority))
    if "turn" not in plan.down:
        servers += [voice.turn(plan, n, s, authority) for n, s in topology.turn.items()]
    if "web" not in plan.down:
        servers += [far.web(plan, topology.internet, authority), far.websocket(topology.internet),
                    far.quic(topology.internet, authority)]
    bundle(TRUST, [authority.certificate,
                   *([lan.inspection_certificate()]
                     if "trusted" in (plan.intercept, plan.proxy_bumps) else [])])
    deadline = time.monotonic() + READY_S
    for server in servers:
        server.wait_ready(deadline)
    if "Negotiate" in plan.proxy_login:
        kerberos.log_in(topology.pc)
    if plan.ipv6 == "dual":  # links take up to a second until they carry it
        way = Server("ipv6", topology.pc)
        way.watch(tcp(AAAA["www.google.com"], 443)).wait_ready(deadline)
    if plan.ipv6 == "nat64" and plan.wan_up:  # the translator does not say when it has begun
        way = Server("ipv6", topology.pc)
        way.watch(tcp(NAT64 + PUBLIC_RESOLVERS[0], 53)).wait_ready(deadline)
    return authority, servers
