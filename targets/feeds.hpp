// The vendors' own machine-readable lists of networks and names, read into one structure. Strict:
// members that we need must be present and of the right type; all others are ignored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/target_set.hpp"
#include "targets/problem.hpp"

namespace callready {

enum class FeedKind { m365, zoom, aws, google, azure };
std::optional<FeedKind> parse_feed_kind(std::string_view word);
std::string_view feed_word(FeedKind kind);

// One entry, or several of one kind joined.
struct FeedEntry {
  std::string key;  // what follows "m365/" in a row's `feed`
  std::string note;
  std::vector<std::string> names, wildcards;
  std::vector<Network> networks;
  std::vector<PortRange> tcp, udp;
  std::optional<Priority> priority;
  bool required = true;
};

struct Feed {
  FeedKind kind = FeedKind::m365;
  std::string source;   // the file or the URL
  std::string edition;  // as the list states it; empty if it does not
  std::vector<FeedEntry> entries;

  // All entries of that key and of the keys below it ("AMAZON_CONNECT" has one for each region),
  // joined; every entry for an empty key. Nothing if there is none.
  std::optional<FeedEntry> find(std::string_view key) const;
  bool has_ipv6() const;
};

struct FeedResult {
  std::optional<Feed> feed;
  std::vector<Problem> problems;  // empty if and only if there is a feed
};

// The largest feed, Azure's, is some 4 MB; anything far larger is not a feed.
inline constexpr std::size_t largest_feed = std::size_t{64} * 1024 * 1024;  // bytes

FeedResult read_feed(FeedKind kind, std::string_view text, const std::string& source);

// A new set from a feed alone: one row per entry, to be completed by hand. `today`: YYYY-MM-DD.
// Not for Azure's tags, which are of all that runs there.
std::string set_from_feed(const Feed& feed, std::string_view today);

}  // namespace callready
