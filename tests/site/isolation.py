"""Namespaces: what makes the site private.

Everything of a site lives in namespaces that this process makes: its network, its mounts and its
process numbers. When the first process in there ends, the kernel ends all the others with it, and
files under /run, which is a tmpfs of the site's own, vanish.
"""

import contextlib
import ctypes
import os
import signal
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
PR_SET_PDEATHSIG = 1
SI_KERNEL = 0x80

PRIVATE = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET

# What the first process of the site waits for; blocked everywhere else, so that none is lost.
SIGNALS = {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
STOP = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel does not let us make a namespace: nothing may run."""


class Stopped(Exception):
    """A signal asked for the end before the site was up."""


def _call(function, *arguments):
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(source, target, kind, flags=0, data=""):
    _call(_libc.mount, source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags),
          data.encode())


def identity(kind):
    """What tells one namespace of this kind from another (device and inode, see namespaces(7))."""
    status = os.stat(f"/proc/self/ns/{kind}")
    return status.st_dev, status.st_ino


def network_identity():
    """Of the network namespace that this thread is in."""
    return identity("net")


def _unshare_all():
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        try:
            return _call(_libc.unshare, PRIVATE)
        except OSError:
            pass  # root without CAP_SYS_ADMIN, as in a container: a user namespace may still do
    try:
        _call(_libc.unshare, PRIVATE | CLONE_NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"),
                           ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    except OSError as error:
        raise Refused(f"this system does not allow namespaces: {error.strerror}") from error


def _private_mounts():
    try:
        _mount("none", "/", "", MS_REC | MS_PRIVATE)
        _mount("proc", "/proc", "proc")
        # The outside's /run holds sockets of resolvers and name services: a way out, masked here.
        _mount("tmpfs", "/run", "tmpfs", data="mode=755")
        _mount("tmpfs", "/dev/shm", "tmpfs", data="mode=1777")
    except OSError as error:
        raise Refused(f"this system does not allow private mounts: {error.strerror}") from error
    with contextlib.suppress(OSError):  # only so that /sys/class/net shows the site's interfaces
        _mount("sysfs", "/sys", "sysfs")


def bind(source, target):
    """Lets `target` show `source`, inside the site only. A dangling link gets its file first."""
    target = os.path.realpath(target)
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="ascii"):
            pass
    _mount(source, target, "", MS_BIND)


def spawn(inside):
    """Runs `inside()` as the first process of new namespaces; returns its exit status.

    Raises Refused when none can be made. Signals sent to this process are passed on; those
    of the terminal reach the whole foreground group by themselves. A child that a signal ended
    gives 128 and its number, as in a shell.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    outside = {kind: identity(kind) for kind in ("net", "mnt", "pid")}
    _unshare_all()
    child = os.fork()
    if child == 0:
        def first():
            _call(_libc.prctl, PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            # Whatever the calls said, and before anything is mounted or run.
            ours = all(identity(kind) != outside[kind] for kind in outside)
            if os.getpid() != 1 or not ours:
                raise Refused("the namespaces are not our own; nothing was run")
            _private_mounts()
            return inside()

        end_with(first)
    return wait(child)


def end_with(job):
    """Ends this process, a fork of another, with the status that `job` gives; 125 if it fails."""
    status = 125
    try:
        status = job()
    except Refused as error:
        print(f"site: {error}", file=sys.stderr)
    except Exception:  # pylint: disable=broad-except  # the last line before _exit
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait(child, seen=lambda pid, status: None):
    """Waits for `child`, passing signals on to it; `seen` hears of every other child that ends."""
    while True:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == child:
                    code = os.waitstatus_to_exitcode(status)
                    return code if code >= 0 else 128 - code
                seen(pid, status)
        caught = signal.sigwaitinfo(SIGNALS)
        if caught.si_signo in STOP and caught.si_code < SI_KERNEL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, caught.si_signo)


def check_stopped():
    """Raises Stopped when a signal is waiting; for the loops of the start-up."""
    if signal.sigpending() & STOP:
        raise Stopped("interrupted while the site was starting")


def unblock_signals():
    """For children, which must not inherit the blocked signals."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


class Namespace:
    """A network namespace. `with namespace:` is inside it; children started there stay there."""

    def __init__(self, name, existing=False):
        self.name = name
        self._home = []
        if existing:
            self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            return
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        try:
            _call(_libc.unshare, CLONE_NEWNET)
            self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            _call(_libc.setns, home, CLONE_NEWNET)
        except OSError as error:
            raise Refused(f"no network namespace for {name}: {error.strerror}") from error
        finally:
            os.close(home)

    @property
    def path(self):
        """A path by which `ip link ... netns` finds this namespace."""
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    def __enter__(self):
        self._home.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        _call(_libc.setns, self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        home = self._home.pop()
        _call(_libc.setns, home, CLONE_NEWNET)
        os.close(home)
