"""Small clients that the site's tests run on the PC. Prints one line of JSON.

    client.py (stun|sip|ntp|...) (udp|tcp|tls) HOST PORT [silent]   what came back, or "error"
    client.py batch JSON                                            answers to a list of such calls

"silent" says that no answer is expected: then the wait for one is shorter. Over UDP a request is
sent again every half second until something comes back, since a busy server may lose one. `hop` and
`mark` ask routers, and ask once: those answer six times at once, then once a second.
"""

import errno
import functools
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor

# The site's own round trip is far below a millisecond, but the machine may be busy with builds. So
# the wait for an expected answer is long; silence is believed sooner.
PATIENCE_S, SILENCE_S = 10, 1.5
AGAIN_S = 0.5
COOKIE = 0x2112A442


def connect(transport, host, port, patience):
    """A connected socket with this timeout; TLS with verification."""
    if transport == "udp":
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(patience)
        client.connect((host, port))
        return client
    client = socket.create_connection((host, port), patience)
    if transport == "tls":
        client = ssl.create_default_context().wrap_socket(client, server_hostname=host)
    return client


def repeat(send, listener, patience, reply_to=b""):
    """Sends until a datagram comes in: it, and its sender. `reply_to` is a STUN request whose
    transaction it has, since answers to earlier requests may still be under way."""
    deadline = time.monotonic() + patience
    while True:
        send()
        again = time.monotonic() + AGAIN_S
        try:
            while True:
                # What has come in is read however late it is.
                listener.settimeout(max(0.01, again - time.monotonic()))
                reply, sender = listener.recvfrom(4096)
                if reply[8:20] == reply_to[8:20] or not reply_to:
                    return reply, sender
        except socket.timeout:
            if time.monotonic() >= deadline:
                raise


def ask(client, request, reply_to=b""):
    """The reply to a request, over any transport."""
    if client.type != socket.SOCK_DGRAM:
        client.send(request)
        return client.recv(4096)
    patience = client.gettimeout()
    try:
        return repeat(lambda: client.send(request), client, patience, reply_to)[0]
    finally:
        client.settimeout(patience)


def binding(attribute=b""):
    """A Binding request (RFC 8489 section 5)."""
    return struct.pack("!HHI", 1, len(attribute), COOKIE) + os.urandom(12) + attribute


def stun(client, *_):
    """A Binding request; gives the mapped address."""
    request = binding()
    reply = ask(client, request, request)
    kind, _, cookie = struct.unpack("!HHI", reply[:8])
    found = {"answer": kind == 0x0101 and cookie == COOKIE}
    position = 20
    while position + 4 <= len(reply):
        name, length = struct.unpack("!HH", reply[position:position + 4])
        value = reply[position + 4:position + 4 + length]
        if name in (0x0020, 0x802C):  # XOR-MAPPED-ADDRESS, OTHER-ADDRESS
            port, address = struct.unpack("!HI", value[2:8])
            if name == 0x0020:
                port, address = port ^ (COOKIE >> 16), address ^ COOKIE
            text = socket.inet_ntoa(struct.pack("!I", address))
            found["mapped" if name == 0x0020 else "other"] = f"{text}:{port}"
        position += 4 + (length + 3) // 4 * 4
    return found


def sip(client, transport, host, _):
    """OPTIONS with a Via of the socket's own address (RFC 3261 section 11)."""
    address, port = client.getsockname()[:2]
    request = (f"OPTIONS sip:{host} SIP/2.0\r\n"
               f"Via: SIP/2.0/{transport.upper()} {address}:{port};rport;branch=z9hG4bK{port}\r\n"
               "Max-Forwards: 70\r\nFrom: <sip:anonymous@anonymous.invalid>;tag=1\r\n"
               f"To: <sip:{host}>\r\nCall-ID: {os.urandom(6).hex()}\r\nCSeq: 1 OPTIONS\r\n"
               "Content-Length: 0\r\n\r\n").encode()
    reply = ask(client, request).decode()
    via = re.search(r"^Via: (.*?)\r$", reply, re.M)
    received = re.search(r"received=([\d.]+)", reply)
    return {"status": int(reply.split()[1]), "via": via and via.group(1),
            "received": received and received.group(1)}


def mapping(client, transport, host, port):
    """The mapped addresses that other servers see of the same socket; UDP only."""
    seen = [stun(client)["mapped"]]
    for other in ("turn2.example-calls.com", "stun.l.google.com"):
        client.connect((other, port if other.startswith("turn") else 19302))
        seen.append(stun(client)["mapped"])
    return {"mapped": seen, "local": "{}:{}".format(*client.getsockname())}


def change(client, transport, host, port):
    """Whether a Binding response from another address comes in (RFC 5780 CHANGE-REQUEST)."""
    request = binding(struct.pack("!HHI", 3, 4, 6))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as open_socket:
        _, sender = repeat(lambda: open_socket.sendto(request, (host, port)), open_socket,
                           client.gettimeout(), request)
        return {"from": "{}:{}".format(*sender)}


def keep(client, transport, host, port):
    """Whether a UDP binding lives for 2 s and for 12 s: how a relayed reply would fare. The reply is
    asked for over another socket, to the first one's mapped port (RFC 5780 RESPONSE-PORT)."""
    alive = []
    for pause, patience in ((2, PATIENCE_S), (12, SILENCE_S)):
        client.settimeout(PATIENCE_S)
        mapped = int(stun(client)["mapped"].split(":")[1])
        time.sleep(pause)
        request = binding(struct.pack("!HHHxx", 0x27, 4, mapped))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            send = functools.partial(other.sendto, request, (host, port))
            try:
                repeat(send, client, patience, request)
                alive.append(True)
            except socket.timeout:
                alive.append(False)
    return {"alive": alive}


def hop(client, transport, host, ttl):
    """Who says that time is exceeded for a packet with this TTL (the argument in place of a port;
    the packet goes to port 50000)."""
    client.connect((host, 50000))
    client.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    client.send(b"hop")
    errors = select.poll()
    errors.register(client, 0)
    if not errors.poll(client.gettimeout() * 1000):
        raise socket.timeout
    _, extra, _, _ = client.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    return {"hop": socket.inet_ntoa(extra[0][2][20:24])}  # SO_EE_OFFENDER


def mark(client, transport, host, port):
    """The TOS byte of a packet as the provider's hop quotes it back; needs a raw socket."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as listener:
        listener.settimeout(client.gettimeout())
        client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 2)
        client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xB8)  # EF
        client.send(b"mark")
        return {"tos": listener.recv(2048)[28 + 1]}


def ntp(client, *_):
    """SNTP (RFC 4330); the offset in seconds."""
    reply = ask(client, b"\x23" + bytes(47))
    seconds, fraction = struct.unpack("!II", reply[40:48])
    return {"stratum": reply[1],
            "offset": round(seconds - 2208988800 + fraction / 2**32 - time.time(), 2)}


def hello(client, transport, *_):
    """UDP: sends datagrams and waits. TCP and TLS: the connection alone."""
    if transport == "udp":
        return {"bytes": len(ask(client, b"hello"))}
    return {"connected": True, **({"issuer": dict(p[0] for p in client.getpeercert()["issuer"])}
                                  if transport == "tls" else {})}


def call(what, transport, host, port, expected="answer"):
    """One call; errors by their short names: silent, refused, rejected, unreachable, unresolved."""
    names = {errno.ECONNREFUSED: "refused", errno.EHOSTUNREACH: "rejected",
             errno.EACCES: "rejected", errno.ENETUNREACH: "unreachable",
             errno.ECONNRESET: "reset", errno.EHOSTDOWN: "rejected"}
    start = time.monotonic()
    try:
        port = int(port)
        patience = SILENCE_S if expected == "silent" else PATIENCE_S
        with connect(transport, host, port, patience) as client:
            found = globals()[what](client, transport, host, port)
            return found | {"ms": round((time.monotonic() - start) * 1000, 1)}
    except socket.timeout:
        return {"error": "silent"}
    except socket.gaierror as error:
        return {"error": "unresolved", "code": error.errno}
    except ssl.SSLError as error:
        return {"error": "tls", "reason": str(error)}
    except OSError as error:
        return {"error": names.get(error.errno, str(error))}
    except (struct.error, IndexError, ValueError) as error:
        return {"error": "garbled", "reason": str(error)}


if __name__ == "__main__":
    if sys.argv[1] == "batch":
        calls = json.loads(sys.argv[2])
        with ThreadPoolExecutor(len(calls)) as pool:
            print(json.dumps(list(pool.map(lambda one: call(*one), calls))))
    else:
        print(json.dumps(call(*sys.argv[1:])))
