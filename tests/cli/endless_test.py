"""What has no end, and who must be able to end it: TLS servers that go on and on, inputs that never
come, a part of the program that is stuck. CALLREADY names the binary."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from tests.cli.commands_test import CALLREADY, CommandsTest, Listener, row

# HelloRequest (RFC 5246 section 7.4.1.1), which a client takes no notice of, in a record of its own.
HELLO_REQUEST = bytes((22, 3, 3, 0, 4, 0, 0, 0, 0))
# More than anything here takes on a busy computer, and less than what would be for ever.
MOST_S = 45


class EndlessServer:
    """Answers each connection with HelloRequests: as fast as they are taken, or now and then."""

    def __init__(self, gap_s=0.0):
        self.gap_s = gap_s
        self.greeted = threading.Event()
        self.over = False
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while not self.over:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        block = HELLO_REQUEST if self.gap_s else HELLO_REQUEST * 7_000
        until = time.monotonic() + 2 * MOST_S
        with peer:
            try:
                peer.recv(65_536)
                self.greeted.set()
                while not self.over and time.monotonic() < until:
                    peer.sendall(block)
                    if self.gap_s:
                        time.sleep(self.gap_s)
            except OSError:
                pass

    def close(self):
        self.over = True
        self.socket.close()


class EndlessTest(CommandsTest):
    def server(self, **options):
        server = EndlessServer(**options)
        self.addCleanup(server.close)
        return server

    def commands(self, port):
        """Command lines that speak TLS to that port."""
        text = {check: row(check, "tls", port) for check in ("tls", "sip", "turn", "stun", "http")}
        text["proxy"] = row("http", "tls", 443).replace("addresses: [127.0.0.1]",
                                                        "proxy: allowed, hosts: [far.example.com]")
        found = {"import": ["import", "zoom", "--url", f"https://127.0.0.1:{port}/"]}
        for check, row_text in text.items():
            file = self.write(self.set_of(row_text), f"{check}.yaml")
            proxy = f"https://127.0.0.1:{port}" if check == "proxy" else "none"
            found[check] = ["check", "small", "--set", file, "--no-anchors", "--json", "--timeout",
                            "20", "--dns", "127.0.0.1:9", "--proxy", proxy]
        return found

    def set_of(self, text):
        with open(self.small(text), encoding="utf-8") as file:
            return file.read()

    def start(self, arguments, **options):
        process = subprocess.Popen([CALLREADY, *arguments], env=self.environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

        def end():
            process.kill()
            process.communicate()
        self.addCleanup(end)
        return process


class EndlessTls(EndlessTest):
    def test_a_flood_is_given_up(self):
        server = self.server()
        for name, arguments in self.commands(server.port).items():
            with self.subTest(name):
                begin = time.monotonic()
                process = self.start(arguments, stdin=subprocess.DEVNULL)
                output, errors = process.communicate(timeout=MOST_S)
                self.assertLess(time.monotonic() - begin, MOST_S)
                if arguments[0] != "check":
                    self.assertEqual(2, process.returncode, errors)
                    self.assertIn("excessive message size", errors)
                    continue
                for probe in json.loads(output)["probes"]:
                    if name != "proxy" or probe["target"]["route"] != "direct":
                        self.assertEqual("failed", probe["outcome"], probe)

    def test_who_waits_is_interrupted(self):
        server = self.server(gap_s=0.05)
        for name, arguments in self.commands(server.port).items():
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(name, signal=number.name):
                    server.greeted.clear()
                    process = self.start(arguments, stdin=subprocess.DEVNULL)
                    self.assertTrue(server.greeted.wait(MOST_S))
                    process.send_signal(number)
                    begin = time.monotonic()
                    output, _ = process.communicate(timeout=MOST_S)
                    self.assertLess(time.monotonic() - begin, 20)
                    if arguments[0] == "check":
                        self.assertEqual(3, process.returncode)
                        self.assertFalse(json.loads(output)["complete"])
                    else:
                        self.assertEqual(-number, process.returncode)


class NothingComes(EndlessTest):
    def test_an_interrupt_ends_who_waits_for_input(self):
        """Before the run has begun there is nothing to report."""
        pipe = self.path("pipe")
        os.mkfifo(pipe)
        writer = os.open(pipe, os.O_RDWR)  # there is somebody, who says nothing
        self.addCleanup(os.close, writer)
        small = self.small()
        waiting = {"credentials": ["check", "small", "--set", small, "--credentials", "-"],
                   "set": ["check", "--set", pipe]}
        for name, arguments in waiting.items():
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(name, signal=number.name):
                    process = self.start(arguments, stdin=subprocess.PIPE)
                    self.wait_until_it_waits(process)
                    process.send_signal(number)
                    begin = time.monotonic()
                    self.assertEqual(-number, process.wait(MOST_S))
                    self.assertLess(time.monotonic() - begin, 5)

    def wait_until_it_waits(self, process):
        """For its input: it has been asleep for a while."""
        asleep = 0
        for _ in range(600):
            time.sleep(0.05)
            with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            asleep = asleep + 1 if state == "S" else 0
            if asleep == 8:
                return
        self.fail("it never waits")


class NobodyReads(EndlessTest):
    def test_a_reader_that_has_enough_ends_it_quietly(self):
        listener = Listener()
        self.addCleanup(listener.close)
        file = self.small(row(port=listener.port))
        for kind in ("text", "json", "html"):
            with self.subTest(kind):
                done = subprocess.run(
                    ["bash", "-c", '"$0" check --set "$1" --no-anchors --report "$2" | true; '
                     'exit "${PIPESTATUS[0]}"', CALLREADY, file, kind],
                    capture_output=True, text=True, timeout=MOST_S, env=self.environment(),
                    check=False)
                self.assertEqual((0, ""), (done.returncode, done.stderr))

    def test_each_command_is_quiet_where_its_reader_has_gone(self):
        report = self.write(self.check_small("--json").stdout, "saved.json")
        for arguments in (["--version"], ["--help"], ["help", "check"], ["manual"],
                          ["manual", "--findings"], ["completion", "bash"], ["list"],
                          ["firewall", "rainbow"], ["diff", report, report]):
            reading, writing = os.pipe()
            os.close(reading)
            with self.subTest(arguments[:2]), os.fdopen(writing, "w") as gone:
                done = self.run_it(*arguments, stdout=gone, stderr=subprocess.PIPE)
                self.assertEqual((0, ""), (done.returncode, done.stderr))


class WrongFiles(CommandsTest):
    def test_a_file_that_is_not_there_is_a_mistake_of_the_command_line(self):
        for option in ("--pac", "--ca-file"):
            with self.subTest(option):
                done = self.check_small(option, "/nowhere/x")
                self.assert_refused(done, "/nowhere/x", "there is no such file")

    def test_show_takes_a_name_in_words(self):
        self.assertEqual(0, self.run_it("show", "ms", "teams").returncode)

    def test_a_list_that_makes_no_set_makes_none(self):
        file = self.write(json.dumps([{
            "id": 1, "serviceArea": "Exchange", "urls": ["a.example.com"], "tcpPorts": "443",
            "category": "Allow", "required": True}]), "list.json")
        self.assert_refused(self.run_it("import", "m365", file), "does not make a valid set")


if __name__ == "__main__":
    unittest.main()
