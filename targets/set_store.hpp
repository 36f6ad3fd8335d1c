// The sets that `callready update` downloaded, in the user's data folder:
//   signed          the index as it was signed: the four lines of its signature, then its bytes
//   keys-N.json     each later edition of the keys, with keys-N.json.minisig
//   ID-HASH.yaml    the sets; HASH is the beginning of their SHA-256
//   etag            the index's source, and the ETag that it had there
// `signed` is replaced last and atomically, so that an interruption leaves the old sets intact.
// Everything is verified again at each start: the raw bytes first, before they are parsed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "targets/catalog.hpp"
#include "targets/minisign.hpp"
#include "targets/set_index.hpp"

namespace callready {

// Whose indexes are accepted. Any one key can sign an index; it takes two to name the next keys.
struct TrustedKeys {
  int edition = 1;
  std::vector<MinisignKey> keys;
};

// The keys built into the program: -D CALLREADY_UPDATE_KEYS; none by default.
TrustedKeys builtin_keys();
// The default source of updates: -D CALLREADY_UPDATE_URL; "" if not set.
std::string_view builtin_update_url();

// The keys of the next edition if two of the known ones have signed them, otherwise what is wrong.
struct KeysResult {
  std::optional<TrustedKeys> keys;
  std::string problem;
};
KeysResult next_keys(const TrustedKeys& known, std::string_view json_text,
                     std::string_view signatures);
std::string keys_file(int edition);                     // "keys-2.json"
inline constexpr std::size_t largest_keys = 16 * 1024;  // bytes
inline constexpr int most_rotations = 32;

// Writes a file whole or not at all; returns the error in words, or nothing.
using WriteFile =
    std::function<std::optional<std::string>(const std::string& path, const std::string& content)>;

struct Stored {
  TrustedKeys keys;
  std::optional<SetIndex> index;  // nothing: nothing was downloaded, or it cannot be trusted
  std::string index_bytes;
  std::string problem;  // in words; empty if all is well, or nothing was downloaded
};

class SetStore {
 public:
  // `folder` need not exist: "" is none. `write` may be empty where nothing will be written.
  SetStore(std::string folder, TrustedKeys keys, WriteFile write = {})
      : folder_(std::move(folder)), keys_(std::move(keys)), write_(std::move(write)) {}

  Stored read() const;

  // The set's file, if its bytes match the index.
  std::optional<std::string> text_of(const IndexedSet& set) const;

  // Each returns the error in words, or nothing.
  std::optional<std::string> add_keys(int edition, const std::string& json_text,
                                      const std::string& signatures) const;
  std::optional<std::string> add_set(const IndexedSet& set, const std::string& yaml_text) const;
  // The last step of an update; then removes what the new index does not name.
  std::optional<std::string> replace_index(const SetIndex& index, const std::string& index_bytes,
                                           const std::string& signature) const;

  // The newest edition that was ever here, even if its index was lost; 0: none.
  int newest_edition() const;

  std::string etag(const std::string& source) const;
  void keep_etag(const std::string& source, const std::string& etag) const;

  // For the catalog; nothing if there is none that can be trusted. `problem`: why.
  std::optional<SetCollection> collection(std::string& problem) const;

 private:
  std::optional<std::string> load(const std::string& name, std::size_t most) const;
  std::optional<std::string> save(const std::string& name, const std::string& content) const;

  std::string folder_;
  TrustedKeys keys_;
  WriteFile write_;
};

}  // namespace callready
