"""What runs on the internet side: the public resolvers, the web and the time."""

import datetime
import os
import subprocess
import sys

from .certificates import Authority
from .names import owner
from .plan import AAAA, PUBLIC_RESOLVERS, RESPONDER, RESPONDER_KEY
from .rules import SIP_INSIDE
from .server import Server, nginx, says, tcp, udp
from .tools import at_time, beside, tool

WEBSOCKET_PORT = 18080

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


def dns(plan, space):
    """dnsmasq: knows every name of the private internet, and denies all others."""
    server = Server("dns", space)
    net = plan.internet
    hosts = "".join(f"{a} {n}\n" for n, a in AAAA.items()) if plan.ipv6 in ("broken", "dual", "elsewhere") else ""
    hosts += "".join(f"192.0.0.{n} ipv4only.arpa\n" for n in (170, 171))  # RFC 7050 section 2.2
    hosts += "".join(f"{a} {n}\n" for n, addresses in net.forward.items() for a in addresses
                    if n not in plan.gone)
    lines = [f"listen-address={a}" for a in PUBLIC_RESOLVERS]
    lines += [f"ptr-record={'.'.join(reversed(a.split('.')))}.in-addr.arpa,{n}"
              for a, n in net.reverse.items()]
    lines += ["bind-interfaces", "no-resolv", "no-hosts", "no-daemon", "user=root", "group=",
              "local=/#/", "local-ttl=300", "cache-size=0", "pid-file=",
              "addn-hosts=" + server.write("hosts", hosts), *net.records]
    config = server.write("dnsmasq.conf", "\n".join(lines) + "\n")
    return server.start("dnsmasq", "-k", "-C", config, probe=tcp(PUBLIC_RESOLVERS[0], 53))


def responder(plan, space):
    """`callready serve`; its log is the set that it prints."""
    server = Server("responder", space)
    own, other = RESPONDER
    return server.start(plan.responder, "serve", own, "--bind", own, "--other-address", other,
                        "--media-ports", "20000-20063", "--tcp-ports", "2210,8883",
                        "--tls-ports", "443,8443", probe=says(server, "answers now"),
                        environment={"CALLREADY_MEDIA_KEY": RESPONDER_KEY})


def web_certificates(net):
    """(owner, label, names, addresses) of all who have a web server."""
    owners = {}
    for address, names in net.web.items():
        if "/" not in address:
            owners.setdefault(owner(min(names)) if names else address, []).append(address)
    for who, addresses in owners.items():
        names = {n for a in addresses for n in net.web[a]} - set(net.private)
        yield who, f"web-{who}", names, addresses


def web(plan, space, authority):
    """nginx: HTTP and HTTPS for every web name, each owner with its own certificate."""
    server = Server("web", space)
    net = plan.internet
    by_name, by_address = [], []
    for who, label, names, addresses in web_certificates(net):
        chain, _ = authority.issue(label, names, addresses, plan.certificates.get(who))
        by_name += [f"{n} {chain[:-4]};" for n in sorted(names)]
        by_address += [f"{a} {chain[:-4]};" for a in addresses]
    for name, issuer in net.private.items():  # only a vendor's own devices know that authority
        private = Authority(issuer, plan.skew_s).keep_in(server.path(f"authority-of-{name}"))
        chain, _ = private.issue("web", {name}, public=False)
        by_name.append(f"{name} {chain[:-4]};")
    fallback, _ = authority.issue("web-default", {"default.invalid"})
    status = f"return {plan.web_status};" if plan.web_status else ""
    listen = [f"listen {port}{' ssl' if tls else ''} default_server;"
              for port, tls in net.web_ports.items() if not (port == 80 or port == 443)]
    # Their own addresses' listeners, since a name alone does not choose the versions of TLS.
    old = "".join(f"""
  server {{ listen {a}:443 ssl; ssl_protocols TLSv1; ssl_ciphers ALL:@SECLEVEL=0;
    location / {{ return 200 "old\\n"; }} }}""" for who, _, _, addresses in web_certificates(net)
                  if who in plan.old_tls for a in addresses)
    plain = net.anchors - set(ANCHOR_PAGES) - set(EMPTY_PAGES)  # no vendor's: these stay well
    anchors = "".join(f"""
  server {{ listen 80; listen 443 ssl; server_name {name};
    location = {path} {{ default_type text/plain; return 200 "{body}"; }}
    location / {{ return 200 "ok\\n"; }} }}""" for name, (path, body) in ANCHOR_PAGES.items())
    pages = "".join(f"location = {path} {{ default_type text/plain; return 200 '{body}'; }} "
                    for path, body in net.pages.items())
    six = "listen [::]:80; listen [::]:443 ssl;" if plan.ipv6 == "dual" else ""
    return nginx(server, f"""
  server_names_hash_bucket_size 128; map_hash_bucket_size 256; map_hash_max_size 8192;
  map $server_addr $by_address {{ default {fallback[:-4]}; {' '.join(by_address)} }}
  map $ssl_server_name $certificate {{ hostnames; default $by_address; {' '.join(by_name)} }}
  ssl_certificate $certificate.pem; ssl_certificate_key $certificate.key;
  server {{ listen 80 default_server; {status} return 301 https://$host$request_uri; }}
  server {{ listen 443 ssl default_server; {six} {' '.join(listen)} {status}
    location = /download {{ alias {server.write('download', '0123456789' * 300_000)}; }}
    location = /ws {{ proxy_pass http://{SIP_INSIDE}.1:{WEBSOCKET_PORT}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }}
    location = /no-ws {{ return 426; }}
    {pages}
    location = /slow {{ proxy_pass http://{SIP_INSIDE}.1:{WEBSOCKET_PORT}; }}
    location / {{ default_type text/plain; return 200 "$host\\n"; }} }}{old}
  server {{ listen 80; listen 443 ssl; {six} server_name {' '.join(sorted(plain))};
    location / {{ default_type text/plain; return 200 "$host\\n"; }} }}
  server {{ listen 80; listen 443 ssl; server_name {' '.join(EMPTY_PAGES)};
    location = /generate_204 {{ return 204; }} location / {{ return 404; }} }}{anchors}
""", f"{SIP_INSIDE}.1", environment=at_time(plan.skew_s) if plan.skew_s else None)


def quic(space, authority):
    """ngtcp2's server: HTTP/3 for the web names that speak it, all with one certificate."""
    server = Server("quic", space)
    chain, key = authority.issue("quic", {"quic.invalid"})
    question = bytes([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, *range(8), 8, *range(8)])  # RFC 9000, 17.2.1
    return server.start("gtlsserver", "-q", "*", "443", key, chain,
                        probe=udp(f"{SIP_INSIDE}.1", 443, question.ljust(1200, b"\0")))


def websocket(space):
    """A WebSocket server behind nginx, at /ws of every vendor's name."""
    return Server("websocket", space).start(sys.executable, beside("websocket.py"),
                                            f"{SIP_INSIDE}.1", str(WEBSOCKET_PORT),
                                            probe=tcp(f"{SIP_INSIDE}.1", WEBSOCKET_PORT))


def _set_time(folder, seconds, ready):
    """A probe that also sets chronyd's own idea of the time, once; the system's clock stays."""
    def probe():
        ready()
        # chronyc reads a time as the local one, and in whole seconds.
        when = datetime.datetime.utcnow() + datetime.timedelta(seconds=seconds)
        done = subprocess.run([tool("chronyc"), "-h", os.path.join(folder, "control", "socket"),
                               "settime", when.strftime("%b %d, %Y %H:%M:%S")],
                              capture_output=True, text=True, check=False,
                              env=os.environ | {"TZ": "UTC"})
        if "200 OK" not in done.stdout:
            raise OSError(done.stdout + done.stderr)
    return probe


def ntp(plan, space):
    """chronyd: serves the system's time and leaves the clock alone (-x). Or a wrong clock."""
    server = Server("ntp", space)
    probe = udp(PUBLIC_RESOLVERS[0], 123, bytes([0x23]) + bytes(47))
    if plan.skew_s:
        return server.start(sys.executable, beside("sntp.py"), "0.0.0.0", str(plan.skew_s),
                            probe=probe)
    command = "bindcmdaddress /\n"
    if plan.ntp_ahead_s:
        os.makedirs(server.path("control"), mode=0o770, exist_ok=True)
        command = f"bindcmdaddress {server.path('control')}/socket\nmanual\n"
        probe = _set_time(server.folder, plan.ntp_ahead_s, probe)
    config = server.write("chrony.conf", f"local stratum 2\nallow all\ncmdport 0\n"
                          f"{command}pidfile {server.path('pid')}\n"
                          f"driftfile {server.path('drift')}\n")
    return server.start("chronyd", "-d", "-x", "-U", "-u", "root", "-f", config, probe=probe)
