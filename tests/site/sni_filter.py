"""A transparent filter for TLS: sni_filter.py ADDRESS PORT DOMAIN...

Connections that were led here by dnat go on to where they were meant, unless their first bytes, a
TLS hello, name one of the domains: those are reset.
"""

import socket
import struct
import sys
import threading

SO_ORIGINAL_DST = 80  # linux/netfilter_ipv4.h


def _pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end, how in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
        try:
            end.shutdown(how)
        except OSError:
            pass


def _open(client, own, domains):
    """The connection that the client is to have; none where it is not to have one."""
    address = client.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
    port, host = struct.unpack("!2xH4s8x", address)
    where = (socket.inet_ntoa(host), port)
    if where == own:
        return None
    client.settimeout(10)
    hello = client.recv(4096)
    if any(domain in hello for domain in domains):
        # Closed without lingering, which is a reset.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return None
    server = socket.create_connection(where, 5)
    server.sendall(hello)
    client.settimeout(None)
    server.settimeout(None)
    return server


def _serve(client, own, domains):
    with client:
        try:
            server = _open(client, own, domains)
        except OSError:
            return
        if server is None:
            return
        with server:
            back = threading.Thread(target=_pump, args=(client, server), daemon=True)
            back.start()
            _pump(server, client)
            back.join()


def main(address, port, *domains):
    """Serves until it is killed."""
    with socket.create_server((address, port)) as listener:
        while True:
            client, _ = listener.accept()
            names = [domain.encode() for domain in domains]
            threading.Thread(target=_serve, args=(client, (address, port), names),
                             daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
