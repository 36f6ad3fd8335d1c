// Every seed, and every input that once broke something, through its target; then what is near it:
// cut short at every length, and each byte changed. No coverage guides this: script/fuzz does that.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz.hpp"
#include "tests/support/source_folder.hpp"

namespace callready::fuzz {
namespace {

struct Target {
  const char* name;
  void (*run)(Input);
};

#define CALLREADY_FUZZ_ROW(name) {#name, &name},
const Target all_targets[] = {CALLREADY_FUZZ_TARGETS(CALLREADY_FUZZ_ROW)};
#undef CALLREADY_FUZZ_ROW

// A larger seed is replayed whole, and cut and changed in this many places.
constexpr std::size_t most_places = 60;

// Where a target's seeds are; script/fuzz knows the same folders.
std::vector<std::string> folders_of(const std::string& name) {
  std::vector<std::string> folders;
  if (name == "report") folders = {"tests/golden/reports"};
  if (name == "target_set") folders = {"tests/targets/good", "tests/targets/bad"};
  folders.push_back("tests/fuzz/seeds/" + name);
  return folders;
}

std::vector<std::vector<std::uint8_t>> seeds_of(const std::string& name) {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (const auto& folder : folders_of(name)) {
    const auto path = std::filesystem::path(test::source_folder()) / folder;
    if (!std::filesystem::exists(path)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      std::ifstream file(entry.path(), std::ios::binary);
      seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  return seeds;
}

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, SeedsAndTheirNeighbours) {
  const auto& target = GetParam();
  const auto seeds = seeds_of(target.name);
  ASSERT_FALSE(seeds.empty()) << "no seeds in " << folders_of(target.name).back();
  target.run({});
  for (const auto& seed : seeds) {
    target.run(seed);
    const std::size_t step = 1 + seed.size() / most_places;
    for (std::size_t at = 0; at < seed.size(); at += step) {
      target.run(Input(seed).first(at));
      auto changed = seed;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ (at % 2 == 0 ? 0xFF : 0x01));
      target.run(changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(all_targets),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace callready::fuzz
