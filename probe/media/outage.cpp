#include "probe/media/outage.hpp"

#include <algorithm>
#include <map>

namespace callready::media {
namespace {

using Number = std::uint32_t;

// The same for a silence before the end: a second.
constexpr Number silent_amid = 50;

// The counter of the first reply to each packet.
std::map<Number, Number> answered(std::span<const Reply> replies) {
  std::map<Number, Number> all;
  for (const auto& reply : replies) all.emplace(reply.sequence, reply.counter);
  return all;
}

// How many packets the far end got after the last of these replies; nothing if it counts fewer than
// it has replied to, because it was restarted.
std::optional<Number> got_after(const std::map<Number, Number>& all, const FarEndCount& count) {
  Number replied = 0;
  for (const auto& [sequence, counter] : all) replied = std::max(replied, counter + 1);
  const auto received = static_cast<Number>(std::max(count.received, 0));
  return received >= replied ? std::optional(received - replied) : std::nullopt;
}

// For a silence between two replies: the advance of the reflector's counter says how many it got.
MediaWay way_between(Number silent, Number counted) {
  if (counted * 10 <= silent) return MediaWay::up;
  return counted * 10 >= silent * 9 ? MediaWay::down : MediaWay::both;
}

}  // namespace

bool ends_in_silence(const Asked& asked, Number last, std::span<const Reply> replies,
                     double interval_ms) {
  const auto all = answered(replies);
  if (all.empty()) return false;
  const auto end = all.rbegin()->first;
  const auto silent = last - std::min(last, end);
  const auto took = [](const Reply& reply) { return reply.arrived - reply.sent; };
  const double slowest = took(std::ranges::max(replies, {}, took));
  return end + 1 >= asked.first && is_silence(silent, interval_ms, slowest);
}

void tell_the_end(const Asked& asked, Number last, std::span<const Reply> replies,
                  const FarEndCount& count, Directions& directions) {
  const auto all = answered(replies);
  if (!directions.counted || all.empty() || count.elsewhere > 0) return;
  auto more = got_after(all, count);
  if (!more) return;
  for (auto sequence = all.rbegin()->first + 1; sequence <= last; ++sequence) {
    const bool came = *more > 0;
    if (came) --*more;
    if (!asked.holds(sequence)) continue;
    const auto at = sequence - asked.first;
    if (at >= directions.up.fates.size() || directions.up.fates[at] != Fate::unknown) continue;
    directions.up.fates[at] = came ? Fate::arrived : Fate::lost;
    if (came) directions.down.fates.push_back(Fate::lost);
  }
}

std::optional<MediaOutage> outage_of(const Asked& asked, Number last,
                                     std::span<const Reply> replies, double interval_ms,
                                     const std::optional<FarEndCount>& counted) {
  const auto all = answered(replies);
  if (all.empty()) return std::nullopt;
  MediaOutage outage;
  const auto at = [&](Number sequence) {
    return interval_ms * (static_cast<double>(sequence) - asked.first);
  };
  Number longest = silent_amid - 1;
  for (auto one = all.begin(); std::next(one) != all.end(); ++one) {
    const auto [before, counter] = *one;
    const auto [after, next] = *std::next(one);
    const auto silent = after - before - 1;
    const bool measured =
        after >= asked.first && before < asked.first + static_cast<Number>(asked.count);
    if (silent <= longest || !measured) continue;
    longest = silent;
    outage.from_ms = std::max(0.0, at(before + 1));
    outage.length_ms = at(after) - outage.from_ms;
    outage.way = way_between(silent, next - std::min(next, counter + 1));
  }
  const bool amid = longest >= silent_amid;
  const auto end = all.rbegin()->first;
  // It had come back after a longer one: nobody knows that this one would last.
  const bool may_come_back = amid && last - std::min(last, end) < longest;
  if (may_come_back || !ends_in_silence(asked, last, replies, interval_ms))
    return amid ? std::optional(outage) : std::nullopt;
  outage = {};
  outage.to_the_end = true;
  outage.from_ms = std::max(0.0, at(end + 1));
  outage.length_ms = at(last + 1) - outage.from_ms;
  if (!counted) return outage;
  const auto more = got_after(all, *counted);
  if (counted->elsewhere > 0) {
    outage.moved = true;
  } else if (more) {
    outage.moved = false;
    outage.way = way_between(last - end, *more);
  }
  return outage;
}

}  // namespace callready::media
