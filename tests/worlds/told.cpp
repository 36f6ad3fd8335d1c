#include "tests/worlds/told.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "probe/util/text.hpp"
#include "tests/worlds/words.hpp"

namespace callready::reach {
namespace {

constexpr std::size_t most_evidence = 4;

bool is_fault(Sign sign) {
  return breaks(sign) || sign == Sign::nat_symmetric || sign == Sign::sip_rewritten;
}

bool fails_in(Works works) { return works == Works::no || works == Works::gone; }

// As the rules name them. The causes of contents are taken over from their rules, with their
// owners.
Owner usual_owner(FindingCode code) {
  using enum FindingCode;
  switch (code) {
    case firewall_rate_limited:
    case firewall_tls_filtered:
      return Owner::security;
    case network_captive_portal:
      return Owner::user;
    case network_loss:
      return Owner::lan;
    case target_outdated:
    case vendor_down:
      return Owner::vendor;
    default:
      return family_of(code) == "dns"     ? Owner::dns
             : family_of(code) == "proxy" ? Owner::proxy
                                          : Owner::network;
  }
}

class Teller {
 public:
  Teller(const Drawn& drawn, const AskedRows& asked) : drawn_(drawn), asked_(asked) {}

  Told make() {
    for (const auto& found : causes_of(drawn_, asked_)) {
      ToldCause cause{found, Owner::network, {}, {}, {}};
      show(cause, worlds_[cause.world]);
      cause.owner = owner_of(cause, worlds_[cause.world]);
      // Names that nobody needs are a note.
      const bool about_names = cause.code == FindingCode::target_outdated ||
                               cause.code == FindingCode::dns_filtered ||
                               cause.code == FindingCode::dns_unreachable;
      if (about_names && cause.explains.empty()) continue;
      result_.causes.push_back(std::move(cause));
    }
    fold_proxy_causes();
    tell_leftovers();
    const auto first = codes_of(worlds_.front());
    for (std::size_t i = 1; i < worlds_.size() && !result_.runner_up; ++i) {
      if (codes_of(worlds_[i]) != first) result_.runner_up = i;
    }
    return std::move(result_);
  }

 private:
  // A proxy that wants a login says that the way leads through it.
  void fold_proxy_causes() {
    auto& causes = result_.causes;
    const auto login = std::ranges::find(causes, FindingCode::proxy_auth_required, &Cause::code);
    const auto way = std::ranges::find(causes, FindingCode::proxy_required, &Cause::code);
    if (login == causes.end() || way == causes.end()) return;
    append(login->explains, way->explains);
    causes.erase(way);
  }

  // If names are found, or a device says no, the line is there.
  Owner owner_of(const ToldCause& cause, const World& world) const {
    if (cause.code != FindingCode::network_offline) return usual_owner(*cause.code.finding);
    const auto& events = sight_.events.flows;
    const bool looked_up = std::ranges::any_of(events, [](const FlowEvent& event) {
      return event.flow.cargo == Cargo::dns && !event.flow.name.empty() &&
             event.seen == Seen::reply;
    });
    const bool device = std::ranges::any_of(world.boxes, [&](auto number) {
      return code_of(boxes_[number], drawn_) == cause.code &&
             (boxes_[number].fate == Fate::refuse || boxes_[number].fate == Fate::forge);
    });
    return looked_up || device ? Owner::network : Owner::provider;
  }

  std::set<Code> codes_of(const World& world) const {
    std::set<Code> codes;
    for (const auto number : world.boxes) codes.insert(code_of(boxes_[number], drawn_));
    return codes;
  }

  // What it makes fail in that world, and what shows it.
  void show(ToldCause& cause, const World& world) const {
    auto without = world, alone = world;
    std::erase_if(without.boxes,
                  [&](auto number) { return code_of(boxes_[number], drawn_) == cause.code; });
    std::erase_if(alone.boxes,
                  [&](auto number) { return code_of(boxes_[number], drawn_) != cause.code; });
    cause.text = alone.boxes.empty() ? fmt::format("about {:.0f} % of packets get lost each way",
                                                   losses[world.loss].share * 100)
                                     : in_words(alone, drawn_);
    for (const auto i : cause.lost) {
      if (cause.evidence.size() >= most_evidence) break;
      const auto gain = bits_in(without, boxes_, sight_, i) - bits_in(world, boxes_, sight_, i);
      const auto& event = sight_.events.flows[i];
      cause.evidence.push_back({event.probe, in_words(event), gain});
    }
    std::set<std::string_view> told_of;  // probes
    for (std::size_t i = 0; i < sight_.events.signs.size(); ++i) {
      const auto& sign = sight_.events.signs[i];
      const bool told = std::ranges::any_of(world.boxes, [&](auto number) {
        return code_of(boxes_[number], drawn_) == cause.code &&
               tells(boxes_[number], sign.sign, sight_.sign_hosts[i]);
      });
      if (told) told_of.insert(sign.probe);
      if (!told || cause.evidence.size() >= most_evidence) continue;
      cause.evidence.push_back(
          {sign.probe, fmt::format("{}: {}", sign.host, to_string(sign.sign)), leak});
    }
    const auto with = works(drawn_, asked_, world), others = works(drawn_, asked_, without);
    const auto by_itself = works(drawn_, asked_, alone);
    const auto& asked = drawn_.asked;
    for (const auto& row : asked_.rows) {
      const bool condition = (row.nat && cause.code == FindingCode::nat_symmetric) ||
                             (row.sip_alg && cause.code == FindingCode::sip_alg);
      const auto told = [&](std::size_t probe) {
        return told_of.contains(asked.probes[probe].result->probe.id);
      };
      const auto its_own = [&](std::size_t probe) {
        return with[probe] == Works::no &&
               (!fails_in(others[probe]) || told(probe) ||
                (fails_in(by_itself[probe]) && !asked.probes[probe].broken));
      };
      const auto& probes = row.probes;
      const bool fails = fails_in(works(asked, row, with)) && !row.spoilt;
      const bool by_it = fails && std::ranges::any_of(probes, its_own);
      // What a resolver says can be a row of its own.
      const bool by_sign =
          row.row->status == Status::fail && !probes.empty() && std::ranges::all_of(probes, told);
      if (condition || by_it || by_sign) {
        cause.explains.push_back(row.set->id + '/' + row.row->id);
      }
    }
  }

  void tell_leftovers() {
    for (const auto i : left_over(drawn_)) {
      const auto& event = sight_.events.flows[i];
      result_.unexplained.push_back({event.probe, in_words(event)});
    }
    for (std::size_t i = 0; i < sight_.events.signs.size(); ++i) {
      const auto& sign = sight_.events.signs[i];
      const bool told = std::ranges::any_of(worlds_.front().boxes, [&](auto number) {
        return tells(boxes_[number], sign.sign, sight_.sign_hosts[i]);
      });
      if (told || !is_fault(sign.sign)) continue;
      result_.unexplained.push_back(
          {sign.probe, fmt::format("{}: {}", sign.host, to_string(sign.sign))});
    }
  }

  const Drawn& drawn_;
  const Sight& sight_ = drawn_.sight;
  const Boxes& boxes_ = drawn_.boxes;
  const std::vector<World>& worlds_ = drawn_.worlds;
  const AskedRows& asked_;
  Told result_;
};

}  // namespace

Told tell(const Drawn& drawn, const AskedRows& asked) { return Teller(drawn, asked).make(); }

}  // namespace callready::reach
