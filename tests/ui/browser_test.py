"""The page of callready ui in headless Chromium: the whole way by keyboard, nothing that axe-core
complains of in any state, in light and dark, at the width of a desk and of two phones. With
CALLREADY_SCREENSHOTS=FOLDER the pictures are kept."""

import base64
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import unittest

from tests.reports import chromium
from tests.ui import program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# https://github.com/dequelabs/axe-core: npm install --prefix build/axe axe-core
AXE = os.path.join(ROOT, "build", "axe", "node_modules", "axe-core", "axe.min.js")
PICTURES = os.environ.get("CALLREADY_SCREENSHOTS", "")
WIDTHS = (1280, 390, 320)


@unittest.skipUnless(program.CALLREADY, "callready is not built")
@unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(chromium.Chromium())

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="callready-ui-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.silent.close)
        self.silent.bind(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        program.write_set(self.folder, "local", port)
        program.write_set(self.folder, "slow", port, where="hosts: [slow.example]")
        program.write_set(self.folder, "homemade", port, where=program.OF_ONES_OWN)
        dns = f"127.0.0.1:{self.silent.getsockname()[1]}"
        self.ui = program.Program(self.folder, options=["--no-anchors", "--dns", dns])
        self.addCleanup(self.ui.close)
        self.browser.resize(1280, 900)
        self.browser.media(scheme="light")
        self.browser.open(self.ui.file)  # as a user does; it leads to the page
        self.until("document.querySelectorAll('[name=service]').length > 5")
        self.addCleanup(self.browser.call, "Page.navigate", url="about:blank")

    def until(self, expression):
        deadline = time.monotonic() + program.DEADLINE_S
        while time.monotonic() < deadline:
            try:
                if self.browser.js(expression):
                    return
            except RuntimeError:
                pass  # between two pages
            time.sleep(0.05)
        self.fail(f"{expression} does not come true: {self.text()}")

    def text(self):
        return self.browser.js("document.body.innerText")

    def type(self, text):
        self.browser.call("Input.insertText", text=text)

    def focused(self):
        return self.browser.js("document.activeElement.id || document.activeElement.value")

    def tab_to(self, selector, most=40):
        for _ in range(most):
            self.browser.key("Tab")
            if self.browser.js(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        self.fail(f"Tab does not reach {selector}")

    def pick(self, name):
        self.browser.js("document.getElementById('search').value = ''")
        self.browser.js("document.getElementById('search').focus()")
        self.type(name)
        self.until(f"document.querySelector('[name=service]:checked')?.value === {json.dumps(name)}")

    def run_to_its_end(self, name):
        self.pick(name)
        self.browser.key("Enter")
        self.until("!document.getElementById('result').hidden")

    def is_fine(self, state):
        """Nothing to complain of in this state, however wide and however dark."""
        for scheme in ("light", "dark"):
            self.browser.media(scheme=scheme)
            for width in WIDTHS:
                self.browser.resize(width, 900, mobile=width < 500)
                with self.subTest(state, scheme=scheme, width=width):
                    beyond = self.browser.js(
                        "document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    self.assertEqual(0, beyond, "it must not scroll sideways")
                    if os.path.exists(AXE) and width != 390:
                        self.assertEqual([], self.axe())
                    small = self.browser.js("""[...document.querySelectorAll('button, a.button, label.service')]
                        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
                        .map((one) => one.textContent)""")
                    self.assertEqual([], small, "too small for a finger")
                    self.picture(f"{state}-{scheme}-{width}")
        self.browser.resize(1280, 900)
        self.browser.media(scheme="light")

    def axe(self):
        if not self.browser.js("Boolean(window.axe)"):
            with open(AXE, encoding="utf-8") as file:
                self.browser.js(file.read() + "; true")  # by the debugger: the policy keeps it out
        return self.browser.js("""axe.run(document, {resultTypes: ['violations']}).then((found) =>
            found.violations.map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 120))))""")

    def picture(self, name):
        if not PICTURES:
            return
        os.makedirs(PICTURES, exist_ok=True)
        data = self.browser.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(os.path.join(PICTURES, name + ".png"), "wb") as file:
            file.write(base64.b64decode(data))


class States(Page):
    def test_each_state(self):
        self.is_fine("choose")
        self.browser.js("document.getElementById('settings').open = true")
        self.pick("teams")
        self.until("!document.getElementById('scenarios').hidden")
        self.is_fine("settings")
        self.pick("slow")
        self.browser.key("Enter")
        self.until("!document.getElementById('progress').hidden")
        child = self.ui.child()
        os.kill(child, signal.SIGSTOP)  # time to look
        try:
            self.is_fine("running")
        finally:
            os.kill(child, signal.SIGCONT)
        self.until("!document.getElementById('result').hidden")
        self.is_fine("no-names")
        self.browser.js("document.getElementById('other').click()")
        self.run_to_its_end("local")
        self.is_fine("ready")
        self.listener.close()
        self.browser.js("document.getElementById('again').click()")
        self.until("document.title.startsWith('BLOCKED')")
        self.browser.js("document.getElementById('compare').click()")
        self.until("!document.getElementById('comparison').hidden")
        self.is_fine("blocked")
        self.assertIn("To be done by", self.text())
        os.remove(self.folder + "/config/callready/targets/local.yaml")
        self.browser.js("document.getElementById('again').click()")
        self.until("!document.getElementById('failed').hidden")
        self.is_fine("failed")
        self.assertIn("local", self.browser.js("document.getElementById('problem').textContent"))
        # Chromium would like a form for each login.
        complaints = [text for text in self.browser.complaints() if not text.startswith("[DOM]")]
        self.assertEqual([], complaints)
        elsewhere = [url for url in self.browser.requests()
                     if not url.startswith((f"http://{self.ui.address}/", "file://"))]
        self.assertEqual([], elsewhere)


class OwnValues(Page):
    """What only the user knows: asked for beside the service, and missing by its title."""

    def setUp(self):
        super().setUp()
        self.pick("homemade")
        self.until("!document.getElementById('needed').hidden")

    def test_without_one_the_page_says_what_is_missing_and_leads_there(self):
        self.assertEqual("Your server", self.browser.js("document.querySelector('#needed label').textContent"))
        self.is_fine("needed")
        self.browser.js("document.getElementById('run').click()")
        self.until("!document.getElementById('result').hidden")
        self.is_fine("lacking")
        reasons = self.browser.js("document.getElementById('reasons').textContent")
        self.assertIn("needs your own value: Your server", reasons)
        self.assertNotIn("--var", reasons)
        self.tab_to("#fill-in")
        self.browser.key("Enter")
        self.assertEqual("variable-server", self.focused())
        self.type("not a name")
        self.browser.key("Enter")
        self.until("!document.getElementById('failed').hidden")
        self.assertIn("expected a host name or an address",
                      self.browser.js("document.getElementById('problem').textContent"))
        self.browser.js("document.getElementById('back').click()")
        self.browser.js("document.getElementById('variable-server').value = ''")
        self.browser.js("document.getElementById('variable-server').focus()")
        self.type("127.0.0.1")
        self.browser.key("Enter")
        self.until("document.title.startsWith('READY')")
        self.assertTrue(self.browser.js("document.getElementById('undecided').hidden"))
        self.assertEqual([], [url for url in self.browser.requests() if "127.0.0.1" in url.split("/", 3)[-1]])

    def test_they_are_remembered_by_the_page_alone(self):
        self.browser.js("document.getElementById('variable-server').focus()")
        self.type("pbx.example.com")
        self.pick("local")
        self.until("document.getElementById('needed').hidden")
        self.pick("homemade")
        self.until("!document.getElementById('needed').hidden")
        self.assertEqual("pbx.example.com", self.browser.js("document.getElementById('variable-server').value"))
        self.assertEqual([0, 0], self.browser.js("[localStorage.length, sessionStorage.length]"))

    def test_those_that_only_some_ways_need_are_in_the_settings(self):
        self.pick("innovaphone")
        self.until("!document.getElementById('variables').hidden")
        where = "document.getElementById('variable-pbx').closest('fieldset').id"
        before = self.browser.js(where)
        self.browser.js("document.querySelectorAll('#scenarios input').forEach((one) => { if (!one.checked) one.click(); })")
        self.assertEqual(["variables", "needed"], [before, self.browser.js(where)])


class Search(Page):
    def test_the_beginning_of_a_word_comes_first(self):
        self.type("direct")
        self.until("Boolean(document.querySelector('[name=service]:checked'))")
        self.assertEqual("teams-direct-routing", self.browser.js(
            "document.querySelector('[name=service]:checked').value"))


class Comparison(Page):
    def test_says_what_is_no_longer_known(self):
        text = self.browser.js("""import(new URL('result.js', location.href)).then(({changes}) => {
            const parts = changes({before: {started_at: '2026-11-20T10:00:00Z'}, findings: [], notes: [],
                changes: [{trend: 'unknown', of: 'capability', title: 'Calls', before: 'ready', after: 'unknown'},
                          {trend: 'unknown', of: 'requirement', title: 'A row', before: 'pass', after: 'unknown'}]});
            return parts.map((one) => one.textContent).join(' | ');
          })""")
        self.assertIn("| No longer known | ", text)
        self.assertIn("Calls", text)
        self.assertIn("ready → not decided", text)
        self.assertNotIn("A row", text)
        self.assertNotIn("Nothing has changed", text)


class Languages(Page):
    def test_each_by_the_browser_s_choice(self):
        self.addCleanup(self.browser.call, "Network.setExtraHTTPHeaders", headers={})
        self.listener.close()
        for code in ("de", "es", "fr", "nl"):
            with self.subTest(code):
                self.browser.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": f"{code}-XX, en;q=0.5"})
                self.browser.leave("location.reload()")
                self.until(f"document.documentElement.lang === '{code}' && "
                           "document.querySelectorAll('[name=service]').length > 5")
                self.assertNotIn("service?", self.text())
                self.browser.js("document.getElementById('settings').open = true")
                self.is_fine(f"settings-{code}")
                self.run_to_its_end("local")
                self.is_fine(f"blocked-{code}")
                for english in ("To be done by", "BLOCKED", "Run again"):
                    self.assertNotIn(english, self.text())
                self.browser.leave("location.href = 'report?as=html'")
                self.until(f"document.documentElement.lang === '{code}' && Boolean(document.querySelector('.finding'))")
                self.browser.resize(360, 900, mobile=True)
                self.browser.js("document.querySelectorAll('details').forEach((one) => one.open = true)")
                self.picture(f"report-{code}-360")
                self.assertEqual([], self.browser.js("""[...document.querySelectorAll('main *')]
                    .filter((one) => one.getBoundingClientRect().right > 361)
                    .map((one) => one.outerHTML.slice(0, 100))"""))
                self.browser.resize(1280, 900)
                self.browser.leave("history.back()")
                self.until("document.getElementById('other') && !document.getElementById('result').hidden")
                self.browser.js("document.getElementById('other').click()")


class Keyboard(Page):
    def test_the_whole_way(self):
        self.until("document.activeElement.id === 'search'")
        self.type("loc")
        self.until("document.querySelector('[name=service]:checked')?.value === 'local'")
        self.assertIn("1 found", self.browser.js("document.getElementById('found').textContent"))
        self.tab_to("[name=service]")
        self.tab_to("#settings > summary")
        self.browser.key("Enter")
        self.tab_to("#quality")
        self.tab_to("#site")
        self.type("Lyon-Desk")
        self.tab_to("#run")
        self.browser.key("Enter")
        self.until("!document.getElementById('result').hidden")
        # Whoever listens hears the verdict.
        self.assertEqual("H2", self.browser.js("document.activeElement.tagName"))
        self.assertIn("works from here", self.browser.js("document.activeElement.textContent"))
        self.tab_to("#copy")
        self.browser.call("Browser.grantPermissions", permissions=["clipboardReadWrite"])
        self.browser.key("Enter")
        self.until("document.getElementById('done').textContent.startsWith('Copied')")
        self.assertEqual("copy", self.focused())
        copied = self.browser.js("navigator.clipboard.readText()")
        self.assertIn("READY", copied)
        self.assertIn("Lyon-Desk", copied)
        for button in ("#save-html", "#save-json", "#whole", "#hide"):
            self.tab_to(button)
        self.browser.key(" ")
        self.until("document.getElementById('hide').getAttribute('aria-pressed') === 'true'")
        self.until("!document.body.innerText.includes('Lyon-Desk')")
        self.assertIn("hide=1", self.browser.js("document.getElementById('save-json').href"))
        self.browser.key("Tab", modifiers=8)  # back to the links
        self.browser.js("document.getElementById('copy').focus()")
        self.browser.key("Enter")
        self.until("document.getElementById('done').textContent.includes('hidden')")
        self.assertNotIn("Lyon-Desk", self.browser.js("navigator.clipboard.readText()"))
        self.tab_to("#again")
        self.browser.key("Enter")
        self.until("document.getElementById('compare').checkVisibility()")
        self.tab_to("#compare")
        self.browser.key("Enter")
        self.until("document.activeElement.id === 'comparison-title'")
        self.assertIn("Nothing has changed", self.text())
        self.browser.js("document.getElementById('again').focus()")
        self.tab_to("#other")
        self.browser.key("Enter")
        self.assertEqual("search", self.focused())

    def test_stop(self):
        self.pick("slow")
        self.tab_to("#run")
        self.browser.key("Enter")
        self.until("document.activeElement.id === 'progress-title'")
        self.tab_to("#stop")
        self.browser.key("Enter")
        self.until("document.getElementById('progress').hidden")
        self.assertTrue(self.browser.js("!document.getElementById('incomplete').hidden"
                                        " || !document.getElementById('failed').hidden"))

    def test_focus_is_seen(self):
        for _ in range(15):
            self.browser.key("Tab")
            seen = self.browser.js("""(() => {
                const at = document.activeElement.closest('.service') ?? document.activeElement;
                const style = getComputedStyle(at);
                if (at === document.body) return true;  // once around
                return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
              })()""")
            self.assertTrue(seen, self.focused())


class Late(Page):
    """Answers that come late, when the page wants others."""

    def hold(self, start):
        """Answers to questions that begin so come when they are let go."""
        self.browser.js("""(() => {
            const real = window.fetch;
            window.asked = [];
            window.letGo = [];
            window.fetch = (path, ...more) => {
              if (!String(path).startsWith(START)) return real(path, ...more);
              window.asked.push(path);
              return new Promise((done) => window.letGo.push(async () => {
                const reply = await real(path, ...more);
                const copy = reply.clone();
                done(reply);
                await copy.text();
              }));
            };
          })()""".replace("START", json.dumps(start)))

    def let_go(self, number):
        self.browser.js(f"window.letGo[{number}]()")
        self.browser.js("new Promise((done) => setTimeout(done, 200))")

    def test_one_service_at_a_time_is_asked_for_and_the_last_one_counts(self):
        self.hold("service?")
        for name in ("zoom", "discord", "teams"):
            self.pick(name)
        self.assertEqual(["service?id=zoom"], self.browser.js("window.asked"))
        self.let_go(0)
        self.until("window.asked.length > 1")
        self.assertEqual(["service?id=teams"], self.browser.js("window.asked.slice(1)"))
        self.let_go(1)
        self.until("!document.getElementById('scenarios').hidden")

    def test_what_is_not_wanted_any_more_is_not_shown(self):
        self.browser.js("document.getElementById('site').value = 'Lyon-Desk'")
        self.run_to_its_end("local")
        self.assertIn("Lyon-Desk", self.text())
        self.hold("report?as=summary")
        for check in (self.assertIn, self.assertNotIn):
            self.browser.js("document.getElementById('hide').click()")
            for link in ("save-html", "save-json", "whole"):
                check("hide=1", self.browser.js(f"document.getElementById('{link}').href"))
        self.until("window.asked.length === 1")
        self.let_go(0)
        self.assertEqual("false", self.browser.js("document.getElementById('hide').getAttribute('aria-pressed')"))
        self.assertIn("Lyon-Desk", self.text())

    def test_a_run_that_is_refused_leaves_the_focus_on_the_page(self):
        self.run_to_its_end("local")
        self.ui.process.terminate()
        self.ui.process.wait(program.DEADLINE_S)
        self.browser.js("document.getElementById('again').focus()")
        self.browser.key("Enter")
        self.until("!document.getElementById('refused').hidden")
        self.assertEqual("search", self.focused())


class Reports(Page):
    def test_are_saved(self):
        self.run_to_its_end("local")
        self.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.folder)
        for button, name, part in (("#save-html", "callready.html", "<!doctype html>"),
                                   ("#save-json", "callready.json", '"callready.report/1"')):
            self.tab_to(button)
            self.browser.key("Enter")
            path = os.path.join(self.folder, name)
            deadline = time.monotonic() + program.DEADLINE_S
            while not os.path.exists(path) and time.monotonic() < deadline:
                time.sleep(0.05)
            with open(path, encoding="utf-8") as file:
                self.assertIn(part, file.read())

    def test_the_whole_one_cannot_act_as_the_page(self):
        self.run_to_its_end("local")
        home = self.browser.js("location.href")
        self.browser.leave("location.href = document.getElementById('whole').href")
        self.until("document.querySelector('.verdict') && document.title.startsWith('READY')"
                   " && !document.getElementById('form')")
        self.assertEqual("null", self.browser.js("self.origin"))
        reached = self.browser.js(f"fetch({json.dumps(home + 'services')}).then(() => 'yes', () => 'no')")
        self.assertEqual("no", reached)


class Pace(Page):
    def test_the_first_event_comes_at_once(self):
        self.pick("local")
        took = self.browser.js("""new Promise((done) => {
            const from = performance.now();
            new MutationObserver(() => done(performance.now() - from))
              .observe(document.getElementById('progress'), {attributes: true});
            document.getElementById('run').click();
          })""")
        print(f"first event after {took:.0f} ms", file=sys.stderr)
        self.assertLess(took, 10_000, "1 s is promised; a loaded machine is given more")

    def test_loaded_anew_it_goes_on(self):
        self.run_to_its_end("local")
        self.browser.call("Page.reload")
        self.until("!document.getElementById('result').hidden")
        self.assertTrue(self.browser.js("document.title.startsWith('READY')"))
        self.browser.js("document.getElementById('again').click()")
        self.until("document.getElementById('compare').checkVisibility()")

    def test_says_that_the_program_has_ended(self):
        self.ui.process.terminate()
        self.ui.process.wait(program.DEADLINE_S)
        self.until("!document.getElementById('lost').hidden")


if __name__ == "__main__":
    if not chromium.PROGRAM or not program.CALLREADY:
        sys.exit(77)
    unittest.main()
