"""Who may know whom: the include lines of every room (rooms are listed in CMakeLists.txt)."""

import re
import unittest

from tests.lint import sources

# A room knows itself, `util`, and these.
MAY_KNOW = {
    "util": set(),
    "model": set(),
    "media": {"model"},
    "diagnosis": {"model", "reach", "status", "ways"},
    "contents": {"model", "diagnosis", "status"},
    "ways": {"model", "diagnosis", "reach"},
    "reach": {"model", "diagnosis", "status"},
    "questions": {"model", "diagnosis", "contents", "ways", "reach"},
    "status": {"model", "diagnosis"},
    "compare": {"model", "diagnosis", "status"},
    "plan": {"model", "targets"},
    "targets": {"model", "platform"},
    "reports": {"model", "words"},
    "words": {"model", "reports"},
    "text": {"model", "reports", "words", "html"},
    "html": {"model", "reports", "words", "text"},
    "json": {"model", "reports", "words", "text"},
    "monitoring": {"model", "reports", "words", "text", "html", "json"},
    "firewall": {"model", "reports", "words", "text", "json"},
    "privacy": {"model"},
    "platform": {"model"},
    "net": {"model", "platform"},
    "webrtc": {"model", "platform", "net"},
    "serve": {"model", "net", "media", "webrtc", "web"},
    "checks": {"model", "net", "media", "webrtc"},
    "engine": {"model", "plan", "diagnosis", "targets", "platform", "net", "checks"},
    "web": {"model", "platform", "net"},
    "exporter": {"model", "plan", "targets", "reports", "platform", "net", "web"},
    "ui": {"net", "web", "targets", "reports"},
    "cli": set(sources.ROOMS),
}

# A folder in a room, linked with it: who knows the room may know its folders.
INSIDE = {
    room: outer
    for room, inner in sources.ROOMS.items()
    for outer, folder in sources.ROOMS.items()
    if inner.startswith(folder + "/")
}

# Asio takes 4 to 7 seconds a file, and what decides must not be able to wait.
ASIO_ROOMS = {"net", "webrtc", "serve", "checks", "engine", "web", "exporter", "ui", "cli"}

SYSTEM_HEADER = re.compile(
    r"^(arpa|linux|net|netinet|netpacket|sys)/|^(aio|dirent|dlfcn|fcntl|glob|grp|ifaddrs|langinfo"
    r"|netdb|poll|pthread|pwd|resolv|sched|spawn|syslog|termios|unistd|wordexp|winsock2|ws2tcpip"
    r"|windows|iphlpapi)\.h$"
)

SYSTEMS = {"linux", "posix", "bsd", "darwin", "windows", "elsewhere", "everywhere"}

# Windows' headers take these for macros, and come before ours in its files; some of them by Asio.
WINDOWS_MACRO = re.compile(r"\b(interface|small|hyper|near|far|IN|OUT|OPTIONAL|ERROR|DELETE)\b")
ASIO_MACRO = re.compile(r"\b(near|far|IN|OUT|OPTIONAL)\b")

NO_MACROS = set(sources.ROOMS) - ASIO_ROOMS - {"platform"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    return INCLUDE.findall(sources.without_comments(path.read_text()))


def room_of(header):
    for room, folder in sources.ROOMS.items():
        if header.startswith(folder + "/"):
            return room
    return None


def faults(room, header, quoted):
    """What is wrong with that include in that room, or nothing."""
    if quoted:
        other = room_of(header)
        if other is None:
            return f"{header} is in no room: include by the path from the source folder"
        known = MAY_KNOW[room] | {room, "util"}
        outer = INSIDE.get(other)
        from_outside = outer in known and outer not in (room, INSIDE.get(room))
        if other not in known and not from_outside:
            return f"{room} must not know {other}: {header}"
        return None
    if SYSTEM_HEADER.match(header) and room != "platform":
        return f"<{header}> belongs into probe/platform"
    if header.startswith("boost/asio") and room not in ASIO_ROOMS:
        return f"{room} must not know Asio: <{header}>"
    return None


class Layers(unittest.TestCase):
    def test_includes_keep_to_the_rooms(self):
        found = []
        for room, folder in sources.ROOMS.items():
            for path in sources.files(folder):
                for mark, header in includes(path):
                    fault = faults(room, header, mark == '"')
                    if fault:
                        found.append(f"{sources.name(path)}: {fault}")
        self.assertEqual(found, [])

    def test_every_platform_header_has_a_file_per_system(self):
        folder = sources.ROOT / sources.ROOMS["platform"]
        headers = {path.stem for path in folder.glob("*.hpp")}
        self.assertTrue(headers)
        implemented = set()
        for path in folder.glob("*.cpp"):
            stem, _, system = path.stem.rpartition("_")
            self.assertIn(system, SYSTEMS, f"{path.name}: expected NAME_SYSTEM.cpp")
            self.assertIn(stem, headers, f"{path.name}: there is no {stem}.hpp")
            implemented.add(stem)
        self.assertEqual(headers, implemented)

    def test_nothing_has_a_name_that_windows_takes(self):
        found = []
        for room, folder in sources.ROOMS.items():
            for path in sources.files(folder):
                elsewhere = path.stem.endswith(("_posix", "_linux", "_darwin")) or room in NO_MACROS
                platform = room == "platform" and path.suffix == ".hpp"
                words = WINDOWS_MACRO if platform else ASIO_MACRO
                if not elsewhere:
                    found += [f"{sources.name(path)}: {word}"
                              for word in words.findall(sources.blank(path.read_text()))]
        self.assertEqual(found, [])

    def test_the_link_says_the_same(self):
        text = (sources.ROOT / "CMakeLists.txt").read_text()
        for room, allowed in MAY_KNOW.items():
            line = re.search(rf"callready_room\({INSIDE.get(room, room)} [^)]*\)", text)
            self.assertIsNotNone(line, room)
            knows = re.search(r"KNOWS ([a-z ]+?)(?: *\n| USES|\))", line.group())
            linked = set(knows.group(1).split()) if knows else set()
            self.assertLessEqual(linked, allowed | {"util"}, room)


class TheLintItself(unittest.TestCase):
    def test_finds_what_it_is_for(self):
        self.assertIn("must not know", faults("model", "probe/net/clock.hpp", True))
        self.assertIn("must not know", faults("checks", "probe/platform/icmp.hpp", True))
        self.assertIn("must not know", faults("diagnosis", "reports/format.hpp", True))
        self.assertIn("must not know", faults("contents", "probe/diagnosis/ways/claims.hpp", True))
        self.assertIn("must not know", faults("ways", "probe/diagnosis/contents/names.hpp", True))
        self.assertIn("must not know", faults("words", "reports/firewall/firewall.hpp", True))
        self.assertIn("in no room", faults("net", "clock.hpp", True))
        self.assertIn("probe/platform", faults("net", "sys/socket.h", False))
        self.assertIn("Asio", faults("reports", "boost/asio.hpp", False))

    def test_lets_the_rest_pass(self):
        self.assertIsNone(faults("net", "probe/platform/icmp.hpp", True))
        self.assertIsNone(faults("cli", "checks/check.hpp", True))
        self.assertIsNone(faults("cli", "reports/firewall/firewall.hpp", True))
        self.assertIsNone(faults("engine", "probe/diagnosis/questions/follow_up.hpp", True))
        self.assertIsNone(faults("platform", "sys/socket.h", False))
        self.assertIsNone(faults("model", "vector", False))
        self.assertIsNone(faults("net", "ares.h", False))


if __name__ == "__main__":
    unittest.main()
