// The whole report as JSON; its schema, with the meaning of every member, is
// schema/callready.report-1.schema.json. A member without a value is left out, never null; lists
// and objects that the schema requires are present even when empty.
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "reports/format.hpp"
#include "reports/json/fields.hpp"
#include "reports/json/parts.hpp"
#include "reports/json/text.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"
#include "reports/words/rule_words.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;  // members in the order in which a person wants to read them

double rounded(double milliseconds) { return as_written(Milliseconds(milliseconds)).count(); }

// JSON cannot represent infinity or NaN.
bool is_number(double value) { return std::isfinite(value); }
bool is_number(const auto&) { return true; }

bool is_any(const auto& value) {
  if constexpr (requires { value.empty(); })
    return !value.empty();
  else
    return value != std::remove_cvref_t<decltype(value)>();
}

template <typename Part>
Json object_json(const Part& part);

Json value_json(const std::string& text) { return text; }
Json value_json(bool flag) { return flag; }
Json value_json(int number) { return number; }
Json value_json(std::uint16_t number) { return number; }
Json value_json(std::size_t number) { return number; }
Json value_json(double number) { return std::round(number * 10'000) / 10'000 + 0.0; }
Json value_json(Milliseconds duration) { return duration_json(duration); }
Json value_json(const SocketAddress& local) { return object_json(local); }
Json value_json(WallTime moment) { return format_rfc3339(moment); }
Json value_json(const Detail& detail) { return detail.text(); }
Json value_json(const std::map<std::string, std::string>& texts) { return texts; }

Json value_json(const std::map<Timing, double>& timings) {
  auto json = Json::object();
  for (const auto& [name, milliseconds] : timings) {
    if (is_number(milliseconds)) json[std::string(to_string(name))] = rounded(milliseconds);
  }
  return json;
}

template <typename Part>
Json value_json(const Part& part) {
  if constexpr (std::is_enum_v<Part>)
    return to_string(part);
  else if constexpr (requires { part.to_string(); })
    return part.to_string();
  else
    return object_json(part);
}

template <typename Item>
Json value_json(const std::vector<Item>& items) {
  return json_list(items, [](const Item& item) { return value_json(item); });
}

// Writes the members that `fields` (fields.hpp) passes for a part of the report.
struct Writer {
  Json& json;

  void operator()(const char* name, const auto& value) const {
    if (is_number(value)) json[name] = value_json(value);
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
  void operator()(const char* name, const std::optional<Milliseconds>& value) const {
    if (value && is_number(value->count())) json[name] = value_json(*value);
  }
  template <typename T>
  void operator()(const char* name, const Boxed<T>& value) const {
    if (value) (*this)(name, *value);
  }
  void operator()(const char* name, const Text& text) const {
    json[name] = text.string();
    add_words(json, name, text);
  }
  void operator()(const char* name, const std::vector<Text>& texts) const {
    json[name] = texts;
    add_words(json, name, texts);
  }
  // A histogram: left out where nothing was measured.
  void operator()(const char* name, const std::vector<int>& numbers) const {
    if (!numbers.empty()) json[name] = numbers;
  }

  void if_any(const char* name, const auto& value) const {
    if (is_any(value)) (*this)(name, value);
  }
  template <typename T>
  void or_else(const char* name, const T& value, const T& other) const {
    if (value != other) (*this)(name, value);
  }
  void later(const char* name, const auto& value) const { (*this)(name, value); }
  void from_one(const char* name, int number) const { (*this)(name, number); }
  void object(const char* name, auto fill) const {
    json[name] = Json::object();
    fill(Writer{json[name]});
  }

  void protocol(const char* name, const FirewallRule& rule) const {
    json[name] = protocol_in_words(rule);
  }
  void ports(const char* name, const std::vector<PortRange>& ports,
             const std::vector<std::string>& yours) const {
    json[name] = value_json(ports);
    for (const auto& words : yours) json[name].push_back(words);
  }
  void range(const PortRange& ports) const {
    if (!ports.single()) {
      json["ports"] = ports.to_string();
    } else if (ports.first != 0) {
      json["port"] = ports.first;
    }
  }
  void purpose(const Probe& probe) const {
    json["control"] = probe.control();
    if (probe.control()) json["purpose"] = to_string(probe.purpose);
  }
  void facts(const FactMap& facts) const {
    for (const auto& [name, value] : facts) {
      const auto word = to_string(name);
      Json fact;
      std::visit([&](const auto& known) { fact = known; }, value);
      if (fact.is_number_float()) {
        if (!is_number(fact.get<double>())) continue;
        if (word.ends_with("_ms")) fact = rounded(fact.get<double>());
      }
      json[std::string(word)] = fact;
    }
  }
};

// The words of an object's texts come last: they are for programs.
void put_words_last(Json& json) {
  if (!json.contains("words")) return;
  auto words = std::move(json["words"]);
  json.erase("words");
  json["words"] = std::move(words);
}

template <typename Part>
Json object_json(const Part& part) {
  auto json = Json::object();
  fields(part, Writer{json});
  put_words_last(json);
  return json;
}

}  // namespace

Json tool_json(const ToolInfo& tool) { return object_json(tool); }
Json site_json(const Site& site) { return object_json(site); }
Json set_json(const SetResult& set) { return object_json(set); }
Json finding_json(const Finding& finding) { return object_json(finding); }
Json probe_json(const ProbeResult& result) { return object_json(result); }

Json rule_json(const FirewallRule& rule) {
  auto json = object_json(rule);
  set_if_any(json, "state", std::string(state_word(rule.state)));
  return json;
}

double duration_json(Milliseconds duration) {
  return is_number(duration.count()) ? rounded(duration.count()) : 0.0;
}

bool write_json(const Report& report, const JsonTaker& take) {
  Json json = {{"schema", Report::schema}};
  const Writer write{json};
  write.if_any("redacted", report.redacted);
  run_fields(report, write);
  write("held_up_ms", report.loop_stall);
  write("longest_wait", report.longest_wait);
  json["unexplained"] =
      json_list(unexplained(report), [](const UnexplainedRow& row) { return row.id; });
  json["probes"] = Json::array();
  write("notes", report.notes);
  write.if_any("vantages", report.vantages);
  put_words_last(json);
  const auto whole = json_text(json);
  if (report.probes.empty()) return take(whole);
  // Probes are most of a long report, so they are inserted one by one into their place. The place
  // is unique, since a line break within a text is escaped.
  constexpr std::string_view place = "\n  \"probes\": [";
  const auto inside = whole.find(place) + place.size();
  if (!take(std::string_view(whole).substr(0, inside))) return false;
  for (const auto& probe : report.probes) {
    std::string piece = &probe == &report.probes.front() ? "" : ",";
    const auto text = json_text(probe_json(probe));
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);  // of each line; the text ends in one
      piece += "\n    ";
      piece.append(text, at, end - at);
      at = end + 1;
    }
    if (!take(piece)) return false;
  }
  return take("\n  " + whole.substr(inside));
}

std::string render_json(const Report& report, const RenderOptions&) {
  std::string text;
  write_json(report, [&text](std::string_view piece) {
    text += piece;
    return true;
  });
  return text;
}

}  // namespace callready
