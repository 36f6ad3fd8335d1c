"""The scripts: what they make of a bad command line and of an interrupt. Nothing is installed or built."""
import os
import subprocess
import tempfile
import unittest

# Stand-ins. The installation is interrupted, as by Ctrl-C.
FAKES = {"dpkg-query": "exit 1", "id": "echo 0",
         "apt-get": "[ $1 = update ] || { test -x \"$POLICY\" && echo installing; kill -TERM $PPID; }"}


def run(*words, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


class Packages(unittest.TestCase):
    """script/packages.sh, with a file of the test's own in the place of /usr/sbin/policy-rc.d."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.policy = os.path.join(folder.name, "policy-rc.d")
        self.script = os.path.join(folder.name, "packages.sh")
        with open("script/packages.sh", encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(1, text.count("/usr/sbin/policy-rc.d"))
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(text.replace("/usr/sbin/policy-rc.d", self.policy))
        for name, body in FAKES.items():
            path = os.path.join(folder.name, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\n{body}\n")
            os.chmod(path, 0o755)
        self.environment = {**os.environ, "PATH": folder.name + ":" + os.environ["PATH"],
                            "POLICY": self.policy}

    def sh(self, text):
        return run("sh", "-c", f'set -eu; . "$0"; {text}', self.script, env=self.environment)

    def test_an_interrupted_installation_lets_services_start_again(self):
        done = self.sh("need_packages nothing-that-is-there")
        self.assertIn("installing", done.stderr)
        self.assertNotEqual(0, done.returncode)
        self.assertFalse(os.path.exists(self.policy))

    def test_what_is_missing(self):
        self.environment["PATH"] = os.environ["PATH"]
        done = self.sh("missing_packages dpkg nothing-that-is-there g++-nothing libc6")
        self.assertEqual("nothing-that-is-there\ng++-nothing\n", done.stdout, done.stderr)


class CommandLines(unittest.TestCase):
    def test_nothing_is_fuzzed_for_ever_or_by_mistake(self):
        for words in (["--seconds", "ten"], ["--seconds", "0"], ["--help"], ["--sort"]):
            with self.subTest(words):
                done = run("script/fuzz", *words)
                self.assertEqual((2, ""), (done.returncode, done.stdout))
                self.assertIn("script/fuzz --seconds 600 NAME...", done.stderr)

    def test_help_is_found_from_everywhere(self):
        for name in ("fuzz", "package"):
            done = run("./" + name, "--help", cwd="script")
            self.assertEqual(2, done.returncode)
            self.assertTrue(done.stderr.startswith(f"script/{name} "), done.stderr)


if __name__ == "__main__":
    unittest.main()
