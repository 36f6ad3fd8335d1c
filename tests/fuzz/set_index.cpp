// The index of downloaded sets, and the list of new keys. Both are read only after their signature
// holds; whoever signs may still be wrong.
#include "targets/set_index.hpp"

#include "probe/util/utf8.hpp"
#include "targets/set_store.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/targets/signer.hpp"

namespace callready::fuzz {

namespace {

// A list that two of the known keys have signed, whatever it holds.
void check_keys(const std::string& json) {
  static const test::Signer one(1), two(2);
  static const TrustedKeys known{1, {one.key(), two.key()}};
  const auto next = next_keys(known, json, one.sign(json) + two.sign(json));
  FUZZ_REQUIRE(next.keys.has_value() == next.problem.empty());
  FUZZ_REQUIRE(!next.keys || (next.keys->edition == 2 && next.keys->keys.size() >= 2));
  FUZZ_REQUIRE(!next_keys(known, json, one.sign(json)).keys);
}

}  // namespace

void set_index(Input input) {
  const auto read = read_index(text_of(input));
  FUZZ_REQUIRE(read.index.has_value() == read.problem.empty());
  FUZZ_REQUIRE(!has_control_characters(read.problem));
  check_keys(std::string(text_of(input)));
  if (!read.index) return;
  FUZZ_REQUIRE(read.index->sets.size() <= most_indexed_sets);
  for (const auto& set : read.index->sets) {
    // Its file is in the one folder.
    FUZZ_REQUIRE(set.file().find_first_of("/\\") == std::string::npos);
    FUZZ_REQUIRE(set.bytes <= largest_index);
    FUZZ_REQUIRE(read.index->find(set.head.id) == &set);
  }
  const auto text = write_index(*read.index);
  const auto again = read_index(text);
  FUZZ_REQUIRE(again.index);
  FUZZ_REQUIRE(write_index(*again.index) == text);
}

}  // namespace callready::fuzz
