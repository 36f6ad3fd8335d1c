"""Runs a command on the site's PC and prints what the PC sent meanwhile, as one JSON object.

    capture.py -- COMMAND [argument]...

Needs privileges on the PC's network (`privileged`): a packet socket. The answer: `exit`, and
`packets`, in the order in which they left: `at` (seconds, by the kernel's clock then), `protocol`
("udp", "tcp"), `from` (a port), `to`, `port`, `ttl`, and what this packet is the first of: `syn`,
`sip` (its method, transaction and transport), `tls` (the name it greets), `stun` (its method and
transaction). Packets of TCP have their `sequence`: one that is sent again has it again. The
command's own output goes nowhere.
"""

import json
import re
import select
import socket
import struct
import subprocess
import sys
import time

ALL_PROTOCOLS = 3     # ETH_P_ALL
OUTGOING = 4          # PACKET_OUTGOING
TIMESTAMPNS = 35      # SO_TIMESTAMPNS, and its control message
SYN, ACK = 0x02, 0x10
SIP = re.compile(rb"(OPTIONS|INVITE|UPDATE|REGISTER|MESSAGE|SUBSCRIBE|ACK|BYE|CANCEL) \S+ SIP/2\.0\r\n")
BRANCH = re.compile(rb"branch=(z9hG4bK[^;\s,]+)")
STUN_METHODS = {0x0001: "binding", 0x0003: "allocate", 0x0004: "refresh"}


def _client_hello(payload):
    """The name that a ClientHello greets (RFC 6066 section 3); "" without one; None for anything
    else. RFC 8446 section 4.1.2: record, handshake, version, random, session, ciphers, compression."""
    if len(payload) < 44 or payload[0] != 22 or payload[5] != 1:
        return None
    at = 43
    at += 1 + payload[at]
    for size in (2, 1):
        if at + size > len(payload):
            return ""
        at += size + int.from_bytes(payload[at:at + size], "big")
    at += 2
    while at + 4 <= len(payload):
        kind, size = struct.unpack_from("!HH", payload, at)
        if kind == 0:
            return payload[at + 9:at + 4 + size].decode("ascii", "replace")
        at += 4 + size
    return ""


def _what(payload, transport):
    """What begins in this payload."""
    if SIP.match(payload):
        branch = BRANCH.search(payload)
        return {"sip": [payload.split(b" ", 1)[0].decode(), branch.group(1).decode() if branch else "",
                        transport]}
    if payload[4:8] == b"\x21\x12\xa4\x42" and len(payload) >= 20:
        method = struct.unpack_from("!H", payload)[0]
        return {"stun": [STUN_METHODS.get(method, hex(method)), payload[8:20].hex()]}
    name = _client_hello(payload)
    return {} if name is None else {"tls": name}


def _read(frame, at):
    """A packet of ours, or None."""
    if frame[12:14] != b"\x08\x00":
        return None
    ip = frame[14:]
    ip = ip[:struct.unpack_from("!H", ip, 2)[0] or len(ip)]
    rest = ip[(ip[0] & 15) * 4:]
    packet = {"at": at, "to": socket.inet_ntoa(ip[16:20]), "ttl": ip[8]}
    if ip[9] == socket.IPPROTO_UDP:
        packet |= {"protocol": "udp", **_what(rest[8:], "udp")}
    elif ip[9] == socket.IPPROTO_TCP:
        packet |= {"protocol": "tcp", **_what(rest[(rest[12] >> 4) * 4:], "tcp")}
        packet |= {"syn": rest[13] & (SYN | ACK) == SYN,
                   "sequence": struct.unpack_from("!I", rest, 4)[0]}
    else:
        return None
    packet["from"], packet["port"] = struct.unpack_from("!HH", rest)
    return packet


def _next(line):
    """A frame, its kind, and when the kernel saw it: a busy machine may read it much later."""
    frame, extra, _, (_, _, kind, *_) = line.recvmsg(65536, socket.CMSG_SPACE(16))
    stamp = next(data for level, name, data in extra
                 if (level, name) == (socket.SOL_SOCKET, TIMESTAMPNS))
    seconds, nanoseconds = struct.unpack("@ll", stamp)
    return frame, kind, seconds + nanoseconds / 1e9


def main(command):
    """Captures while the command runs."""
    packets = []
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS)) as line:
        line.bind(("eth0", ALL_PROTOCOLS))
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        line.setsockopt(socket.SOL_SOCKET, TIMESTAMPNS, 1)
        start = time.time()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        while True:
            ended = child.poll() is not None
            readable, _, _ = select.select([line], [], [], 0 if ended else 0.05)
            if not readable:
                if ended:
                    break
                continue
            frame, kind, at = _next(line)
            packet = _read(frame, at - start) if kind == OUTGOING else None
            if packet:
                packets.append(packet)
    print(json.dumps({"exit": child.returncode, "packets": packets}))


if __name__ == "__main__":
    main(sys.argv[2:])
