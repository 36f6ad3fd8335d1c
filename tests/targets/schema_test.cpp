// The published JSON Schema and the loader say the same, as far as a schema can.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include "targets/loader.hpp"
#include "targets/yaml_document.hpp"
#include "tests/support/source_folder.hpp"
#include "tests/targets/rules.hpp"

namespace callready::schema_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

template <typename Number>
std::optional<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// YAML's core schema: plain scalars have types, quoted ones are text.
json to_json(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return nullptr;
    case YamlNode::Kind::list: {
      auto list = json::array();
      for (const auto& item : node.items) list.push_back(to_json(item));
      return list;
    }
    case YamlNode::Kind::map: {
      auto object = json::object();
      for (const auto& entry : node.entries) object[entry.key] = to_json(entry.value);
      return object;
    }
    case YamlNode::Kind::scalar:
      break;
  }
  if (!node.plain) return node.text;
  if (node.text == "true" || node.text == "false") return node.text == "true";
  if (const auto whole = number<std::int64_t>(node.text)) return *whole;
  if (const auto real = number<double>(node.text); real && std::isfinite(*real)) return *real;
  return node.text;
}

class SchemaTest : public testing::Test {
 protected:
  SchemaTest() {
    const auto text =
        test::read_file(test::source_folder() + "/targets/schema/callready.targets-1.schema.json");
    const auto document = json::parse(text);
    const valijson::adapters::NlohmannJsonAdapter adapter(document);
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(adapter, schema_);
  }

  // What the schema has against the text; nothing where it accepts it. `yaml` must be YAML.
  std::optional<std::string> schema_problem(const std::string& yaml) {
    Problems problems("x");
    const auto root = parse_yaml(yaml, problems);
    EXPECT_TRUE(root);
    if (!root) return "not YAML";
    const auto document = to_json(*root);
    const valijson::adapters::NlohmannJsonAdapter adapter(document);
    valijson::ValidationResults results;
    if (validator_.validate(schema_, adapter, &results)) return std::nullopt;
    valijson::ValidationResults::Error error;
    std::string text = "refused";
    while (results.popError(error)) {
      text += "\n ";
      for (const auto& part : error.context) text += part;
      text += ": " + error.description;
    }
    return text;
  }

  bool accepts(const std::string& yaml) { return !schema_problem(yaml); }

  valijson::Schema schema_;
  valijson::Validator validator_{valijson::Validator::kStrongTypes};
};

std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::exists(folder)) return paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path());
  }
  return paths;
}

TEST_F(SchemaTest, AcceptsEveryGoodSetAndEveryVendor) {
  auto paths = yaml_files(test::folder("good"));
  EXPECT_GE(paths.size(), 4u);
  for (auto& path : yaml_files(test::source_folder() + "/targets/vendors")) {
    paths.push_back(std::move(path));
  }
  paths.emplace_back(test::source_folder() + "/targets/anchors.yaml");
  for (const auto& path : paths) {
    EXPECT_EQ(schema_problem(test::read_file(path.string())).value_or(""), "") << path;
  }
}

// What refers from one place of the file to another, or to the checks, is beyond a schema.
const std::set<std::string> beyond_a_schema = {
    "duplicate-ids",      "unknown-check",    "transport-not-done",        "nothing-to-probe",
    "unknown-references", "nothing-declared", "verified-before-published", "unaligned-network",
};

TEST_F(SchemaTest, RefusesEveryBadSetThatASchemaCan) {
  std::set<std::string> accepted;
  int judged = 0;
  for (const auto& path : yaml_files(test::folder("bad"))) {
    const auto text = test::read_file(path.string());
    Problems problems("x");
    const auto root = parse_yaml(text, problems);
    if (!root || !problems.empty()) continue;  // not YAML, or no JSON
    ++judged;
    if (accepts(text)) accepted.insert(path.stem().string());
  }
  EXPECT_GE(judged, 35);
  EXPECT_EQ(accepted, beyond_a_schema);
}

// One value each in an otherwise good set; the loader and the schema must agree on it.
struct Value {
  const char* key;
  const char* good;  // values, each a YAML text, separated by " | "
  const char* bad;
};

std::vector<std::string> split(std::string text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; (at = text.find(" | ")) != std::string::npos;) {
    parts.push_back(text.substr(0, at));
    text.erase(0, at + 3);
  }
  if (!text.empty()) parts.push_back(text);
  return parts;
}

// A set with `line` in its one requirement, in place of the line of the same key.
std::string row_with(const std::string& key, const std::string& value) {
  std::string text =
      "schema: callready.targets/1\nid: x\ntitle: X\n"
      "variables: [{ name: v, title: V }]\nregions: [{ id: r, title: R }]\n"
      "scenarios: [{ id: s, title: S }]\n"
      "capabilities: [{ id: c, title: C, needs: [web] }]\nrequirements:\n  - id: web\n";
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"title", "T"},
      {"check", "http"},
      {"transport", "[tcp]"},
      {"ports", "[443]"},
      {"hosts", "[www.example.com, www2.example.com]"}};
  for (const auto& [name, usual] : lines) {
    if (name != key) text += "    " + name + ": " + usual + '\n';
  }
  return text + "    " + key + ": " + value + '\n';
}

std::string set_with(const std::string& key, const std::string& value) {
  auto text = '\n' + row_with("note", "n");
  const auto at = text.find('\n' + key + ": ");
  if (at != std::string::npos) text.erase(at, text.find('\n', at + 1) - at);
  return key + ": " + value + text;
}

class SchemaAndLoader : public SchemaTest {
 protected:
  void judge(const std::string& yaml, bool good) {
    const auto loaded = load_text(yaml, "x", test::rules());
    std::string problems;
    for (const auto& problem : loaded.problems) problems += problem.to_string() + '\n';
    EXPECT_EQ(loaded.set.has_value(), good) << yaml << problems;
    const auto refused = schema_problem(yaml);
    EXPECT_EQ(!refused, good) << yaml << refused.value_or("accepted");
  }
};

TEST_F(SchemaAndLoader, AgreeOnEachValueOfARequirement) {
  const Value values[] = {
      {"title", "T | 3 | 1.5 | \"true\" | ünï", "true | [T] | {} | \"\" | \"a\\nb\" | \"\\e\" | ~"},
      {"note", "one | \"a\\nb\"", "\"\\x07\" | \" \" | false"},
      {"severity", "required | optional", "must | 1 | [required]"},
      {"direction", "out | in", "both"},
      {"lifecycle", "current | removed | optional-feature", "optional_feature"},
      {"proxy", "never | allowed | required", "yes"},
      {"allow_by", "either | name | network", "ip"},
      {"priority", "optimize | allow | default", "Optimize | high | [allow]"},
      {"vantage", "[pc] | [room-device, mesh-node, sbc]", "pc | [] | [tablet]"},
      {"clients", "[web, 3]", "web | [] | [true] | [[a]]"},
      {"scenarios", "[s]", "s | [] | [S]"},
      {"source_ports", "[1024, 49152-65535]", "[0] | [\"${v}\"] | [70000] | 1024"},
      {"ports", "[1, 65535] | [1-2, \"80\"] | [\"${v}\"] | [\"${v}-20000\"]",
       "443 | [] | [0] | [65536] | [-1] | [1.5] | [1 - 2] | [1-65536] | [\"${V}\"] | "
       "[\"$v\"] | [true]"},
      {"transport", "[tcp, tls] | [\"${v}\"]", "tcp | [TCP] | [tcp, tcp] | []"},
      {"reach", "all | any | { at_least: 2 } | { nearest: 10000 }",
       "most | { at_least: 0 } | { nearest: 10001 } | { nearest: 1.5 } | {} | { nearest: 1, "
       "at_least: 1 } | 2 | { at_least: \"1\" }"},
      {"with", "{ path: / } | { path: \"${v}\" } | { path: 1 }",
       "{ path: [a] } | { password: x } | { apiKey: x } | path | { path: true }"},
      {"hosts",
       "[localhost] | [a-b.example.com] | [_sip._tcp.example.com] | [\"${v}\"] | "
       "[\"a.${v}.example.com\"] | [{ name: a.example.com, region: r, lifecycle: removed, note: n "
       "}] | [1a.2b.3c] | [xn--bcher-kva.example.com]",
       "[192.0.2.1] | [-a.example.com] | [a-.example.com] | [a..b] | [a.] | [.a] | [a_b.c] | [a b] "
       "| [a/b] | [\"a:1\"] | [\"*.b.c\"] | [bücher.de] | [1.2.3] | [12] | a.example.com | [] | "
       "[{ region: r }] | [{ name: a.b, port: 1 }] | [_] | [a._.b]"},
      {"reverse_dns", "[a.example.com]", "[192.0.2.1]"},
      {"wildcards",
       "[\"*.example.com\"] | [turn-*.example.com] | [{ pattern: \"*.a.b\", examples: [x.a.b] }] | "
       "[{ pattern: \"*.a.b\", examples: [] }] | [{ pattern: \"*.a.b\", examples: [{ name: "
       "x.a.b, note: n }] }] | [\"*.eu1.sip.example.com\"]",
       "[a.example.com] | [\"*\"] | [\"*.*\"] | [\"-*.a.b\"] | [\"* a.b\"] | [{ examples: [a.b] "
       "}] | [\"*..b\"] | [\"https://*.a.b\"]"},
      {"addresses",
       "[192.0.2.1] | [198.51.100.0/24] | [203.0.113.1-203.0.113.9] | [\"2001:db8::1\"] | "
       "[\"2001:db8::/32\"] | [\"::ffff:192.0.2.1\"] | [\"${v}\"] | [{ address: \"${v}\" }] | "
       "[{ network: 192.0.3.0/23, unaligned: true, note: n, region: r, lifecycle: removed }] | "
       "[0.0.0.0/0] | [10.0.0.1]",
       "[256.1.1.1] | [192.0.2] | [192.0.2.1/33] | [192.0.2.01] | [www.example.com] | [] | [{}] | "
       "[{ address: 192.0.2.0/24 }] | [{ network: 192.0.2.1 }] | [{ range: 192.0.2.1 }] | [{ "
       "address: 192.0.2.1, network: 192.0.2.0/24 }] | [\"2001:db8::/129\"] | [\"1.2.3.4 \"] | "
       "[\"fe80::1%eth0\"] | [{ address: 192.0.2.1, unaligned: \"no\" }]"},
      {"service_tags", "[AzureCloud.centralus]", "[Azure Cloud] | []"},
      {"feed", "m365/11 | zoom/ZoomMeetings | google | aws/A_b.c-1/2",
       "cisco/1 | m365/ | m365//1 | azure/1 | m365/a b | m | \"\" | [zoom]"},
      {"listening", "true | false", "yes | \"true\" | 1"},
      {"conditions", "[a, b]", "[] | a"},
      {"error_texts", "[Call failed]", "[] | Call failed"},
      {"local_peers", "[apps of other users]", "[] | a"},
      {"thresholds", "{ jitter_ms: 30 } | { loss_percent: 0.5 } | {}",
       "{ jitter_ms: -1 } | { loss_percent: 101 } | { jitter_ms: \"30\" } | { jitter: 3 } | [1]"},
      {"unprobed", "", "because"},  // beside `check`
      {"colour", "", "blue"},
  };
  for (const auto& [key, good, bad] : values) {
    for (const auto& value : split(good)) judge(row_with(key, value), true);
    for (const auto& value : split(bad)) judge(row_with(key, value), false);
  }
}

TEST_F(SchemaAndLoader, AgreeOnEachValueOfTheHead) {
  const Value values[] = {
      {"schema", "callready.targets/1", "callready.targets/2 | 1"},
      {"id", "x | a-1 | 3", "X | a_b | -a | a- | a--b | \"\" | [a]"},
      {"edition", "36 | Ed 36 | 1.10", "[36] | true"},
      {"url", "https://example.com/a.pdf?x=1#y | http://a",
       "example.com | ftp://a | https:// | https://u:p@a/ | https://a/b c"},
      {"published", "2025-05 | 2025-05-07 | \"2025-05-07\" | 2025 | \"2025\"",
       "1985 | 205 | 20255 | 2025- | May 2025 | 2025-13 | 2025-00 | 2025-5-7 | 1985-01 | "
       "2025-05-32"},
      {"verified", "2025-05-07", "2025-05 | 07.05.2025"},
      {"control", "true | false", "yes | 1"},
      {"kind", "meetings | contact-center | sip-trunk", "phone | [pbx]"},
      {"evidence", "vendor-page | vendor-feed", "second-hand | old-edition | hearsay | true"},
      {"evidence_note", "one | \"a\\nb\"", "[] | true"},
      {"aliases", "[ms-teams, 3]", "[] | teams | [Teams] | [a b]"},
      {"former_names", "[Skype for Business, 8x8]", "[] | Skype | [{ a: b }]"},
      {"document", "", "Network Requirements"},  // then each row needs a source
      {"scenarios", "[{ id: s, title: S, default: true }]",
       "[s] | [{ id: s }] | [{ title: S }] | [{ id: s, title: S, default: 1 }] | []"},
      {"regions", "[{ id: r, title: R }]", "[r] | [{ id: r }] | [{ id: R, title: R }]"},
      {"variables", "[{ name: v, title: V, default: 5060, example: x }]",
       "[v] | [{ name: v }] | [{ name: V, title: V }] | [{ name: v, title: V, default: \"${v}\" }] "
       "| [{ name: sip_password, title: P }] | [{ name: v, title: V, default: true }]"},
      {"capabilities",
       "[{ id: c, title: C, scenarios: [s], needs: [web, { first_of: [web, [web, web]] }, { "
       "any_of: [web] }] }] | [{ id: c, title: C, needs: [web], quality: { round_trip_ms: 100, "
       "burst_loss_percent: 10, bandwidth_up_kbps: 0.5, dscp: EF, source: table 1 } }]",
       "[{ id: c, title: C, needs: [web], quality: { round_trip_ms: 100 } }] | [{ id: c, title: C, "
       "needs: [web], quality: { source: s, loss_percent: 101 } }] | [{ id: c, title: C, needs: "
       "[web], quality: { source: s, latency: 1 } }] | [] | [{ id: c, title: C }] | [{ id: c, "
       "title: C, needs: [] }] | [{ id: c, title: C, needs: "
       "web }] | [{ id: c, title: C, needs: [[web]] }] | [{ id: c, title: C, needs: [{ first_of: "
       "web }] }] | [{ id: c, title: C, needs: [{ first_of: [web], any_of: [web] }] }] | [{ id: c, "
       "title: C, needs: [{ any_of: [[]] }] }]"},
      {"advice", "[{ id: a, text: T, source: 1, scenarios: [s], vantage: [hub] }]",
       "[{ id: a }] | [{ text: T }] | [{ id: a, text: T, vantage: [x] }] | T"},
      {"comment", "", "none"},
  };
  for (const auto& [key, good, bad] : values) {
    for (const auto& value : split(good)) judge(set_with(key, value), true);
    for (const auto& value : split(bad)) judge(set_with(key, value), false);
  }
}

TEST_F(SchemaAndLoader, AgreeThatOnlyControlSetsDoWithoutCapabilities) {
  auto text = row_with("note", "n");
  const auto at = text.find("capabilities:");
  text.erase(at, text.find('\n', at) + 1 - at);
  judge(text, false);
  judge(text + "control: false\n", false);
  judge(text + "control: true\n", true);
}

TEST_F(SchemaAndLoader, AgreeThatADoubtfulSourceIsExplained) {
  judge("evidence: second-hand\nevidence_note: a firewall's list\n" + row_with("note", "n"), true);
  judge("evidence_note: from 2019\nevidence: old-edition\n" + row_with("note", "n"), true);
  judge("evidence: old-edition\n" + row_with("note", "n"), false);
}

TEST_F(SchemaAndLoader, AgreeThatADocumentIsQuoted) {
  judge("document: D\n" + row_with("source", "table 1"), true);
  judge("document: D\nadvice: [{ id: a, text: T }]\n" + row_with("source", "table 1"), false);
}

}  // namespace
}  // namespace callready::schema_test
