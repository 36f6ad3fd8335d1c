#include "reports/json/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/util/text.hpp"
#include "reports/json/fields.hpp"
#include "reports/json/node.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

// A word of a later edition yields nothing, and `key` is listed as unknown.
template <typename T>
std::optional<T> known_word(const Node& node, std::string_view key) {
  const auto value = parse<T>(node.member(key).text());
  if (!value) node.leave_out(key);
  return value;
}

// Items of a kind that this edition does not know are left out.
bool is_known(const Node& node, const ProbeResult&) {
  return known_word<CheckKind>(node, "check").has_value();
}
bool is_known(const Node& node, const LongestWait&) {
  return known_word<CheckKind>(node, "check").has_value();
}
bool is_known(const Node& node, const Evidence&) {
  return known_word<EvidenceKind>(node, "kind").has_value();
}
bool is_known(const Node&, const auto&) { return true; }

void read(const Node& node, std::string& text) { text = node.text(); }
void read(const Node& node, bool& flag) { flag = node.boolean(); }
void read(const Node& node, int& number) { number = node.integer(0, any_count); }
void read(const Node& node, std::uint16_t& port) {
  port = static_cast<std::uint16_t>(node.integer(0, 65535));
}
void read(const Node& node, std::size_t& place) {  // from 1
  place = static_cast<std::size_t>(node.integer(1, any_count));
}
void read(const Node& node, double& number) { number = node.number(); }
void read(const Node& node, Milliseconds& duration) { duration = Milliseconds(node.number()); }
void read(const Node& node, WallTime& moment) {
  moment = node.parsed(parse_rfc3339, "a time like 2026-11-20T08:39:29.125Z");
}
void read(const Node& node, IpAddress& address) { address = node.address(); }
void read(const Node& node, PortRange& ports) {
  ports = node.parsed(PortRange::parse, "a port range like 10000-20000");
}
// Anything other than a port or a range is a description of ports that only the customer knows.
void read_ports(const Node& node, std::vector<PortRange>& ports, std::vector<std::string>& yours) {
  for (auto& text : node.list([](const Node& item) { return item.text(); })) {
    if (const auto range = PortRange::parse(text)) {
      ports.push_back(*range);
    } else {
      yours.push_back(std::move(text));
    }
  }
}
// Source ports in words are ignored: no rule can ask for them.
void read(const Node& node, std::vector<PortRange>& ports) {
  std::vector<std::string> yours;
  read_ports(node, ports, yours);
}
void read(const Node& node, Route& route) {
  if (node.text() != "direct") route.proxy = node.text();
}
void read(const Node& node, std::map<std::string, std::string>& texts) {
  node.members([&](const auto& name, const Node& value) { texts.emplace(name, value.text()); });
}
void read(const Node& node, std::map<Timing, double>& timings) {
  node.members([&](const std::string& name, const Node& value) {
    const auto part = parse<Timing>(name);
    if (!part) return node.leave_out(name);
    timings.emplace(*part, value.number());
  });
}

template <typename Enum>
requires std::is_enum_v<Enum>
void read(const Node& node, Enum& value) { value = node.word<Enum>(); }

template <typename Item>
void read(const Node& node, std::vector<Item>& items);
template <typename Part>
requires std::is_class_v<Part>
void read(const Node& node, Part& part);

// Reads the members that `fields` (fields.hpp) passes for a part of the report.
struct Reader {
  const Node& node;

  void operator()(const char* name, auto& value) const { read(node.member(name), value); }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) const {
    const auto member = node.optional(name);
    if (!member) return;
    T one{};
    (*this)(name, one);
    if (is_known(*member, one)) value = std::move(one);
  }
  void operator()(const char* name, Boxed<MediaStream>& media) const {
    std::optional<MediaStream> one;
    (*this)(name, one);
    if (one) media = std::move(*one);
  }
  void operator()(const char* name, Text& text) const { text = read_text(node, name); }
  void operator()(const char* name, std::vector<Text>& texts) const {
    texts = read_texts(node, name);
  }
  void operator()(const char* name, Detail& detail) const {
    const auto known = Detail::parse(node.member(name).text());
    if (!known) node.leave_out(name);
    detail = known.value_or(Detail());
  }
  void operator()(const char* name, FindingCode& code) const {
    code = known_word<FindingCode>(node, name).value_or(FindingCode::other);
  }
  void operator()(const char* name, CheckKind& check) const {
    check = known_word<CheckKind>(node, name).value_or(check);
  }
  void operator()(const char* name, EvidenceKind& kind) const {
    kind = known_word<EvidenceKind>(node, name).value_or(kind);
  }
  void operator()(const char* name, std::vector<int>& histogram) const {
    const auto member = node.optional(name);
    if (!member) return;
    histogram =
        member->list([](const Node& item) { return static_cast<int>(item.integer(0, any_count)); });
    histogram.resize(later_ms.size() + 1);
  }

  void if_any(const char* name, auto& value) const {
    if (node.optional(name)) (*this)(name, value);
  }
  template <typename T>
  void or_else(const char* name, T& value, const T& other) const {
    value = other;
    if_any(name, value);
  }
  void later(const char* name, auto& value) const { if_any(name, value); }
  void from_one(const char* name, int& number) const {
    number = node.member(name).integer(1, any_count);
  }
  void object(const char* name, auto fill) const {
    const auto member = node.member(name);
    fill(Reader{member});
  }

  void protocol(const char* name, FirewallRule& rule) const {
    const auto& protocol = node.member(name).text();
    if (protocol == "UDP") {
      rule.transport = Transport::udp;
    } else if (protocol == "TCP" || protocol == "TCP (TLS)") {
      rule.transport = protocol == "TCP" ? Transport::tcp : Transport::tls;
    } else if (protocol != "any") {
      rule.your_transport = protocol;
    }
  }
  void ports(const char* name, std::vector<PortRange>& ports,
             std::vector<std::string>& yours) const {
    read_ports(node.member(name), ports, yours);
  }
  void range(PortRange& ports) const {
    if_any("ports", ports);
    if (node.optional("ports")) return;
    if_any("port", ports.first);
    ports.last = ports.first;
  }
  void purpose(Probe& probe) const {
    const bool told = node.optional("purpose").has_value();
    if (!node.member("control").boolean()) return;
    probe.purpose = told ? known_word<Purpose>(node, "purpose").value_or(Purpose::control)
                         : likely_purpose(probe);
  }
  void facts(FactMap& facts) const {
    node.members([&](const std::string& name, const Node& value) {
      if (name == "kind" || name == "text" || name == "words") return;
      // A list or an object among the facts was added by a later edition.
      const auto fact = parse<Fact>(name);
      if (value.composite() || !fact) return node.leave_out(name);
      facts.emplace(*fact, value.fact());
    });
  }
};

template <typename Item>
void read(const Node& node, std::vector<Item>& items) {
  auto all = node.list([](const Node& item) {
    std::optional<Item> one(std::in_place);
    read(item, *one);
    if (!is_known(item, *one)) one.reset();
    return one;
  });
  for (auto& one : all) {
    if (one) items.push_back(std::move(*one));
  }
}

template <typename Part>
requires std::is_class_v<Part>
void read(const Node& node, Part& part) {
  fields(part, Reader{node});
  // Reports from before 2026-11-25 have it only in words.
  if constexpr (std::same_as<Part, RequirementResult>) {
    if (!node.optional("left_out")) part.left_out = part.summary.find("left out") != Text::npos;
  }
}

void check_schema(const Node& root) {
  root.check_object();
  const auto schema = root.optional("schema");
  if (!schema) throw Unreadable{"this is not a callready report: it has no \"schema\""};
  const auto& name = schema->text();
  if (name == Report::schema) return;
  if (name.starts_with("callready.report/")) {
    throw Unreadable{
        fmt::format("this report is in the format {}, and this callready reads {} only: a newer "
                    "callready made it, so read it with that one, or a newer one still",
                    name.substr(0, 60), Report::schema)};
  }
  throw Unreadable{fmt::format("this is not a callready report: its schema is \"{}\", expected {}",
                               name.substr(0, 60), Report::schema)};
}

Report read_document(const Node& root) {
  check_schema(root);
  Report report;
  const Reader reader{root};
  run_fields(report, reader);
  reader("held_up_ms", report.loop_stall);
  reader("longest_wait", report.longest_wait);
  root.optional("unexplained");  // known, but always recomputed
  reader("probes", report.probes);
  reader("notes", report.notes);
  reader.if_any("vantages", report.vantages);
  reader.if_any("redacted", report.redacted);
  return report;
}

// Where the text exceeds the nesting or the number of values of any report: checked before parsing,
// which takes up to a hundred bytes per value.
std::optional<std::size_t> too_much_at(std::string_view text) {
  constexpr std::size_t most_values = 1'500'000;
  int depth = 0;
  std::size_t values = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > deepest_report) return i;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && ++values > most_values) {
      return i;
    }
  }
  return std::nullopt;
}

// The part of nlohmann's message after "... while parsing value - ", without the text last read.
std::string syntax_message(std::string_view what) {
  const auto reason = what.find(" - ");
  std::string message(what.substr(reason == std::string_view::npos ? 0 : reason + 3));
  const auto read = message.find("; last read: ");
  if (read == std::string::npos) return message;
  const auto expected = message.rfind("; expected ");
  const auto end = expected == std::string::npos || expected < read ? message.size() : expected;
  return message.erase(read, end - read);
}

}  // namespace

ReadResult read_report(std::string_view text, std::string_view name) {
  const auto refuse = [&](std::string_view separator, std::string_view why) {
    return ReadResult{std::nullopt, harmless(fmt::format("{}{}{}", name, separator, why)), {}};
  };
  if (text.size() > largest_report) {
    return refuse(": ", fmt::format("{} bytes are more than a report may have ({} MiB)",
                                    text.size(), largest_report / (1024 * 1024)));
  }
  if (const auto byte = too_much_at(text)) {
    return refuse(
        ":", fmt::format("{}: nested more than {} deep, or too many values: this is not a report",
                         place_in_text(text, *byte), deepest_report));
  }
  try {
    const auto json = ReadJson::parse(text);
    Asked asked;
    ReadResult result{read_document(Node(json, asked)), {}, {}};
    for (const auto& way : asked.unknown(json)) result.unknown.push_back(harmless(way));
    return result;
  } catch (const ReadJson::parse_error& error) {
    // `byte` is 1-based and counts the character at which the parser gave up.
    const auto byte = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    return refuse(":", place_in_text(text, byte) + ": not JSON: " + syntax_message(error.what()));
  } catch (const ReadJson::out_of_range&) {
    return refuse(": ", "a number in it is larger than any that a report can hold");
  } catch (const Unreadable& error) {
    return refuse(": ", error.why);
  }
}

}  // namespace callready
