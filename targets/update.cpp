#include "targets/update.hpp"

#include <map>
#include <utility>

#include "probe/util/digest.hpp"
#include "targets/changes.hpp"

namespace callready {
namespace {

constexpr std::size_t most_bytes = std::size_t{32} * 1024 * 1024;  // of all sets together
constexpr auto index_file = "index.json";

class Update {
 public:
  Update(const SetStore& store, const Fetch& fetch, const UpdateOptions& options)
      : store_(store), fetch_(fetch), options_(options), stored_(store.read()) {}

  UpdateResult run() {
    if (!stored_.problem.empty()) {
      result_.warnings.push_back("the sets of the last update are not used: " + stored_.problem);
    }
    if (take_keys() && take_index() && take_sets()) keep();
    if (!result_.refusal.empty()) {
      result_.changes.clear();
      result_.index = {};
    }
    return std::move(result_);
  }

 private:
  bool refuse(std::string why) {
    result_.refusal = std::move(why);
    return false;
  }

  // False, and refused, if the file could not be fetched.
  bool get(const std::string& name, std::size_t most, std::string& bytes) {
    const auto fetched = fetch_(name, most, "");
    if (fetched.kind == Fetched::Kind::missing) return refuse(name + " is not there");
    if (fetched.kind != Fetched::Kind::got) return refuse(name + ": " + fetched.problem);
    bytes = fetched.bytes;
    return true;
  }

  bool take_keys() {
    for (int i = 0; i < most_rotations; ++i) {
      const auto name = keys_file(stored_.keys.edition + 1);
      const auto fetched = fetch_(name, largest_keys, "");
      if (fetched.kind == Fetched::Kind::missing) return true;
      if (fetched.kind != Fetched::Kind::got) return refuse(name + ": " + fetched.problem);
      NewKeys fresh{stored_.keys.edition + 1, fetched.bytes, {}};
      if (!get(name + ".minisig", largest_keys, fresh.signatures)) return false;
      auto next = next_keys(stored_.keys, fresh.json, fresh.signatures);
      if (!next.keys) return refuse(name + ' ' + next.problem);
      stored_.keys = std::move(*next.keys);
      new_keys_.push_back(std::move(fresh));
    }
    return refuse("there are too many new keys");
  }

  bool take_index() {
    const bool may_be_known = stored_.index && new_keys_.empty();
    const auto etag = may_be_known ? store_.etag(options_.source) : std::string();
    const auto fetched = fetch_(index_file, largest_index, etag);
    if (fetched.kind == Fetched::Kind::missing) return refuse("index.json is not there");
    if (fetched.kind == Fetched::Kind::failed) return refuse("index.json: " + fetched.problem);
    if (fetched.kind == Fetched::Kind::unchanged && may_be_known) {
      bytes_ = stored_.index_bytes;
      index_ = *stored_.index;
      warn_if_old();
      result_.index = index_;
      return !all_here();  // fetch files that were lost since
    }
    bytes_ = fetched.bytes;
    etag_ = fetched.etag;
    if (!get("index.json.minisig", largest_signature, signature_)) return false;
    const auto verified = verify_minisign(bytes_, signature_, stored_.keys.keys);
    if (!verified.problem.empty()) return refuse("index.json " + verified.problem);
    auto read = read_index(bytes_);
    if (!read.index) return refuse("index.json " + read.problem);
    index_ = std::move(*read.index);
    return judge_index();
  }

  bool judge_index() {
    if (is_older_version(options_.version, index_.needs)) {
      return refuse("these sets need callready " + index_.needs + ", and this is " +
                    options_.version);
    }
    const auto edition = "index.json is edition " + std::to_string(index_.version);
    if (stored_.index && index_.version < stored_.index->version) {
      return refuse(edition + " of " + index_.issued + ", older than edition " +
                    std::to_string(stored_.index->version) + " of " + stored_.index->issued +
                    " that is already here");
    }
    if (index_.version < store_.newest_edition()) {
      return refuse(edition + " of " + index_.issued + ", older than edition " +
                    std::to_string(store_.newest_edition()) + " that was here before");
    }
    const bool same = stored_.index && index_.version == stored_.index->version;
    if (same && bytes_ != stored_.index_bytes) {
      return refuse(edition + " like the one that is already here, with other contents");
    }
    std::size_t all = 0;
    for (const auto& set : index_.sets) all += set.bytes;
    if (all > most_bytes) return refuse("the sets are larger than 32 MB together");
    for (const auto& set : index_.sets) {
      for (const auto& needed : set.head.needs_sets) {
        const bool known =
            index_.find(needed.set) != nullptr || options_.known.index.find(needed.set) != nullptr;
        if (!known) {
          return refuse(set.file() + " needs the set " + needed.set + ", which is not among them");
        }
      }
    }
    warn_if_old();
    result_.index = index_;
    return !(same && new_keys_.empty() && all_here());
  }

  bool all_here() const {
    for (const auto& set : index_.sets) {
      if (!store_.text_of(set)) return false;
    }
    return true;
  }

  void warn_if_old() {
    if (index_.expires >= options_.today) return;
    result_.warnings.push_back("the newest sets there are of " + index_.issued +
                               " and were good until " + index_.expires + ": nobody keeps " +
                               options_.source + " up to date, or someone holds newer ones back");
  }

  bool take_sets() {
    for (const auto& set : index_.sets) {
      if (store_.text_of(set)) continue;
      std::string text;
      const auto* builtin = options_.known.index.find(set.head.id);
      if (builtin != nullptr && builtin->head.sha256 == set.head.sha256) {
        text = options_.known.text_of(*builtin).value_or("");
      } else if (!get(set.file(), set.bytes, text)) {
        return false;
      }
      if (text.size() != set.bytes || sha256_hex(text) != set.head.sha256) {
        return refuse(set.file() + " is not the file that index.json names");
      }
      const auto loaded = load_text(text, set.file(), options_.rules);
      if (!loaded.set) {
        return refuse(loaded.problems.empty() ? set.file() + " cannot be read"
                                              : loaded.problems.front().to_string());
      }
      if (loaded.set->id != set.head.id) {
        return refuse(set.file() + " holds the set " + loaded.set->id);
      }
      texts_[set.head.id] = std::move(text);
    }
    return true;
  }

  // The set of that id that was in use before: downloaded, otherwise built in.
  std::optional<TargetSet> before(const std::string& id) const {
    const auto load = [&](const SetIndex& index, auto&& text_of) -> std::optional<TargetSet> {
      const auto* set = index.find(id);
      const auto text = set != nullptr ? text_of(*set) : std::nullopt;
      return text ? load_text(*text, id, options_.rules).set : std::nullopt;
    };
    if (stored_.index) {
      auto set = load(*stored_.index, [&](const auto& one) { return store_.text_of(one); });
      if (set) return set;
    }
    return load(options_.known.index, options_.known.text_of);
  }

  void tell_changes() {
    for (const auto& set : index_.sets) {
      const auto old = before(set.head.id);
      if (!old) {
        result_.changes.push_back(set.head.id + ": a new set, " + set.head.title);
        continue;
      }
      if (old->sha256 == set.head.sha256) continue;
      const auto here = texts_.find(set.head.id);
      const auto text = here != texts_.end() ? std::optional(here->second) : store_.text_of(set);
      const auto now = text ? load_text(*text, set.head.id, options_.rules).set : std::nullopt;
      if (!now) continue;
      const auto said = changes(*old, *now);
      for (const auto& line : said) result_.changes.push_back(set.head.id + ": " + line);
      if (said.empty()) result_.changes.push_back(set.head.id + ": only words are different");
    }
    if (!stored_.index) return;
    for (const auto& set : stored_.index->sets) {
      if (index_.find(set.head.id) == nullptr) {
        result_.changes.push_back(set.head.id + ": no longer among the sets");
      }
    }
  }

  void keep() {
    tell_changes();
    for (const auto& [id, text] : texts_) {
      if (const auto problem = store_.add_set(*index_.find(id), text)) {
        refuse(*problem);
        return;
      }
    }
    for (const auto& keys : new_keys_) {
      if (const auto problem = store_.add_keys(keys.edition, keys.json, keys.signatures)) {
        refuse(*problem);
        return;
      }
    }
    if (!signature_.empty()) {
      if (const auto problem = store_.replace_index(index_, bytes_, signature_)) {
        refuse(*problem);
        return;
      }
      store_.keep_etag(options_.source, etag_);
    }
    result_.changed = true;
  }

  struct NewKeys {
    int edition;
    std::string json, signatures;
  };

  const SetStore& store_;
  const Fetch& fetch_;
  const UpdateOptions& options_;
  Stored stored_;
  std::vector<NewKeys> new_keys_;
  std::string bytes_, signature_, etag_;
  SetIndex index_;
  std::map<std::string, std::string> texts_;  // by id: those not in the store yet
  UpdateResult result_;
};

}  // namespace

UpdateResult update_sets(const SetStore& store, const Fetch& fetch, const UpdateOptions& options) {
  return Update(store, fetch, options).run();
}

}  // namespace callready
