// In which direction a packet was lost, according to a reflector's counter.
#include <algorithm>
#include <map>
#include <set>

#include "probe/media/stream_figures.hpp"

namespace callready::media {
namespace {

using Number = std::uint32_t;

// Chooses the unanswered packets that were reflected all the same: `gap` of them, between the
// replies to `before` and to `after`. If there are more to choose from, it is not known which ones,
// so it takes the last.
std::vector<Number> choose(std::set<Number>& unanswered, Number before, Number after,
                           std::size_t gap) {
  std::vector<Number> chosen;
  const auto low = std::min(before, after), high = std::max(before, after);
  while (chosen.size() < gap && !unanswered.empty()) {
    auto nearest = unanswered.lower_bound(high);
    // Inside, otherwise just before, otherwise just after: packets may have overtaken each other.
    if (nearest != unanswered.begin() && *std::prev(nearest) + 1 >= low) {
      --nearest;
    } else if (nearest == unanswered.end()) {
      --nearest;
    }
    chosen.push_back(*nearest);
    unanswered.erase(nearest);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace

Directions tell_apart(const Asked& asked, std::span<const Reply> replies) {
  Directions result;
  std::map<Number, const Reply*> by_counter;   // the first reply with it
  std::map<Number, const Reply*> by_sequence;  // the first to it
  int twice_down = 0, twice_up = 0;
  for (const auto& reply : replies) {
    const bool measured = asked.holds(reply.sequence);
    if (!by_counter.emplace(reply.counter, &reply).second) {
      if (measured) ++twice_down;
      continue;
    }
    if (!by_sequence.emplace(reply.sequence, &reply).second && measured) ++twice_up;
    if (reply.sequence > asked.skipped && reply.counter < reply.sequence) result.counted = true;
  }
  std::set<Number> unanswered;
  for (int i = 0; i < asked.count; ++i) {
    const auto sequence = asked.first + static_cast<Number>(i);
    if (!by_sequence.contains(sequence)) unanswered.insert(sequence);
  }
  result.lost_both_ways = static_cast<int>(unanswered.size());
  if (!result.counted || by_counter.empty()) return result;

  // Lost packets from before and after the measured ones fill gaps in the counter, too.
  const auto last = by_sequence.rbegin()->first;
  for (Number sequence = 0; sequence < last; ++sequence) {
    if (sequence != asked.skipped && !by_sequence.contains(sequence)) unanswered.insert(sequence);
  }
  // The far end's stream: of each of its packets that belongs to a measured one, the reply, or null
  // where it was lost.
  std::vector<const Reply*> far;
  std::set<Number> reflected;
  Number before = 0, next = 0, last_sequence = 0;
  for (const auto& [counter, reply] : by_counter) {
    for (const auto lost : choose(unanswered, before, reply->sequence, counter - next)) {
      if (!asked.holds(lost)) continue;
      far.push_back(nullptr);
      reflected.insert(lost);
    }
    if (asked.holds(reply->sequence)) far.push_back(reply);
    before = reply->sequence;
    next = counter + 1;
    last_sequence = std::max(last_sequence, reply->sequence);
  }

  for (int i = 0; i < asked.count; ++i) {
    const auto sequence = asked.first + static_cast<Number>(i);
    const bool known = sequence <= last_sequence;
    const bool came = by_sequence.contains(sequence) || reflected.contains(sequence);
    result.up.fates.push_back(came ? Fate::arrived : known ? Fate::lost : Fate::unknown);
  }
  std::optional<Number> counted;
  for (std::size_t i = 0; i < far.size(); ++i) {
    const auto* reply = far[i];
    result.down.fates.push_back(reply != nullptr ? Fate::arrived : Fate::lost);
    if (reply == nullptr || by_sequence[reply->sequence] != reply) continue;
    result.up.arrivals.push_back({reply->sequence - asked.first, reply->sent, reply->received});
  }
  // In the order in which the replies came here.
  std::map<const Reply*, Number> place;
  for (std::size_t i = 0; i < far.size(); ++i) {
    if (far[i] != nullptr) place[far[i]] = static_cast<Number>(i);
  }
  for (const auto& reply : replies) {
    if (reply.received_count) counted = std::max(counted.value_or(0), *reply.received_count);
    const auto found = place.find(&reply);
    if (found == place.end()) continue;
    result.down.arrivals.push_back({found->second, reply.reflected, reply.arrived});
  }
  result.down.duplicates = twice_down;
  const auto twice = counted ? *counted - std::min(*counted, next) : static_cast<Number>(twice_up);
  // More than there were packets means that the far end counts what others sent it, too.
  if (twice <= last) result.up.duplicates = static_cast<int>(twice);
  return result;
}

}  // namespace callready::media
