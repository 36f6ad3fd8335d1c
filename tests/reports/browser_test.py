"""The HTML report in headless Chromium: nothing is loaded or complained of, it can be used by
keyboard, on a phone, in the dark and on paper."""

import base64
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from . import chromium

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
WRITER = os.environ.get("SAMPLE_PAGES", os.path.join(ROOT, "build", "dev", "tests", "sample_pages"))
CALLREADY = os.environ.get("CALLREADY", os.path.join(ROOT, "build", "dev", "callready"))
SITES = os.path.join(ROOT, "tests", "reports", "sites")
# https://github.com/dequelabs/axe-core: npm install --prefix build/axe axe-core
AXE = os.path.join(ROOT, "build", "axe", "node_modules", "axe-core", "axe.min.js")
SAMPLES = ["clean", "degraded", "blocked", "incomplete", "empty", "hostile", "wordy", "proxied"]

# The contrast of each text with what is behind it (WCAG 2.1, 1.4.3), where it is too small.
CONTRAST = """
(() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return {rgb: [r, g, b], a};
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a === 1) return colour.rgb;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let checked = 0;
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('script,style') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const svg = element.closest('svg');
    const colour = parse(svg ? style.fill : style.color).rgb;
    const [light, dark] = [luminance(colour), luminance(behind(svg ? svg.parentElement : element))]
      .sort((a, b) => b - a);
    ++checked;
    if ((light + 0.05) / (dark + 0.05) < 4.5) bad.push(element.outerHTML.slice(0, 120));
  }
  return {checked, bad};
})()
"""

VISIBLE_ROWS = """
[...document.querySelectorAll('#requirements .row')].filter((row) => row.checkVisibility())
  .map((row) => [...row.classList].find((name) => name.startsWith('tone-')).slice(5))
"""


@unittest.skipUnless(os.path.exists(WRITER), "sample_pages is not built")
@unittest.skipUnless(chromium.PROGRAM, "chromium is not installed")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="callready-pages-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.browser = cls.enterClassContext(chromium.Chromium())
        subprocess.run([WRITER, cls.folder.name], check=True, timeout=60)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name + ".html")

    def open(self, name, width=1280, scheme="light"):
        self.browser.resize(width, 900, mobile=width < 500)
        self.browser.media(scheme=scheme)
        self.browser.open(self.path(name))

    def unfold(self):
        """Opens the parts that are folded until somebody wants to know more."""
        self.browser.js("document.querySelectorAll('details.part').forEach((d) => d.open = true)")

    def tab_to(self, selector, most=60):
        for _ in range(most):
            self.browser.key("Tab")
            if self.browser.js(f"document.activeElement.matches({json.dumps(selector)})"):
                return
        self.fail(f"Tab does not reach {selector}")


class Loading(Page):
    def test_nothing_is_loaded_and_nothing_complained_of(self):
        for name in SAMPLES:
            with self.subTest(name):
                self.open(name)
                self.browser.js("new Promise((done) => setTimeout(done, 50))")
                self.assertEqual([], self.browser.complaints())
                elsewhere = [url for url in self.browser.requests() if not url.startswith("data:")]
                self.assertEqual(["file://" + self.path(name)], elsewhere)

    def test_hostile_text_runs_nothing(self):
        self.open("hostile")
        self.assertEqual(1, self.browser.js("document.scripts.length"))
        self.assertEqual(1, self.browser.js("document.querySelectorAll('style').length"))
        self.assertEqual(0, self.browser.js("document.querySelectorAll('img, iframe, object').length"))
        self.assertIn("<script>alert(1)</script>", self.browser.js("document.body.innerText"))
        self.assertEqual([], [event for event in self.browser.events
                              if event["method"] == "Page.javascriptDialogOpening"])

    def test_the_policy_stops_what_is_not_the_pages_own(self):
        self.open("clean")
        self.browser.js("""(() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            const image = document.createElement('img');
            image.src = 'http://192.0.2.1/x.png';
            document.body.append(script, image);
            document.body.setAttribute('onclick', 'window.ran = true');
            document.body.click();
            const style = document.createElement('style');
            style.textContent = 'h1 { display: none }';
            document.head.append(style);
          })()""")
        self.assertFalse(self.browser.js("Boolean(window.ran)"))
        self.assertTrue(self.browser.js("document.querySelector('h1').checkVisibility()"))
        refused = [text for text in self.browser.complaints() if "Content Security Policy" in text]
        self.assertGreaterEqual(len(refused), 4, self.browser.complaints())

    def test_thousands_of_probes(self):
        self.open("large")
        self.assertEqual([], self.browser.complaints())
        self.assertGreater(self.browser.js("document.querySelectorAll('#endpoints .row').length"), 4000)
        # They are folded away, and a link to one of them opens the list.
        link = "document.querySelector('#requirements a[href^=\"#endpoint-\"]')"
        target = f"document.getElementById({link}.hash.slice(1))"
        self.assertFalse(self.browser.js(f"{target}.checkVisibility()"))
        self.browser.js(f"{link}.click()")
        self.browser.js("new Promise((done) => setTimeout(done, 100))")
        self.assertTrue(self.browser.js(f"{target}.checkVisibility()"))
        self.browser.js("document.querySelector('[name=endpoints-shown][value=bad]').click()")
        # Those that the filter hides take no place.
        self.assertTrue(self.browser.js("""[...document.querySelectorAll('#endpoints .row')]
            .filter((row) => row.getBoundingClientRect().height > 0)
            .every((row) => row.classList.contains('tone-bad'))"""))


class Keyboard(Page):
    def test_the_filter(self):
        self.open("blocked")
        self.assertEqual([], self.browser.js(VISIBLE_ROWS))
        self.unfold()
        everything = self.browser.js(VISIBLE_ROWS)
        self.assertGreater(len(set(everything)), 2)
        self.tab_to("[name=requirements-shown]")
        for _ in range(len(set(everything))):
            self.browser.key("ArrowRight")
            value = self.browser.js("document.activeElement.value")
            shown = self.browser.js(VISIBLE_ROWS)
            self.assertEqual({value}, set(shown))
            self.assertEqual(everything.count(value), len(shown))
        self.browser.key("ArrowRight")  # round again
        self.assertEqual(everything, self.browser.js(VISIBLE_ROWS))

    def test_the_filter_without_script(self):
        self.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        self.addCleanup(self.browser.call, "Emulation.setScriptExecutionDisabled", value=False)
        self.open("blocked")
        self.unfold()
        self.tab_to("[name=requirements-shown]")
        self.browser.key("ArrowRight")
        self.assertEqual({"bad"}, set(self.browser.js(VISIBLE_ROWS)))

    def test_focus_is_seen(self):
        self.open("blocked")
        for _ in range(25):
            self.browser.key("Tab")
            outline = self.browser.js("""(() => {
                const style = getComputedStyle(document.activeElement);
                return style.outlineStyle + ' ' + style.outlineWidth;
              })()""")
            self.assertNotIn("none", outline)
            self.assertNotIn(" 0px", outline)

    def test_rows_open_with_enter(self):
        self.open("clean")
        self.unfold()
        self.tab_to("#requirements .row > summary")
        self.assertFalse(self.browser.js("document.activeElement.parentElement.open"))
        self.browser.key("Enter")
        self.assertTrue(self.browser.js("document.activeElement.parentElement.open"))

    def test_all_rows_open_and_close(self):
        """The button's name says what it does next; that it is pressed would say the contrary."""
        self.open("clean")
        self.unfold()
        self.tab_to("[name=requirements-shown]")
        self.tab_to("button[data-open]")
        for name, opened in (("Close all", True), ("Open all", False)):
            self.browser.key("Enter")
            self.assertEqual(name, self.browser.js("document.activeElement.textContent"))
            self.assertFalse(self.browser.js("document.activeElement.hasAttribute('aria-pressed')"))
            self.assertEqual({opened}, set(self.browser.js(
                "[...document.querySelectorAll('#requirements .row')].map((row) => row.open)")))

    def test_a_fix_is_copied(self):
        self.browser.call("Browser.grantPermissions",
                          permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
        self.open("degraded")
        self.tab_to("button[data-copy]")
        self.browser.key("Enter")
        self.browser.js("new Promise((done) => setTimeout(done, 200))")
        self.assertEqual("Copied to the clipboard",
                         self.browser.js("document.getElementById('copied').textContent"))
        copied = self.browser.js("navigator.clipboard.readText()")
        for part in ("Allow outgoing UDP (and return traffic)", "firewall.udp_port_blocked", "Who:",
                     "Evidence:", "Afterwards:", "UDP 3478 to turn-"):
            self.assertIn(part, copied)
        # All twelve names, of which two were tried.
        words = {word.strip(",") for word in copied.split()}
        self.assertEqual(12, len({word for word in words if word.startswith("turn-")
                                  and word.endswith(".openrainbow.com")}))

    def test_a_link_opens_what_it_points_at(self):
        self.open("degraded")
        self.browser.js("document.querySelector('[name=endpoints-shown][value=good]').click()")
        self.browser.js("document.querySelector('.finding .evidence a').click()")
        self.browser.js("new Promise((done) => setTimeout(done, 100))")
        self.assertTrue(self.browser.js("""(() => {
            const target = document.getElementById(location.hash.slice(1));
            return target.open && target.checkVisibility();
          })()"""))


class Places(Page):
    def test_a_phone(self):
        for name in SAMPLES:
            with self.subTest(name):
                self.open(name, width=360)
                self.browser.js("document.querySelectorAll('details').forEach((d) => d.open = true)")
                self.assertLessEqual(self.browser.js("document.documentElement.scrollWidth"), 360)
                self.assertEqual([], self.browser.js("""
                  [...document.querySelectorAll('main *')]
                    .filter((element) => element.getBoundingClientRect().right > 361)
                    .map((element) => element.outerHTML.slice(0, 100))"""))
        # Without its head each cell of this table says what it is.
        self.open("proxied", width=360)
        self.assertEqual(["Proxy", "Directly", "Works"], self.browser.js("""
            [...document.querySelectorAll('.routes tbody tr:first-child td')].map((cell) =>
              getComputedStyle(cell, '::before').content.replace(/"/g, ''))"""))
        self.open("blocked", width=360)
        drawings = "[...document.querySelectorAll('.path svg')].map((one) => one.checkVisibility())"
        self.assertEqual([False, True], self.browser.js(drawings))
        self.open("blocked")
        self.assertEqual([True, False], self.browser.js(drawings))

    def test_light_and_dark_have_contrast(self):
        grounds = set()
        for scheme in ("light", "dark"):
            for name in ("clean", "blocked", "incomplete", "proxied"):
                with self.subTest(scheme=scheme, name=name):
                    self.open(name, scheme=scheme)
                    self.browser.js("document.querySelectorAll('details').forEach((d) => d.open = true)")
                    found = self.browser.js(CONTRAST)
                    self.assertGreater(found["checked"], 50)
                    self.assertEqual([], found["bad"])
            grounds.add(self.browser.js("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(2, len(grounds))

    def test_paper(self):
        self.open("blocked", scheme="dark")
        self.browser.media(kind="print", scheme="dark")
        hidden = "[...document.querySelectorAll('nav, button, .filter')].every((e) => !e.checkVisibility())"
        self.assertTrue(self.browser.js(hidden))
        self.assertEqual("rgb(255, 255, 255)",
                         self.browser.js("getComputedStyle(document.body).backgroundColor"))
        self.assertEqual([], self.browser.js(CONTRAST)["bad"])

    def test_one_cause_is_one_page_of_paper(self):
        tried = 0
        for name in sorted(glob.glob(os.path.join(SITES, "*.json"))):
            page = self.path(os.path.basename(name).removesuffix(".json"))
            subprocess.run([CALLREADY, "render", name, "--report", "html=" + page], check=False,
                           stdout=subprocess.DEVNULL, timeout=60)
            self.browser.media(kind="")
            self.browser.open(page)
            causes = self.browser.js("document.querySelectorAll('.finding').length")
            if causes > 1:
                continue
            tried += 1
            with self.subTest(os.path.basename(name)):
                paper = self.browser.call("Page.printToPDF", preferCSSPageSize=True)
                pages = re.findall(rb"/Type /Page\b", base64.b64decode(paper["data"]))
                self.assertEqual(1, len(pages))
        self.assertGreater(tried, 5)

    def test_a_link_unfolds_its_part(self):
        self.open("degraded")
        self.browser.js("document.querySelector('nav a[href=\"#requirements\"]').click()")
        self.browser.js("new Promise((done) => setTimeout(done, 100))")
        self.assertTrue(self.browser.js("document.querySelector('#requirements > details').open"))

    @unittest.skipUnless(os.path.exists(AXE), "axe-core is not installed")
    def test_axe_finds_nothing(self):
        with open(AXE, encoding="utf-8") as file:
            axe = file.read()
        for scheme, width in (("light", 390), ("dark", 1200)):
            for name in SAMPLES:
                with self.subTest(scheme=scheme, width=width, name=name):
                    self.open(name, width=width, scheme=scheme)
                    self.browser.js(
                        "document.querySelectorAll('details').forEach((d) => d.open = true)")
                    self.browser.js(axe + "; 0")
                    found = self.browser.js(
                        "axe.run(document).then((result) => result.violations.map((one) => "
                        "one.id + ': ' + one.nodes.map((n) => n.html.slice(0, 100)).join()))")
                    self.assertEqual([], found)


class Structure(Page):
    def test_landmarks_headings_tables_and_names(self):
        for name in SAMPLES:
            with self.subTest(name):
                self.open(name)
                self.assertEqual("en", self.browser.js("document.documentElement.lang"))
                for landmark in ("header", "main", "footer", "h1"):
                    self.assertEqual(1, self.browser.js(
                        f"document.querySelectorAll('{landmark}').length"), landmark)
                levels = self.browser.js(
                    "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))")
                for before, after in zip(levels, levels[1:]):
                    self.assertLessEqual(after - before, 1, levels)
                self.assertEqual(0, self.browser.js(
                    "document.querySelectorAll('th:not([scope])').length"))
                self.assertEqual(0, self.browser.js(
                    "[...document.querySelectorAll('table')].filter((t) => !t.querySelector('th')).length"))
                self.assertEqual(0, self.browser.js(
                    "[...document.querySelectorAll('input')].filter((i) => !i.labels.length).length"))
                self.assertEqual(0, self.browser.js(
                    "document.querySelectorAll('svg:not([aria-hidden]):not([aria-label])').length"))

    def test_every_control_has_a_name(self):
        self.open("blocked")
        tree = self.browser.call("Accessibility.getFullAXTree")["nodes"]
        controls = [node for node in tree if not node.get("ignored") and node["role"]["value"] in
                    ("button", "link", "radio", "group", "image", "navigation", "region")]
        self.assertGreater(len(controls), 20)
        for node in controls:
            if node["role"]["value"] != "group":  # a details element is a group
                self.assertTrue(node.get("name", {}).get("value"), node)


if __name__ == "__main__":
    if not chromium.PROGRAM:
        print("skipped: chromium is not installed")
        sys.exit(77)
    unittest.main(module="tests.reports.browser_test", verbosity=2)
