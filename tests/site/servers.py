"""The servers of a site and their configurations: names, web, relays, SIP and time."""

import os
import time

from .certificates import Authority
from .names import owner
from .plan import FOLDER, PUBLIC_RESOLVERS
from .server import READY_S, Server, tcp, udp
from .tools import wan_program
from .topology import SIP_INSIDE, sip_owners

# Pages whose bodies the world knows, so that a portal in between shows.
ANCHOR_PAGES = {
    "www.msftncsi.com": ("/ncsi.txt", "Microsoft NCSI"),
    "msftncsi.com": ("/ncsi.txt", "Microsoft NCSI"),
    "www.msftconnecttest.com": ("/connecttest.txt", "Microsoft Connect Test"),
    "captive.apple.com": ("/hotspot-detect.html",
                          "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"),
    "detectportal.firefox.com": ("/success.txt", "success\\n"),
}
EMPTY_PAGES = ("www.gstatic.com", "connectivitycheck.gstatic.com")  # /generate_204

QUERY = bytes.fromhex("0001" "0100" "0001000000000000" "036f6e65" "036f6e65" "036f6e65"
                      "036f6e65" "00" "0001" "0001")  # one.one.one.one A


def public_dns(plan, space):
    """dnsmasq: knows every name of the private internet, and denies all others."""
    server = Server("dns", space)
    net = plan.internet
    hosts = "".join(f"{a} {n}\n" for n, addresses in net.forward.items() for a in addresses)
    lines = [f"listen-address={a}" for a in PUBLIC_RESOLVERS]
    lines += [f"ptr-record={'.'.join(reversed(a.split('.')))}.in-addr.arpa,{n}"
              for a, n in net.reverse.items()]
    lines += ["bind-interfaces", "no-resolv", "no-hosts", "no-daemon", "user=root", "group=",
              "local=/#/", "local-ttl=300", "cache-size=0", "pid-file=",
              "addn-hosts=" + server.write("hosts", hosts), *net.records]
    config = server.write("dnsmasq.conf", "\n".join(lines) + "\n")
    return server.start("dnsmasq", "-k", "-C", config, probe=tcp(PUBLIC_RESOLVERS[0], 53))


def lan_dns(plan, space):
    """unbound on the router: the LAN's resolver, forwarding over the WAN."""
    server = Server("resolver", space)
    forwards = "\n".join(f"  forward-addr: {a}" for a in PUBLIC_RESOLVERS)
    denied = "\n".join(f'  local-zone: "{n}." always_nxdomain' for n in plan.filtered_names)
    config = server.write("unbound.conf", f"""
server:
  interface: {plan.router}
  access-control: 0.0.0.0/0 allow
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  verbosity: 1
  num-threads: 1
  username: ""
  chroot: ""
  directory: "{server.folder}"
  pidfile: ""
  module-config: "iterator"
  hide-version: yes
{denied}
remote-control:
  control-enable: no
forward-zone:
  name: "."
{forwards}
""")
    return server.start("unbound", "-d", "-c", config, probe=tcp(plan.router, 53))


def web(plan, space, authority):
    """nginx: HTTP and HTTPS for every web name, each owner with its own certificate."""
    server = Server("web", space)
    net = plan.internet
    owners, by_name, by_address = {}, [], []
    for address, names in net.web.items():
        if "/" not in address:
            owners.setdefault(owner(min(names)) if names else address, []).append(address)
    for who, addresses in owners.items():
        names = {n for a in addresses for n in net.web[a]}
        chain, key = authority.issue(f"web-{who}", names, addresses)
        by_name += [f"{n} {chain[:-4]};" for n in sorted(names)]
        by_address += [f"{a} {chain[:-4]};" for a in addresses]
    fallback, _ = authority.issue("web-default", {"default.invalid"})
    status = f"return {plan.web_status};" if plan.web_status else ""
    listen = [f"listen {port}{' ssl' if tls else ''} default_server;"
              for port, tls in net.web_ports.items() if not (port == 80 or port == 443)]
    anchors = "".join(f"""
  server {{ listen 80; listen 443 ssl; server_name {name};
    location = {path} {{ default_type text/plain; return 200 "{body}"; }}
    location / {{ return 200 "ok\\n"; }} }}""" for name, (path, body) in ANCHOR_PAGES.items())
    config = server.write("nginx.conf", f"""
user root root; daemon off; master_process off; pid {server.path('pid')}; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; server_names_hash_bucket_size 128; map_hash_bucket_size 256;
  map_hash_max_size 8192;
  client_body_temp_path {server.path('body')}; proxy_temp_path {server.path('proxy')};
  fastcgi_temp_path {server.path('fcgi')}; uwsgi_temp_path {server.path('uwsgi')};
  scgi_temp_path {server.path('scgi')};
  map $server_addr $by_address {{ default {fallback[:-4]}; {' '.join(by_address)} }}
  map $ssl_server_name $certificate {{ hostnames; default $by_address; {' '.join(by_name)} }}
  ssl_certificate $certificate.pem; ssl_certificate_key $certificate.key;
  server {{ listen 80 default_server; {status} return 301 https://$host$request_uri; }}
  server {{ listen 443 ssl default_server; {' '.join(listen)} {status}
    location = /download {{ alias {server.write('download', '0123456789' * 300_000)}; }}
    location / {{ default_type text/plain; return 200 "$host\\n"; }} }}
  server {{ listen 80; listen 443 ssl; server_name {' '.join(EMPTY_PAGES)};
    location = /generate_204 {{ return 204; }} location / {{ return 404; }} }}{anchors}
}}
""")
    return server.start("nginx", "-e", "stderr", "-p", server.folder, "-c", config,
                        probe=tcp(f"{SIP_INSIDE}.1", 443))


def turn(plan, name, space, authority):
    """coturn: STUN and TURN for one set, on UDP and TCP 3478, TLS 443 and plain TCP 80."""
    server = Server(f"turn-{name}", space)
    group = plan.internet.turn[name]
    chain, key = authority.issue(f"turn-{name}", group.names, group.addresses)
    authority.finish()
    listen = "\n".join(f"listening-ip={a}" for a in group.addresses)
    # coturn speaks TLS or plain, whichever arrives, on its TLS ports: 80 is the second of them.
    # Two addresses give it what RFC 5780 asks for (OTHER-ADDRESS), on 3479.
    config = server.write("turnserver.conf", f"""
listening-port=3478
tls-listening-port=443
alt-tls-listening-port=80
{listen}
min-port=49152
max-port=65535
fingerprint
lt-cred-mech
user=site:{plan.turn_password}
realm=site
cert={chain}
pkey={key}
no-cli
no-dtls
no-multicast-peers
userdb={server.path('turn.db')}
pidfile={server.path('pid')}
log-file=stdout
""")
    return server.start("turnserver", "-c", config, probe=tcp(group.addresses[-1], 3478))


def sip(plan, space, authority):
    """kamailio: answers OPTIONS, and turns everything else down politely."""
    server = Server("sip", space)
    owners = sip_owners(plan.internet)
    sockets, tls = [], []
    for number, (who, addresses) in enumerate(owners, start=1):
        names = {n for a in addresses for n in plan.internet.sip[a]}
        chain, key = authority.issue(f"sip-{who}", names, addresses)
        sockets.append(f"listen=tls:{SIP_INSIDE}.{number}:5061")
        tls.append(f"[server:{SIP_INSIDE}.{number}:5061]\nmethod = TLSv1.2+\n"
                   f"certificate = {chain}\nprivate_key = {key}\n")
    authority.finish()
    tls_file = server.write("tls.cfg", "[server:default]\nmethod = TLSv1.2+\n"
                            f"certificate = {chain}\nprivate_key = {key}\n" + "".join(tls))
    code, reason = plan.sip_status
    listen = "\n".join(sockets)
    config = server.write("kamailio.cfg", f"""#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_accept_no_cl=yes
listen=udp:{SIP_INSIDE}.1:5060
listen=tcp:{SIP_INSIDE}.1:5060
{listen}
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "maxfwd.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("tls", "config", "{tls_file}")
request_route {{
  if (method == "ACK") exit;
  if (!mf_process_maxfwd_header("70")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  if (method == "OPTIONS") {{
    append_to_reply("Allow: OPTIONS, INVITE, ACK, CANCEL, BYE\\r\\n");
    sl_send_reply("{code}", "{reason}");
    exit;
  }}
  sl_send_reply("403", "Not here");
}}
""")
    return server.start("kamailio", "-DD", "-E", "-m", "16", "-M", "4", "-Y", server.folder,
                        "-P", server.path("pid"), "-f", config, probe=tcp(f"{SIP_INSIDE}.1", 5060))


def ntp(space):
    """chronyd: serves the system's time and leaves the clock alone (-x)."""
    server = Server("ntp", space)
    config = server.write("chrony.conf", f"local stratum 2\nallow all\ncmdport 0\n"
                          f"bindcmdaddress /\npidfile {server.path('pid')}\n"
                          f"driftfile {server.path('drift')}\n")
    request = bytes([0x23]) + bytes(47)
    return server.start("chronyd", "-d", "-x", "-U", "-u", "root", "-f", config,
                        probe=udp(PUBLIC_RESOLVERS[0], 123, request))


def wire(plan, space):
    """The line with delay, jitter and loss: a program of our own between two interfaces."""
    server = Server("wire", space)

    def forwarding():
        if "forwarding" not in server.log():
            raise OSError("no sign of life yet")
    return server.start(wan_program(), "near", "far", str(plan.delay_ms), str(plan.jitter_ms),
                        str(plan.loss_percent), probe=forwarding)


def start_all(plan, topology):
    """Starts every server that is not down, all at once, and waits until each answers."""
    authority = Authority(os.path.join(FOLDER, "ca"), "Callready Site")
    servers = [wire(plan, topology.wire)] if topology.wire else []
    servers += [public_dns(plan, topology.internet), lan_dns(plan, topology.router)]
    if "ntp" not in plan.down:
        servers.append(ntp(topology.internet))
    if "sip" not in plan.down and plan.internet.sip:
        servers.append(sip(plan, topology.internet, authority))
    if "turn" not in plan.down:
        servers += [turn(plan, n, s, authority) for n, s in topology.turn.items()]
    if "web" not in plan.down:
        servers.append(web(plan, topology.internet, authority))
    authority.finish()
    deadline = time.monotonic() + READY_S
    for server in servers:
        server.wait_ready(deadline)
    return authority, servers
