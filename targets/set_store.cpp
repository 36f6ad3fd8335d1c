#include "targets/set_store.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "probe/platform/input_file.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/path.hpp"

namespace callready {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr auto signed_file = "signed";
constexpr auto newest_file = "newest";
constexpr auto etag_file = "etag";
constexpr std::size_t signers_for_new_keys = 2;

std::string stored_name(const IndexedSet& set) {
  return set.head.id + '-' + set.head.sha256.substr(0, 16) + ".yaml";
}

// The signature's four lines and what follows them.
std::pair<std::string_view, std::string_view> split_signed(std::string_view text) {
  std::size_t at = 0;
  for (int line = 0; line < 4 && at != std::string_view::npos; ++line) {
    at = text.find('\n', at);
    if (at != std::string_view::npos) ++at;
  }
  at = std::min(at, text.size());
  return {text.substr(0, at), text.substr(at)};
}

}  // namespace

std::string keys_file(int edition) { return "keys-" + std::to_string(edition) + ".json"; }

KeysResult next_keys(const TrustedKeys& known, std::string_view json_text,
                     std::string_view signatures) {
  KeysResult result;
  if (count_signers(json_text, signatures, known.keys) < signers_for_new_keys) {
    result.problem = "is not signed by two of the keys that this program knows";
    return result;
  }
  const auto json = Json::parse(json_text, nullptr, false);
  const auto schema = json.is_object() ? json.value("schema", Json()) : Json();
  const auto edition = json.is_object() ? json.value("edition", Json()) : Json();
  const auto list = json.is_object() ? json.value("keys", Json()) : Json();
  TrustedKeys next{known.edition + 1, {}};
  for (const auto& item : list) {
    const auto key = item.is_string() ? MinisignKey::parse(item.get<std::string>()) : std::nullopt;
    const bool repeated =
        key && std::find(next.keys.begin(), next.keys.end(), *key) != next.keys.end();
    if (!key || repeated) {
      result.problem = "holds something that is no key, or a key twice";
      return result;
    }
    next.keys.push_back(*key);
  }
  if (schema != "callready.keys/1" || edition != next.edition || !list.is_array() ||
      next.keys.size() < signers_for_new_keys || next.keys.size() > 8) {
    result.problem = "is no list of keys of edition " + std::to_string(next.edition);
    return result;
  }
  result.keys = std::move(next);
  return result;
}

std::optional<std::string> SetStore::load(const std::string& name, std::size_t most) const {
  if (folder_.empty()) return std::nullopt;
  auto input = platform::read_input(folder_ + '/' + name, most);
  if (!input.error.empty() || input.text.size() > most) return std::nullopt;
  return std::move(input.text);
}

std::optional<std::string> SetStore::save(const std::string& name,
                                          const std::string& content) const {
  if (folder_.empty())
    return "there is no folder for sets: expected XDG_DATA_HOME, HOME or LOCALAPPDATA";
  std::error_code error;
  fs::create_directories(path_of(folder_), error);
  if (error) return folder_ + ": " + error.message();
  const auto problem = write_(folder_ + '/' + name, content);
  if (problem) return folder_ + '/' + name + ": " + *problem;
  return std::nullopt;
}

Stored SetStore::read() const {
  Stored stored;
  stored.keys = keys_;
  for (int i = 0; i < most_rotations; ++i) {
    const auto name = keys_file(stored.keys.edition + 1);
    const auto text = load(name, largest_keys);
    if (!text) break;
    const auto signatures = load(name + ".minisig", largest_keys).value_or("");
    auto next = next_keys(stored.keys, *text, signatures);
    if (!next.keys) {
      stored.problem = name + ' ' + next.problem;
      return stored;
    }
    stored.keys = std::move(*next.keys);
  }
  const auto whole = load(signed_file, largest_index + largest_signature);
  if (!whole) return stored;
  const auto [signature, bytes] = split_signed(*whole);
  const auto verified = verify_minisign(bytes, signature, stored.keys.keys);
  if (!verified.problem.empty()) {
    stored.problem = "their index " + verified.problem;
    return stored;
  }
  auto index = read_index(bytes);
  stored.index = std::move(index.index);
  stored.index_bytes = bytes;
  if (!index.problem.empty()) stored.problem = "their index " + index.problem;
  return stored;
}

std::optional<std::string> SetStore::text_of(const IndexedSet& set) const {
  auto text = load(stored_name(set), set.bytes);
  const bool whole = text && text->size() == set.bytes && sha256_hex(*text) == set.head.sha256;
  return whole ? std::move(text) : std::nullopt;
}

std::optional<std::string> SetStore::add_keys(int edition, const std::string& json_text,
                                              const std::string& signatures) const {
  // The signatures first: without the keys they are ignored.
  if (auto problem = save(keys_file(edition) + ".minisig", signatures)) return problem;
  return save(keys_file(edition), json_text);
}

std::optional<std::string> SetStore::add_set(const IndexedSet& set,
                                             const std::string& yaml_text) const {
  return save(stored_name(set), yaml_text);
}

std::optional<std::string> SetStore::replace_index(const SetIndex& index,
                                                   const std::string& index_bytes,
                                                   const std::string& signature) const {
  const auto [four_lines, rest] = split_signed(signature);
  auto lines = std::string(four_lines);
  if (!lines.ends_with('\n')) lines += '\n';
  if (auto problem = save(newest_file, std::to_string(index.version))) return problem;
  if (auto problem = save(signed_file, lines + index_bytes)) return problem;
  std::set<std::string> named;
  for (const auto& set : index.sets) named.insert(stored_name(set));
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path_of(folder_), ignored)) {
    const auto name = utf8_of(entry.path().filename());
    if (entry.path().extension() == ".yaml" && !named.contains(name)) {
      fs::remove(entry.path(), ignored);
    }
  }
  return std::nullopt;
}

int SetStore::newest_edition() const {
  const auto text = load(newest_file, 32).value_or("");
  int edition = 0;
  std::from_chars(text.data(), text.data() + text.size(), edition);
  return edition;
}

std::string SetStore::etag(const std::string& source) const {
  const auto text = load(etag_file, 4096).value_or("");
  const auto line = text.find('\n');
  return line != std::string::npos && text.substr(0, line) == source ? text.substr(line + 1) : "";
}

void SetStore::keep_etag(const std::string& source, const std::string& etag) const {
  save(etag_file, etag.empty() ? "" : source + '\n' + etag);  // otherwise the next run refetches it
}

std::optional<SetCollection> SetStore::collection(std::string& problem) const {
  auto stored = read();
  problem = stored.problem;
  if (!stored.index) return std::nullopt;
  return SetCollection{"downloaded", std::move(*stored.index),
                       [store = *this](const IndexedSet& set) { return store.text_of(set); }};
}

}  // namespace callready
