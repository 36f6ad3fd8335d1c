// udp-range: the sampled ports of a media range and how each climbs the ladder of evidence.
#include <algorithm>
#include <cmath>

#include "probe/model/port_order.hpp"
#include "tests/networks/observe.hpp"
#include "tests/networks/words.hpp"

namespace callready::networks {
namespace {

struct Port {
  std::uint16_t number = 0;
  std::string result = "silent";
  std::optional<IpAddress> by;
  bool refined = false;
  bool tried = false;  // something was sent to it
};

bool gets_out(const Port& port) {
  return port.result == "replied" || port.result == "arrived" || port.result == "left_site";
}

bool is_blocked(const Port& port) {
  return port.result == "dropped" || port.result == "prohibited";
}

std::map<std::uint16_t, bool> known_ports(const std::vector<Port>& ports) {
  std::map<std::uint16_t, bool> known;
  for (const auto& port : ports) {
    if (gets_out(port)) known[port.number] = true;
    if (is_blocked(port)) known.try_emplace(port.number, false);
  }
  return known;
}

bool beyond_the_edge(const IpAddress& router) {
  return !router.is_private() && !router.is_link_local() && !router.is_loopback() &&
         !router.is_unspecified();
}

}  // namespace

Seen Observer::udp_range(Job job) {
  Seen seen;
  auto& observation = seen.observation;
  observation.address = job.address;
  observation.attempts = 1;
  const bool to_the_end = job.with("stop_on_the_way") != "true";
  const bool echo = job.with("echo") == "true";
  std::vector<Port> ports;
  bool refused_near = false;
  std::optional<double> shortest;
  double ended = job.at_ms;
  const auto any = packet(job, echo ? Payload::other : Payload::rtp);
  const auto packet_to = [&](std::uint16_t number) {
    auto packet = any;
    packet.port = number;
    packet.from = traffic_.new_port_on_the_way();
    return packet;
  };
  const auto note = [&](Port& port, const Expired& answer) {
    if (answer.kind == Expired::nothing) return;
    port.by = answer.sender;
    if (answer.kind == Expired::expired) {
      port.result = beyond_the_edge(answer.sender) ? "left_site" : "silent";
    } else {
      port.result = "prohibited";
    }
  };
  const auto to_the_far_end = [&](Port& port, double at_ms) {
    if (!to_the_end || job.address.is_special()) return;
    port.tried = true;
    const auto heard = ask_udp(packet_to(port.number), at_ms, echo ? 3 : 1, echo ? 1500 : 500);
    ended = std::max(ended, at_ms + heard.took_ms);
    if (heard.kind == Heard::answer) port.result = "replied";
    if (heard.kind == Heard::prohibited) port.result = "prohibited";
    if (heard.kind == Heard::refused) {
      port.result = heard.sender == job.address ? "arrived" : "prohibited";
    }
    if (heard.kind == Heard::prohibited || heard.kind == Heard::refused) port.by = heard.sender;
    const bool timed = port.result == "replied" || port.result == "arrived";
    if (timed && (!shortest || heard.took_ms < *shortest)) shortest = heard.took_ms;
  };
  const auto climb = [&](Port& port, Need need, double at_ms, double until_ms) {
    auto now = at_ms;
    const auto packet = packet_to(port.number);
    const bool arrived = port.result == "arrived";
    for (int strikes = 0; arrived || port.result == "silent";) {
      const auto asked = strikes > 0 && need != Need::supports ? Need::confirms : need;
      const auto answer = ask_edge(packet, asked, now, until_ms, &job.probe.target.ports);
      port.tried |= answer.asked;
      now = answer.ended_ms;
      ended = std::max(ended, now);
      if (answer.kind == Expired::port_unreachable && answer.sender == job.address) {
        refused_near = true;
        port.result = "prohibited";
        port.by.reset();
      }
      if (port.result != "silent") return;
      if (answer.kind != Expired::nothing) return note(port, answer);
      if (!answer.control_answered) return;
      if (++strikes == 2) port.result = "dropped";
    }
  };
  auto sample = job.probe.target.sample;
  if (sample.empty()) sample.push_back(job.probe.target.port());
  for (const auto number : sample) ports.push_back({number, "silent", {}, false, false});
  observation.local = SocketAddress{traffic_.network().pc, any.from};
  auto until = job.at_ms + 5000;
  // Both steps at once.
  auto& first = *std::max_element(ports.begin(), ports.end(), [&](const Port& a, const Port& b) {
    return far_from_begun(a.number) < far_from_begun(b.number);
  });
  begun_.insert(first.number);
  auto far_end = job.at_ms;
  for (auto& port : ports) to_the_far_end(port, far_end);
  auto now = job.at_ms;
  bool by_this_call = false;
  const auto found = find_way(job.address, first.number, now, by_this_call);
  ended = std::max(ended, now);
  const auto refuser = refused_climb(job.address, first.number);
  first.tried |= by_this_call || refuser;
  if (const auto by = refuser; by && first.result == "silent") {
    first.result = "prohibited";
    first.by = by;
  }
  if (by_this_call && first.result == "silent") {
    first.result = "left_site";
    first.by = found->hop.address;
  }
  const auto take_back = [&] {
    for (auto& port : ports) {
      if (refused_near && port.result == "arrived") port.result = "silent";
    }
  };
  if (found) {
    if (first.result == "silent") {
      climb(first, Need::decides, now, std::max(until, now + 12'000));
    }
    const auto told = std::find_if(ports.begin(), ports.end(),
                                   [](const Port& port) { return port.result == "arrived"; });
    if (told != ports.end()) climb(*told, Need::decides, ended, until);
    take_back();
    const bool suspicious = (first.result != "left_site" &&
                             (first.result != "silent" || !passed(job.probe.target.ports))) ||
                            std::any_of(ports.begin(), ports.end(), [](const Port& port) {
                              return port.result != "silent" && port.result != "left_site";
                            });
    const auto climb_silent = [&](Need need) {
      const auto since = ended;
      std::map<std::uint16_t, Port*> silent;
      std::vector<std::uint16_t> wanted, known;
      for (auto& port : ports) {
        (port.result == "silent" ? wanted : known).push_back(port.number);
        silent[port.number] = &port;
      }
      for (const auto number : farthest_first(std::move(wanted), std::move(known))) {
        climb(*silent[number], need, since, until);
      }
    };
    climb_silent(suspicious ? Need::supports : Need::rounds_off);
    const bool met = std::any_of(ports.begin(), ports.end(), [](const Port& port) {
      return port.result == "dropped" || port.result == "prohibited";
    });
    if (met && !suspicious) climb_silent(Need::supports);
  }
  const auto judge = [&] {
    take_back();
    const bool echoed = std::any_of(ports.begin(), ports.end(),
                                    [](const Port& port) { return port.result == "replied"; });
    for (auto& port : ports) {
      if (echo && echoed && port.result == "silent") port.result = "dropped";
    }
  };
  judge();
  // Between a blocked and an open neighbour, in halves.
  until = ended + 3000;
  std::set<std::uint16_t> tried;
  for (int left = 6; left > 0 && ended < until;) {
    std::vector<std::uint16_t> next;
    const auto known = known_ports(ports);
    for (auto lower = known.begin(); lower != known.end(); ++lower) {
      const auto upper = std::next(lower);
      if (upper == known.end()) break;
      if (lower->second == upper->second || upper->first - lower->first < 2) continue;
      const auto in_vain = tried.upper_bound(lower->first);
      if (in_vain != tried.end() && *in_vain < upper->first) continue;
      next.push_back(static_cast<std::uint16_t>(lower->first + (upper->first - lower->first) / 2));
    }
    if (next.empty()) break;
    if (next.size() > static_cast<std::size_t>(left)) next.resize(static_cast<std::size_t>(left));
    left -= static_cast<int>(next.size());
    tried.insert(next.begin(), next.end());
    const auto from = ports.size();
    const auto begun = ended;
    for (const auto number : next) ports.push_back({number, "silent", {}, true, false});
    for (auto at = from; at < ports.size(); ++at) to_the_far_end(ports[at], begun);
    const auto since = ended;
    for (auto at = from; found && at < ports.size(); ++at) {
      climb(ports[at], Need::supports, since, until);
    }
    judge();
    for (auto at = from; at < ports.size(); ++at) {
      if (ports[at].result != "silent") tried.erase(ports[at].number);
    }
  }
  if (found && passed(job.probe.target.ports)) {
    std::erase_if(ports, [](const Port& port) { return !port.tried; });
  }
  if (ports.empty()) {
    say(observation, Outcome::skipped, "spared");
    seen.ended_ms = seen.first_reply_ms = ended;
    return seen;
  }
  const auto count = [&](auto&& wanted) {
    return static_cast<int>(std::count_if(ports.begin(), ports.end(), wanted));
  };
  const auto count_of = [&](const char* result) {
    return count([&](const Port& port) { return port.result == result; });
  };
  const int all = static_cast<int>(ports.size());
  const int prohibited = count_of("prohibited"), dropped = count_of("dropped");
  const int replied = count_of("replied"), open = count(gets_out);
  if (prohibited > 0) {
    say(observation, Outcome::rejected, prohibited == all ? "prohibited" : "partly_prohibited");
  } else if (dropped > 0) {
    say(observation, Outcome::silent, dropped == all ? "dropped" : "partly_dropped");
  } else if (open > 0) {
    say(observation, replied > 0 ? Outcome::answered : Outcome::passed,
        replied > 0 ? "replied" : "left_site");
  } else {
    say(observation, Outcome::silent, "silent");
  }
  if (shortest) observation.round_trip = Milliseconds(*shortest);
  for (const auto& port : ports) {
    auto& evidence = add(observation, "udp_port",
                         {{"port", number(port.number)}, {"result", text(port.result)}});
    if (port.by) evidence.facts[fact_of("by")] = text(port.by->to_string());
    if (port.refined) evidence.facts[fact_of("refined")] = true;
    if (echo) evidence.facts[fact_of("responder")] = text("echo");
  }
  Evidence* block = nullptr;
  std::optional<std::uint16_t> last_open;
  for (const auto& [port, out] : known_ports(ports)) {
    if (out) {
      if (block != nullptr) block->facts[fact_of("open_after")] = number(port);
      block = nullptr;
      last_open = port;
      continue;
    }
    if (block == nullptr) {
      block = &add(observation, "udp_block", {{"first", number(port)}});
      if (last_open) block->facts[fact_of("open_before")] = number(*last_open);
    }
    block->facts[fact_of("last")] = number(port);
  }
  const int sampled = count([](const Port& port) { return !port.refined; });
  const int proved = count([](const Port& port) { return !port.refined && gets_out(port); });
  add(observation, "udp_sample",
      {{"proved", number(proved)},
       {"sampled", number(sampled)},
       {"ports", number(job.probe.target.ports.count())}});
  seen.ended_ms = seen.first_reply_ms = ended;
  return seen;
}

}  // namespace callready::networks
