"""A time server that is wrong on purpose (RFC 4330): sntp.py ADDRESS OFFSET_S.

chronyd serves the time here. It can be told another one (the fault `ntp-ahead`), to the second:
`clock` needs it as exact as the clock of the other servers.
"""

import socket
import struct
import sys
import time

EPOCH = 2208988800  # seconds between 1900 and 1970


def serve(address, offset_s):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: answer from where we were asked
        server.bind((address, 123))
        while True:
            request, extra, _, client = server.recvmsg(512, 512)
            if len(request) < 48 or request[0] & 7 != 3:
                continue
            now = int((time.time() + EPOCH + offset_s) * 2**32).to_bytes(8, "big")
            reply = (struct.pack("!BBBbII4s", request[0] & 0x38 | 4, 2, 6, -20, 0, 0, b"SITE") +
                     now + request[40:48] + now + now)
            server.sendmsg([reply], [e for e in extra if e[1] == 8], 0, client)


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]))
