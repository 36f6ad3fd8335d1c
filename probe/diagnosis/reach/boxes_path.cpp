// Of several paths out of the site one is dead: lines or links that flows are spread over.
#include <fmt/format.h>

#include <tuple>

#include "probe/diagnosis/reach/boxes.hpp"
#include "probe/diagnosis/reach/clues.hpp"
#include "probe/diagnosis/reach/prior.hpp"

namespace callready::reach {
namespace {

// Fewer show nothing that chance does not.
constexpr std::size_t fewest_lost = 4, fewest_passed = 4;

}  // namespace

void propose_dead_paths(const Clues& clues, Boxes& boxes) {
  using Request = std::tuple<bool, HostId, std::uint16_t, Cargo>;
  for (const auto protocol : {Protocol::any, Protocol::udp, Protocol::tcp}) {
    std::set<Request> passed, lost;
    std::size_t all_passed = 0, all_lost = 0;
    for (const auto event : clues.events) {
      const auto& packet = clues.packet(event);
      const auto seen = clues.seen(event);
      if (!matches(protocol, packet.udp) || holds(clues.sight.resolvers, packet.host)) continue;
      // Over TCP nothing has been read by then.
      const auto cargo = packet.udp ? packet.cargo : Cargo::none;
      const Request request{packet.udp, packet.host, packet.port, cargo};
      if (is_good(seen)) {
        ++all_passed;
        passed.insert(request);
      } else if (seen == Seen::nothing || seen == Seen::dropped) {
        ++all_lost;
        lost.insert(request);
      }
    }
    // The same to one port of one host passes at one time and does not at another: no rule does
    // that.
    const bool any_both =
        std::ranges::any_of(lost, [&](const Request& request) { return passed.contains(request); });
    if (!any_both || all_lost < fewest_lost || all_passed < fewest_passed) continue;
    Box box;
    box.kind = Kind::path;
    box.code = Code::dead_path;
    box.protocol = protocol;
    box.fate = Fate::half;
    box.prior = prior::dead_path + (protocol == Protocol::any ? 0 : prior::one_protocol);
    box.spared_hosts = clues.sight.resolvers;  // they are near
    box.text = fmt::format("of several paths one is dead: half of all {}flows are lost",
                           protocol == Protocol::any   ? ""
                           : protocol == Protocol::udp ? "UDP "
                                                       : "TCP ");
    boxes.push_back(box);
  }
}

}  // namespace callready::reach
