#include "probe/diagnosis/reach/search.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace callready::reach {
namespace {

// What a box does to an event.
struct Hit {
  std::uint32_t event;  // in the order of Sight: flows, then signs
  Fate fate;
};
using Hits = std::vector<std::vector<Hit>>;  // by box

// Flow events by what most boxes name: a box meets only a few of thousands.
struct Index {
  std::map<HostId, EventIds> by_host;  // and by the names in greetings
  std::map<std::uint16_t, EventIds> by_port;
  EventIds all;

  explicit Index(const Sight& sight) {
    for (std::uint32_t i = 0; i < sight.packets.size(); ++i) {
      const auto& packet = sight.packets[i];
      all.push_back(i);
      by_host[packet.host].push_back(i);
      if (packet.name != packet.host) by_host[packet.name].push_back(i);
      by_port[packet.port].push_back(i);
    }
  }

  // Those that the box can act on, and perhaps more, ascending.
  EventIds may_meet(const Box& box) const {
    EventIds events;
    const auto add = [&](const auto& index, const auto& key) {
      const auto found = index.find(key);
      if (found == index.end()) return;
      events.insert(events.end(), found->second.begin(), found->second.end());
    };
    if (!box.hosts.empty()) {
      for (const auto host : box.hosts) add(by_host, host);
    } else if (!box.ports.empty() && std::ranges::all_of(box.ports, &PortRange::single)) {
      for (const auto& range : box.ports) add(by_port, range.first);
    } else {
      return all;
    }
    std::ranges::sort(events);
    events.erase(std::unique(events.begin(), events.end()), events.end());
    return events;
  }
};

Hits hits_of(const Sight& sight, const Boxes& boxes) {
  Hits hits(boxes.size());
  const Index index(sight);
  const auto& signs = sight.events.signs;
  for (std::size_t number = 0; number < boxes.size(); ++number) {
    const auto& box = boxes[number];
    for (const auto event : index.may_meet(box)) {
      const auto fate = fate_of(box, sight.packets[event]);
      if (fate != Fate::pass) hits[number].push_back({event, fate});
    }
    if (box.explains == 0) continue;
    for (std::uint32_t i = 0; i < signs.size(); ++i) {
      const auto event = static_cast<std::uint32_t>(sight.packets.size()) + i;
      // Signs are not contested: if several boxes explain one, any will do.
      if (tells(box, signs[i].sign, sight.sign_hosts[i])) {
        hits[number].push_back({event, Fate::carry});
      }
    }
  }
  return hits;
}

// True for signs that are not faults in themselves.
bool is_note(Sign sign) {
  return sign == Sign::full_size || sign == Sign::public_knows || sign == Sign::public_denies ||
         sign == Sign::proxy_works || sign == Sign::dns_direct;
}

// The cost of each event under each fate: looked up once.
class Costs {
 public:
  Costs(const Sight& sight, double loss) : events_(sight.size()), costs_(events_ * fate_count) {
    const auto& events = sight.events;
    auto* cost = costs_.data();
    for (const auto& event : events.flows) {
      for (std::size_t fate = 0; fate < fate_count; ++fate) {
        *cost++ = bits_of(event, events.slow_line, static_cast<Fate>(fate), loss);
      }
    }
    for (const auto& sign : events.signs) {
      *cost = is_note(sign.sign) ? 0 : leak;  // once explained: nothing
      cost += fate_count;
    }
  }

  // A sign is explained (any fate but `pass`), or it is not.
  Bits cost(std::size_t event, Fate fate) const {
    return costs_[event * fate_count + static_cast<std::size_t>(fate)];
  }
  Bits cost(std::size_t event, const Met& met) const {
    return cost(event, met.fate) + bits_of_path(met);
  }
  // Which of two fates fits that event better; if both do equally well, the lower enumerator.
  auto fits(std::size_t event) const {
    return [this, event](Fate one, Fate other) {
      return std::pair(cost(event, one), one) <= std::pair(cost(event, other), other);
    };
  }
  std::size_t events() const { return events_; }

 private:
  std::size_t events_;
  std::vector<Bits> costs_;
};

// A world that may grow, with what becomes of each event, and what that costs.
struct Layer {
  World world;
  std::vector<Meeting> fates;
  std::vector<Bits> costs;
};

struct Child {
  Bits cost = 0;
  std::vector<std::uint32_t> boxes;  // ascending
  std::size_t parent = 0;
  std::uint32_t box = 0;  // the new one

  friend bool operator<(const Child& one, const Child& other) {
    return std::tie(one.cost, one.boxes) < std::tie(other.cost, other.boxes);
  }
};

class Search {
 public:
  Search(const Boxes& boxes, const Hits& hits, const Costs& costs, std::size_t loss,
         const SearchLimits& limits)
      : boxes_(boxes), hits_(hits), costs_(costs), loss_(loss), limits_(limits) {}

  std::vector<World> run() {
    const World clean{{}, cost_of({}), loss_};
    std::vector<World> all{clean};
    std::vector<Layer> layer{{clean, std::vector<Meeting>(costs_.events()), {}}};
    for (std::size_t i = 0; i < costs_.events(); ++i) {
      layer.front().costs.push_back(costs_.cost(i, Fate::pass));
    }
    for (std::size_t size = 0; size < limits_.boxes && !layer.empty(); ++size) {
      layer = grow(layer);
      for (const auto& one : layer) all.push_back(one.world);
    }
    std::ranges::stable_sort(all, {}, &World::cost);
    // The clean world is never idle, so there is always one.
    std::vector<World> kept;
    for (auto& world : all) {
      if (!kept.empty() && world.cost > kept.front().cost + limits_.slack) break;
      if (!has_an_idle_box(world)) kept.push_back(std::move(world));
    }
    return kept;
  }

  std::size_t looked_at = 0;

 private:
  Met met(std::uint32_t box, Fate fate) const { return {fate, place_of(boxes_[box], fate), box}; }

  Bits cost_of(const std::vector<std::uint32_t>& boxes) const {
    auto cost = losses[loss_].prior;
    std::vector<Meeting> meetings(costs_.events());
    for (const auto box : boxes) {
      cost += boxes_[box].prior;
      for (const auto& [event, fate] : hits_[box]) {
        meetings[event].add(met(box, fate), costs_.fits(event));
      }
    }
    for (std::size_t i = 0; i < meetings.size(); ++i) {
      cost += costs_.cost(i, meetings[i].outcome(costs_.fits(i)));
    }
    return cost;
  }

  // True for a box that would earn its place if all that it acts on cost nothing any more.
  bool may_gain(const Layer& parent, std::uint32_t box) const {
    auto left = boxes_[box].prior + limits_.gain;
    return std::ranges::any_of(hits_[box], [&](const Hit& hit) {
      left -= parent.costs[hit.event];
      return left <= 0;
    });
  }

  // Its cost with that box added.
  Bits cost_with(const Layer& parent, std::uint32_t box) const {
    auto cost = parent.world.cost + boxes_[box].prior;
    for (const auto& [event, fate] : hits_[box]) {
      const auto fits = costs_.fits(event);
      auto meeting = parent.fates[event];
      meeting.add(met(box, fate), fits);
      cost += costs_.cost(event, meeting.outcome(fits)) - parent.costs[event];
    }
    return cost;
  }

  std::vector<Layer> grow(const std::vector<Layer>& layer) {
    // A child costs the same whichever parent it is found from, so it is in here once.
    std::set<Child> grown;
    for (std::size_t parent = 0; parent < layer.size(); ++parent) {
      const auto& world = layer[parent].world;
      for (std::uint32_t box = 0; box < boxes_.size(); ++box) {
        if (!may_gain(layer[parent], box)) continue;
        const auto place = std::lower_bound(world.boxes.begin(), world.boxes.end(), box);
        if (place != world.boxes.end() && *place == box) continue;
        const auto cost = cost_with(layer[parent], box);
        ++looked_at;
        if (cost > world.cost - limits_.gain) continue;  // it has to earn its place
        Child child{cost, world.boxes, parent, box};
        child.boxes.insert(child.boxes.begin() + (place - world.boxes.begin()), box);
        if (grown.size() == limits_.beam && !(child < *grown.rbegin())) continue;
        grown.insert(std::move(child));
        if (grown.size() > limits_.beam) grown.erase(std::prev(grown.end()));
      }
    }
    std::vector<Layer> next;
    for (const auto& child : grown) {
      auto made = layer[child.parent];
      made.world.boxes = child.boxes;
      made.world.cost = child.cost;
      for (const auto& [event, fate] : hits_[child.box]) {
        const auto fits = costs_.fits(event);
        made.fates[event].add(met(child.box, fate), fits);
        made.costs[event] = costs_.cost(event, made.fates[event].outcome(fits));
      }
      next.push_back(std::move(made));
    }
    return next;
  }

  // True if it can do without one of its boxes. (Otherwise hundreds of pointless boxes would share
  // the probability.)
  bool has_an_idle_box(const World& world) const {
    if (world.boxes.size() < 2) return false;
    return std::ranges::any_of(world.boxes, [&](std::uint32_t left_out) {
      auto rest = world.boxes;
      std::erase(rest, left_out);
      return cost_of(rest) < world.cost + limits_.gain;
    });
  }

  const Boxes& boxes_;
  const Hits& hits_;
  const Costs& costs_;
  const std::size_t loss_;
  const SearchLimits& limits_;
};

// What retransmissions and samples alone say about the loss.
Bits cost_of_replies(const Sight& sight, const Loss& loss) {
  auto cost = loss.prior;
  for (const auto& event : sight.events.flows) {
    const bool counts = event.seen == Seen::reply || event.seen == Seen::talk ||
                        event.seen == Seen::open || event.seen == Seen::sample;
    if (counts) cost += bits_of(event, sight.events.slow_line, Fate::pass, loss.share);
  }
  return cost;
}

// Worlds that say the same count as the best of them, not as their sum: otherwise the family with
// the most variants would win.
void unite(std::vector<World>& worlds, const Boxes& boxes, const std::vector<Packet>& asked) {
  using Closed = std::vector<bool>;  // of the packets that people want to send
  std::map<std::uint32_t, Closed> by_box;
  using Words = std::tuple<std::set<Code>, Closed, bool, bool>;
  std::set<Words> said;
  std::erase_if(worlds, [&](const World& world) {
    const auto share = losses[world.loss].share;
    Words words{{}, Closed(asked.size()), share >= explains_one_failure, share >= is_a_cause};
    for (const auto number : world.boxes) {
      const auto& box = boxes[number];
      std::get<0>(words).insert(box.code);
      const auto [closed, fresh] = by_box.try_emplace(number);
      for (std::size_t i = 0; i < asked.size(); ++i) {
        if (fresh) closed->second.push_back(fate_of(box, asked[i]) != Fate::pass);
        if (closed->second[i]) std::get<1>(words)[i] = true;
      }
    }
    return !said.insert(std::move(words)).second;
  });
}

}  // namespace

Found search(const Sight& sight, const Boxes& boxes, const std::vector<Packet>& asked,
             const SearchLimits& limits) {
  Found found;
  std::vector<Bits> by_replies;
  for (const auto& loss : losses) by_replies.push_back(cost_of_replies(sight, loss));
  const auto least = std::ranges::min(by_replies);
  const auto hits = hits_of(sight, boxes);
  for (std::size_t loss = 0; loss < losses.size(); ++loss) {
    if (loss > 0 && by_replies[loss] > least + limits.loss_slack) continue;
    const Costs costs(sight, losses[loss].share);
    Search one(boxes, hits, costs, loss, limits);
    auto worlds = one.run();
    found.looked_at += one.looked_at;
    std::move(worlds.begin(), worlds.end(), std::back_inserter(found.worlds));
  }
  auto& worlds = found.worlds;
  std::ranges::sort(worlds, [](const World& one, const World& other) {
    return std::tie(one.cost, one.loss, one.boxes) < std::tie(other.cost, other.loss, other.boxes);
  });
  const auto best = worlds.front().cost;
  std::erase_if(worlds, [&](const World& world) { return world.cost > best + limits.slack; });
  unite(worlds, boxes, asked);
  double total = 0;
  for (auto& world : worlds) {
    world.probability = std::exp2(static_cast<double>(best - world.cost) / one_bit);
    total += world.probability;
  }
  for (auto& world : worlds) world.probability /= total;
  return found;
}

}  // namespace callready::reach
