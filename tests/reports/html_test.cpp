// The HTML report: its structure, what hostile text may not do to it, and golden files of its body.
// How it behaves in a browser is in browser_test.py.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "reports/format.hpp"
#include "reports/html/markup.hpp"
#include "reports/page.hpp"
#include "reports/words/marks.hpp"
#include "reports/words/terminal.hpp"
#include "tests/reports/golden.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

std::string between(const std::string& text, std::string_view start, std::string_view end) {
  const auto from = text.find(start);
  if (from == std::string::npos) return {};
  const auto to = text.find(end, from + start.size());
  return text.substr(from + start.size(), to - from - start.size());
}

// Without the style and the script, which have their own files.
std::string body(const std::string& page) { return between(page, "<body>", "<script>"); }

struct Tag {
  std::string name;
  std::map<std::string, std::string> attributes;
  bool closes = false, empty = false;
};

// The page's tags, in order; the test fails where anything is no tag or attribute of ours.
std::vector<Tag> tags_of(const std::string& html) {
  static const std::regex tag(
      R"(^<(/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<>]*")?)*)\s*(/?)>)");
  static const std::regex attribute(R"re(([a-zA-Z-]+)(?:="([^"<>]*)")?)re");
  std::vector<Tag> tags;
  for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const auto end = html.find('>', at);
    EXPECT_NE(end, std::string::npos);
    const auto text = html.substr(at, end - at + 1);
    std::smatch match;
    if (!std::regex_match(text, match, tag)) {
      ADD_FAILURE() << "not a tag: " << text;
      continue;
    }
    Tag found{match[2], {}, match[1].length() > 0, match[4].length() > 0};
    const std::string attributes = match[3];
    for (std::sregex_iterator one(attributes.begin(), attributes.end(), attribute), none;
         one != none; ++one) {
      found.attributes[(*one)[1]] = (*one)[2];
    }
    tags.push_back(std::move(found));
  }
  return tags;
}

TEST(Html, GoldenFiles) {
  for (const auto& [name, report] : samples::all()) {
    expect_golden(name + ".html", body(render_html(report, {})));
  }
}

// What is open is named by its own row; an optional one that nobody misses is not named at all.
TEST(Html, NamesTheRowsThatNoCauseExplains) {
  auto report = samples::degraded();
  report.findings.at(0).explains.clear();
  auto& rows = report.sets.at(0).requirements;
  auto optional = rows.at(0);
  optional.id = optional.title = "nobodys";
  optional.status = Status::fail;
  optional.severity = Severity::optional;
  auto missed = optional;
  missed.id = missed.title = "missed";
  missed.severity = Severity::required;
  rows = {optional, missed};
  const auto open = [&] { return between(render_html(report, {}), "<p class=\"open\">", "</p>"); };
  EXPECT_EQ(open(), "Not explained by this: <a href=\"#row-1-2\">missed</a>.");
  rows.pop_back();
  EXPECT_EQ(open(), "");
}

TEST(Html, RulesNameThePortsThatTrafficComesFrom) {
  auto report = samples::degraded();
  auto& rule = report.findings.at(0).rules.at(0);
  const auto ports = protocol_in_words(rule) + ' ' + ports_in_words(rule);
  EXPECT_NE(render_html(report, {}).find(ports + "</th>"), std::string::npos);
  rule.source_ports = {{37'000, 50'000}};
  EXPECT_NE(render_html(report, {}).find(ports + ", from source ports 37000-50000</th>"),
            std::string::npos);
}

TEST(Html, RulesInwardsNameWhereTrafficComesFrom) {
  auto report = samples::degraded();
  auto& rules = report.findings.at(0).rules;
  const auto heads = [&] {
    std::string found;
    const auto table = between(render_html(report, {}), "<details class=\"rules\"", "</details>");
    for (const std::string_view head : {">To</th>", ">From</th>"}) {
      if (table.find(head) != std::string::npos) found += head;
    }
    return found;
  };
  EXPECT_EQ(heads(), ">To</th>");
  rules.push_back(rules.at(0));
  rules.at(1).direction = Direction::in;
  EXPECT_EQ(heads(), ">To</th>>From</th>");
  rules.erase(rules.begin());
  EXPECT_EQ(heads(), ">From</th>");
}

TEST(Html, ShowsBothWaysWhereThereIsAProxy) {
  EXPECT_EQ(render_html(samples::clean(), {}).find("id=\"routes\""), std::string::npos);
  const auto page = body(render_html(samples::proxied(), {}));
  const auto section = between(page, "<section id=\"routes\"", "</section>");
  for (const auto* part :
       {"Tried both ways: reached 2 of 3 endpoints through the proxy and 2 of 3 directly.",
        "The proxy: http://proxy.example.com:3128.", "answered, ready in 44 ms",
        "faster directly (23 ms versus 44 ms)", "only through the proxy", "only directly",
        "not tried", "not compared"}) {
    EXPECT_NE(section.find(part), std::string::npos) << part << '\n' << section;
  }
  // Where the ways differ comes first.
  EXPECT_LT(section.find("api.example.net"), section.find("files.example.net"));
  // Every measurement can be opened.
  EXPECT_NE(section.find("<a href=\"#endpoint-"), std::string::npos);
  EXPECT_NE(page.find("<li><a href=\"#routes\">Proxy</a></li>"), std::string::npos);
}

TEST(Html, WhatOthersProvedDroppedIsNotCalledUndecided) {
  auto report = samples::clean();
  auto& seen = report.probes.at(1).observation;
  seen.outcome = Outcome::silent;
  EXPECT_EQ(mark_of(report.probes.at(1)), Mark::unknown);
  seen.detail = DetailCode::partly_dropped;
  EXPECT_EQ(mark_of(report.probes.at(1)), Mark::bad);
  report.probes.at(1).probe.purpose = Purpose::control;
  EXPECT_EQ(mark_of(report.probes.at(1)), Mark::unknown);
}

TEST(Html, ManyEndpointsThatAreAlikeAreFoldedAway) {
  auto report = samples::proxied();
  const auto some = report.probes;
  for (int i = 0; i < 20; ++i) {
    for (auto more : some) {
      if (more.probe.target.host != "files.example.net") continue;
      more.probe.target.host = fmt::format("files{}.example.net", i);
      report.probes.push_back(more);
    }
  }
  const auto section =
      between(body(render_html(report, {})), "<section id=\"routes\"", "</section>");
  const auto folded = section.find("<summary>The other 22 endpoints</summary>");
  ASSERT_NE(folded, std::string::npos) << section;
  EXPECT_LT(section.find("cdn.example.net"), folded);
  EXPECT_GT(section.find("files7.example.net"), folded);
}

TEST(Html, CopiesTheTicketLineByLine) {
  const auto page = render_html(samples::blocked(), {});
  const auto copied = between(page, "data-copy=\"", "\"");
  EXPECT_EQ(copied.find("Verdict:"), 0u) << copied;
  for (const auto* line : {"&#10;Measured: ", "&#10;Cause: ", "&#10;Who: ", "&#10;Afterwards: "}) {
    EXPECT_NE(copied.find(line), std::string::npos) << line << '\n' << copied;
  }
}

// curl counts all of a request's times from its start; a look-up that took no time is said, too.
TEST(Html, CountsNoPartOfAProbesTimeTwice) {
  auto report = samples::clean();
  auto& [probe, seen] = report.probes.at(0);
  probe.check = CheckKind::http;
  seen.timing_ms = {
      {Timing::dns, 0}, {Timing::connect, 10}, {Timing::tls, 30}, {Timing::reply, 55}};
  const auto page = render_html(report, {});
  EXPECT_NE(page.find("DNS 0.0 ms</span> · <span class=\"connect-text\">connect 10 ms</span> · "
                      "<span class=\"tls-text\">TLS 20 ms</span> · "
                      "<span class=\"reply-text\">reply 25 ms</span>"),
            std::string::npos);
  EXPECT_NE(render_junit(report, {}).find("time=\"0.055\""), std::string::npos);
}

TEST(Html, ElementsOpenAndCloseInOrder) {
  const std::set<std::string> without_end{"input", "meta", "link", "br"};
  for (const auto& [name, report] : samples::all()) {
    std::vector<std::string> open;
    for (const auto& tag : tags_of(body(render_html(report, {})))) {
      if (tag.empty || without_end.contains(tag.name)) continue;
      if (!tag.closes) {
        open.push_back(tag.name);
        continue;
      }
      ASSERT_FALSE(open.empty()) << name << ": " << tag.name;
      ASSERT_EQ(open.back(), tag.name) << name;
      open.pop_back();
    }
    EXPECT_TRUE(open.empty()) << name;
  }
}

TEST(Html, LinksPointToWhatIsOnThePage) {
  for (const auto& [name, report] : samples::all()) {
    std::set<std::string> ids;
    std::vector<std::string> links;
    for (const auto& tag : tags_of(body(render_html(report, {})))) {
      for (const auto& [attribute, value] : tag.attributes) {
        if (attribute == "id") {
          EXPECT_TRUE(ids.insert(value).second) << name << ": twice " << value;
        }
        if (attribute == "href" || attribute == "aria-labelledby") links.push_back(value);
      }
    }
    for (const auto& link : links) {
      EXPECT_TRUE(ids.contains(link.starts_with('#') ? link.substr(1) : link)) << name << link;
    }
  }
}

// Whatever a server or a file says stays text: the page has the elements and attributes that it has
// without, and nothing runs, loads or leads anywhere.
TEST(Html, HostileTextStaysText) {
  const auto tame = tags_of(body(render_html(samples::blocked(), {})));
  const auto page = render_html(samples::hostile(), {});
  const std::set<std::string> known{"class",       "id",          "href",
                                    "width",       "height",      "viewBox",
                                    "role",        "type",        "name",
                                    "value",       "checked",     "hidden",
                                    "scope",       "open",        "data-copy",
                                    "data-route",  "data-open",   "x",
                                    "y",           "rx",          "d",
                                    "cx",          "cy",          "r",
                                    "text-anchor", "aria-label",  "aria-labelledby",
                                    "aria-hidden", "aria-pressed"};
  std::set<std::string> elements;
  for (const auto& tag : tame) elements.insert(tag.name);
  for (const auto& tag : tags_of(body(page))) {
    EXPECT_TRUE(elements.contains(tag.name)) << tag.name;
    for (const auto& [attribute, value] : tag.attributes) {
      EXPECT_TRUE(known.contains(attribute)) << attribute;
      if (attribute == "href") {
        EXPECT_TRUE(value.starts_with('#')) << value;
      }
      if (attribute == "id" || attribute == "class" || attribute == "href") {
        EXPECT_EQ(value.find_first_not_of("#abcdefghijklmnopqrstuvwxyz0123456789- "),
                  std::string::npos)
            << value;
      }
    }
  }
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) EXPECT_EQ(harmless(line), line);
  const auto count = [&](std::string_view part) {
    std::size_t found = 0;
    for (auto at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<script"), 1u);
  EXPECT_EQ(count("</script"), 1u);
  EXPECT_EQ(count("<style"), 1u);
  EXPECT_EQ(count("</style"), 1u);
  EXPECT_EQ(count("<img"), 0u);
  EXPECT_GT(count("&lt;script&gt;alert(1)"), 50u);
}

std::string csp_hash(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha256(), nullptr);
  unsigned char encoded[2 * EVP_MAX_MD_SIZE];
  EVP_EncodeBlock(encoded, digest, static_cast<int>(length));
  return fmt::format("'sha256-{}'", reinterpret_cast<const char*>(encoded));
}

TEST(Html, ItsPolicyAllowsItsOwnStyleAndScriptOnly) {
  const auto page = render_html(samples::blocked(), {});
  const auto policy = between(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
  EXPECT_EQ(policy, fmt::format("default-src 'none'; style-src {}; script-src {}; img-src data:; "
                                "base-uri 'none'; form-action 'none'",
                                csp_hash(between(page, "<style>", "</style>")),
                                csp_hash(between(page, "<script>", "</script>"))));
  // Before anything that it is about.
  EXPECT_LT(page.find("Content-Security-Policy"), page.find("<style>"));
  EXPECT_EQ(page.find(" style="), std::string::npos);
}

TEST(Html, NothingComesFromElsewhere) {
  for (const auto* word : {"url(", "@import", "@font-face"}) {
    EXPECT_EQ(page_style().find(word), std::string_view::npos) << word;
  }
  for (const auto* word : {"fetch(", "XMLHttpRequest", "WebSocket", "import(", "innerHTML"}) {
    EXPECT_EQ(page_script().find(word), std::string_view::npos) << word;
  }
}

TEST(Html, SaysThatARunIsIncomplete) {
  EXPECT_NE(render_html(samples::incomplete(), {}).find("Incomplete:"), std::string::npos);
  EXPECT_EQ(render_html(samples::clean(), {}).find("Incomplete:"), std::string::npos);
}

TEST(Html, LeavesOutSectionsThatHaveNothingToSay) {
  const auto clean = render_html(samples::clean(), {}), empty = render_html(samples::empty(), {});
  EXPECT_EQ(clean.find("id=\"findings\""), std::string::npos);
  EXPECT_NE(clean.find("id=\"timings\""), std::string::npos);
  for (const auto* id : {"findings", "capabilities", "path", "requirements", "timings"}) {
    EXPECT_EQ(empty.find(fmt::format("id=\"{}\"", id)), std::string::npos) << id;
    EXPECT_EQ(empty.find(fmt::format("href=\"#{}\"", id)), std::string::npos) << id;
  }
}

TEST(Html, SaysWhatElseItCouldBe) {
  auto report = samples::degraded();
  report.findings.at(0).runner_up = {"a filter of <TLS>", "To find out, run this again."};
  EXPECT_NE(render_html(report, {})
                .find("<dt>Or</dt><dd>a filter of &lt;TLS&gt;. To find out, run this again.</dd>"),
            std::string::npos);
}

// From the user VLAN UDP is blocked; from the voice VLAN it is not.
Report merged() {
  auto report = samples::degraded();
  auto other = samples::clean();
  VantageReport users{{.site = report.site, .sets = report.sets}, "user VLAN"};
  VantageReport phones{{.site = other.site, .sets = other.sets}, "voice VLAN"};
  phones.site.host = "phone-test-pc";
  report.findings.at(0).seen_from = {"user VLAN"};
  std::vector<std::string> ids;
  const auto name = [&](std::vector<ProbeResult>& probes, const std::string& vantage) {
    for (auto& result : probes) {
      result.probe.vantage = vantage;
      result.probe.id += '#' + vantage;
      ids.push_back(result.probe.id);
    }
  };
  name(report.probes, users.name);
  name(other.probes, phones.name);
  report.probes.insert(report.probes.end(), other.probes.begin(), other.probes.end());
  report.sets.at(0).requirements.at(1).probes = ids;
  report.vantages = {users, phones};
  return report;
}

TEST(Html, AMergedReportTellsItsPlacesApart) {
  const auto page = render_html(merged(), {});
  const auto first = page.find("<h3>From user VLAN</h3>");
  const auto second = page.find("<h3>From voice VLAN</h3>");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(second, std::string::npos);
  const auto end = page.find("</section>", second);
  const auto drawn = [&](std::size_t from, std::size_t to, std::string_view words) {
    return page.substr(from, to - from).find(words) != std::string::npos;
  };
  EXPECT_TRUE(drawn(first, second, "UDP 3478, see 1"));
  EXPECT_TRUE(drawn(first, second, "stopped by the firewall"));
  EXPECT_FALSE(drawn(second, end, "stopped by the firewall"));
  EXPECT_NE(page.find("<dt>Seen from</dt><dd>user VLAN</dd>"), std::string::npos);
  EXPECT_NE(page.find("id=\"vantages\""), std::string::npos);
  EXPECT_NE(page.find("voice VLAN: turn-gra1.openrainbow.com:3478/udp"), std::string::npos);
  EXPECT_NE(page.find("phone-test-pc"), std::string::npos);
  EXPECT_EQ(render_html(samples::degraded(), {}).find("Measured from several"), std::string::npos);
}

TEST(Html, SaysThatNamesArePseudonyms) {
  auto report = samples::clean();
  EXPECT_EQ(render_html(report, {}).find("pseudonyms"), std::string::npos);
  report.redacted = "key";
  EXPECT_NE(render_html(report, {}).find("pseudonyms"), std::string::npos);
}

// Thousands of probes: each takes its own few lines, wherever rows point at it.
TEST(Html, GrowsWithTheNumberOfProbesOnly) {
  auto report = samples::degraded();
  const auto one = report.probes.at(0);
  const auto small = render_html(report, {}).size();
  constexpr std::size_t more = 3000;
  for (std::size_t i = 0; i < more; ++i) {
    auto probe = one;
    probe.probe.target.host = fmt::format("host-{}.example.com", i);
    probe.probe.id = probe_id(probe.probe);
    report.sets.at(0).requirements.at(0).probes.push_back(probe.probe.id);
    report.probes.push_back(std::move(probe));
  }
  const auto large = render_html(report, {});
  EXPECT_LT(large.size(), small + more * 3000);
  EXPECT_NE(large.find("class=\"rows many\""), std::string::npos);
}

TEST(HtmlMarkup, EscapesAllButPieces) {
  Html piece, whole;
  piece.put("<b>{}</b>", "1 < 2 & \"3\" '4'\x1b");
  whole.put("<p title=\"{}\">{} {:.1f}</p>", std::string("\"><script>"), piece, 1.25);
  EXPECT_EQ(whole.view(),
            "<p title=\"&quot;&gt;&lt;script&gt;\"><b>1 &lt; 2 &amp; &quot;3&quot; "
            "&#39;4&#39;\\x1b</b> 1.2</p>");
}

}  // namespace
}  // namespace callready
