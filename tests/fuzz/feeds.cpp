// The vendors' own lists of networks, which a user downloads; of every kind, whatever they are.
#include "targets/feeds.hpp"

#include "probe/util/utf8.hpp"
#include "targets/loader.hpp"
#include "targets/refresh.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/targets/rules.hpp"

namespace callready::fuzz {
namespace {

void check_problems(const std::vector<Problem>& problems) {
  for (const auto& problem : problems) {
    FUZZ_REQUIRE(!problem.message.empty());
    FUZZ_REQUIRE(!has_control_characters(problem.to_string()));
  }
}

// What was made from a feed is a set, and up to date with that feed.
void check_set(const Feed& feed) {
  static const auto rules = test::rules();
  const auto text = set_from_feed(feed, "2026-11-21");
  const auto loaded = load_text(text, "new.yaml", rules);
  check_problems(loaded.problems);
  if (!loaded.set) return;
  const auto again = refresh_set(text, "new.yaml", feed, rules);
  FUZZ_REQUIRE(again.problems.empty());
  FUZZ_REQUIRE(again.changes.empty());
}

}  // namespace

void feeds(Input input) {
  for (const auto kind :
       {FeedKind::m365, FeedKind::zoom, FeedKind::aws, FeedKind::google, FeedKind::azure}) {
    const auto read = read_feed(kind, text_of(input), "feed");
    FUZZ_REQUIRE(read.feed.has_value() == read.problems.empty());
    check_problems(read.problems);
    if (!read.feed) continue;
    for (const auto& entry : read.feed->entries) {
      FUZZ_REQUIRE(read.feed->find(entry.key));
      FUZZ_REQUIRE(!has_control_characters(entry.key));
      for (const auto& network : entry.networks) FUZZ_REQUIRE(network.aligned());
      for (const auto& range : entry.tcp) FUZZ_REQUIRE(range.first <= range.last);
      for (const auto& range : entry.udp) FUZZ_REQUIRE(range.first <= range.last);
    }
    if (kind != FeedKind::azure) check_set(*read.feed);
  }
}

}  // namespace callready::fuzz
