"""A VPN: what goes into the PC's tun0 comes out at a concentrator outside the site, and back.

    tunnel.py FAR_NAMESPACE PC_ADDRESS FAR_ADDRESS ROUTE...

Started on the PC. The packets themselves are carried by this process: how a VPN wraps them makes no
difference to what is inside.
"""

import ctypes
import fcntl
import os
import selectors
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
LARGEST = 65536


def run(*command):
    subprocess.run(command, check=True)


def tun(name, address):
    """An interface of the current namespace, up."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    run("ip", "addr", "add", f"{address}/24", "dev", name)
    run("ip", "link", "set", name, "up")
    return fd


def main(far, near_address, far_address, *routes):
    near_fd = tun("tun0", near_address)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    with open(far, "rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    far_fd = tun("vpn0", far_address)
    if libc.setns(home, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    for route in routes:
        run("ip", "route", "replace", route, "dev", "tun0")
    print("forwarding", flush=True)
    selector = selectors.DefaultSelector()
    selector.register(near_fd, selectors.EVENT_READ, far_fd)
    selector.register(far_fd, selectors.EVENT_READ, near_fd)
    while True:
        for key, _ in selector.select():
            try:
                os.write(key.data, os.read(key.fd, LARGEST))
            except OSError:
                pass  # a packet that the other side does not take is lost, as on any line


if __name__ == "__main__":
    main(*sys.argv[1:])
