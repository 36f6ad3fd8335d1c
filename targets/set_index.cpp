#include "targets/set_index.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "probe/util/digest.hpp"
#include "probe/util/utf8.hpp"
#include "targets/set_reader.hpp"
#include "targets/syntax.hpp"

namespace callready {
namespace {

using IndexJson = nlohmann::ordered_json;

constexpr std::string_view index_schema = "callready.index/1";

// The members that are plain lines of text, under the same names as in YAML.
constexpr std::pair<const char*, std::string SetHead::*> lines[] = {
    {"id", &SetHead::id},
    {"title", &SetHead::title},
    {"vendor", &SetHead::vendor},
    {"edition", &SetHead::edition},
    {"document", &SetHead::document},
    {"url", &SetHead::url},
    {"published", &SetHead::published},
    {"verified", &SetHead::verified},
    {"evidence_note", &SetHead::evidence_note},
    {"sha256", &SetHead::sha256},
};

// Thrown for whatever is wrong with an index; nlohmann's own errors are converted to it.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string printable(const IndexJson& node, const std::string& name) {
  if (!node.is_string()) throw Malformed("'" + name + "' is no text");
  auto text = node.get<std::string>();
  if (has_control_characters(text)) throw Malformed("'" + name + "' holds control characters");
  return text;
}

std::string text_of(const IndexJson& object, const std::string& name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string() : printable(*found, name);
}

std::vector<std::string> texts_of(const IndexJson& object, const std::string& name) {
  std::vector<std::string> texts;
  const auto found = object.find(name);
  if (found == object.end()) return texts;
  if (!found->is_array()) throw Malformed("'" + name + "' is no list");
  for (const auto& text : *found) texts.push_back(printable(text, name));
  return texts;
}

template <typename Number>
Number number_of(const IndexJson& object, const std::string& name, Number most) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned() ||
      found->get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
    throw Malformed("'" + name + "' is no number from 0 to " + std::to_string(most));
  }
  return found->get<Number>();
}

template <typename Enum>
Enum word_of(const std::string& text, const std::string& name) {
  if (const auto word = parse<Enum>(text)) return *word;
  throw Malformed("'" + name + "' is no word that this version knows: " + text);
}

std::string date_of(const IndexJson& object, const std::string& name) {
  auto text = text_of(object, name);
  if (date_problem(text, false)) throw Malformed("'" + name + "' is no date");
  return text;
}

IndexedSet read_entry(const IndexJson& object) {
  if (!object.is_object()) throw Malformed("a set is no object");
  IndexedSet set;
  for (const auto& [name, member] : lines) set.head.*member = text_of(object, name);
  if (!is_id(set.head.id)) throw Malformed("a set has no id");
  if (set.head.title.empty()) throw Malformed(set.head.id + " has no title");
  const auto& hash = set.head.sha256;
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Malformed(set.head.id + ": 'sha256' is no hash");
  }
  if (!set.head.verified.empty() && date_problem(set.head.verified, false)) {
    throw Malformed(set.head.id + ": 'verified' is no date");
  }
  set.head.aliases = texts_of(object, "aliases");
  set.head.former_names = texts_of(object, "former_names");
  for (auto& id : texts_of(object, "needs_sets")) {
    if (!is_id(id)) throw Malformed(set.head.id + ": 'needs_sets' holds something that is no id");
    set.head.needs_sets.push_back({std::move(id), {}, {}, {}});
  }
  const auto kind = text_of(object, "kind"), evidence = text_of(object, "evidence");
  if (!kind.empty()) set.head.kind = word_of<ServiceKind>(kind, "kind");
  if (!evidence.empty()) set.head.evidence = word_of<SourceQuality>(evidence, "evidence");
  set.bytes = number_of<std::size_t>(object, "bytes", largest_index);
  set.requirements = number_of<std::size_t>(object, "requirements", 1'000'000);
  return set;
}

SetIndex read(const IndexJson& json) {
  if (!json.is_object() || text_of(json, "schema") != index_schema) {
    throw Malformed("its schema is not " + std::string(index_schema));
  }
  SetIndex index;
  index.version = number_of<int>(json, "version", 1'000'000'000);
  index.issued = date_of(json, "issued");
  index.expires = date_of(json, "expires");
  index.needs = text_of(json, "needs");
  const auto sets = json.find("sets");
  if (sets == json.end() || !sets->is_array() || sets->size() > most_indexed_sets) {
    throw Malformed("'sets' is no list of at most " + std::to_string(most_indexed_sets) + " sets");
  }
  for (const auto& entry : *sets) {
    auto set = read_entry(entry);
    if (index.find(set.head.id) != nullptr) throw Malformed(set.head.id + " is there twice");
    index.sets.push_back(std::move(set));
  }
  return index;
}

}  // namespace

const IndexedSet* SetIndex::find(std::string_view id) const {
  const auto found =
      std::find_if(sets.begin(), sets.end(), [&](const auto& set) { return set.head.id == id; });
  return found == sets.end() ? nullptr : &*found;
}

std::optional<IndexedSet> index_set(std::string_view yaml_text, Problems& problems) {
  const auto root = parse_yaml(yaml_text, problems);
  if (!root) return std::nullopt;
  IndexedSet set;
  set.head = read_set_head(*root, problems);
  if (!problems.empty()) return std::nullopt;
  set.head.sha256 = sha256_hex(yaml_text);
  set.bytes = yaml_text.size();
  if (const auto* rows = root->find("requirements")) set.requirements = rows->value.items.size();
  return set;
}

std::string write_index(const SetIndex& index) {
  IndexJson json = {{"schema", index_schema}, {"version", index.version},
                    {"issued", index.issued}, {"expires", index.expires},
                    {"needs", index.needs},   {"sets", IndexJson::array()}};
  for (const auto& set : index.sets) {
    IndexJson entry;
    for (const auto& [name, member] : lines) {
      if (!(set.head.*member).empty()) entry[name] = on_one_line(set.head.*member);
    }
    entry["evidence"] = to_string(set.head.evidence);
    if (set.head.kind) entry["kind"] = to_string(*set.head.kind);
    if (!set.head.aliases.empty()) entry["aliases"] = set.head.aliases;
    if (!set.head.former_names.empty()) entry["former_names"] = set.head.former_names;
    for (const auto& needed : set.head.needs_sets) entry["needs_sets"].push_back(needed.set);
    entry["bytes"] = set.bytes;
    entry["requirements"] = set.requirements;
    json["sets"].push_back(std::move(entry));
  }
  return json.dump(1) + '\n';
}

IndexResult read_index(std::string_view json_text) {
  IndexResult result;
  try {
    result.index = read(IndexJson::parse(json_text));
  } catch (const IndexJson::exception&) {
    result.problem = "is not JSON";
  } catch (const Malformed& error) {
    result.problem = "cannot be used: " + on_one_line(error.what());
  }
  return result;
}

bool is_older_version(std::string_view left, std::string_view right) {
  const auto parts = [](std::string_view text) {
    std::vector<int> numbers;
    while (!text.empty()) {
      int number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{}) return std::vector<int>{};
      numbers.push_back(number);
      text.remove_prefix(static_cast<std::size_t>(end - text.data()));
      if (!text.empty()) text.remove_prefix(1);
    }
    while (!numbers.empty() && numbers.back() == 0) numbers.pop_back();
    return numbers;
  };
  return parts(left) < parts(right);
}

}  // namespace callready
