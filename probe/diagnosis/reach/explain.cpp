#include "probe/diagnosis/reach/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "probe/util/text.hpp"

namespace callready::reach {
namespace {

constexpr std::size_t most_evidence = 4;
// What the best world leaves over is said from here on.
constexpr Bits is_left_over = bits(9);

bool is_fault(Sign sign) {
  return breaks(sign) || sign == Sign::nat_symmetric || sign == Sign::sip_rewritten;
}

bool fails_in(Works works) { return works == Works::no || works == Works::gone; }

class Explainer {
 public:
  Explainer(const Sight& sight, const Boxes& boxes, const std::vector<World>& worlds,
            const Asked& asked)
      : sight_(sight), boxes_(boxes), worlds_(worlds), asked_(asked) {
    for (const auto& sign : sight.events.signs) {
      proxy_speaks_ |= (bit(sign.sign) & signs_of_proxy) != 0;
    }
  }

  Explained make() {
    collect();
    for (auto& [code, cause] : found_) {
      if (cause.probability < is_worth_saying) continue;
      show(cause, worlds_[cause.world]);
      cause.owner = owner_of(cause, worlds_[cause.world]);
      // Names that nobody needs are a note.
      const bool about_names = code == Code::target_outdated || code == Code::dns_filtered ||
                               code == Code::dns_unreachable;
      if (about_names && cause.explains.empty()) continue;
      result_.causes.push_back(std::move(cause));
    }
    fold_proxy_causes();
    std::ranges::stable_sort(result_.causes, std::greater(), &Cause::sure);
    look_for_leftovers();
    const auto first = codes_of(worlds_.front());
    for (std::size_t i = 1; i < worlds_.size() && !result_.runner_up; ++i) {
      if (codes_of(worlds_[i]) != first) result_.runner_up = i;
    }
    return std::move(result_);
  }

 private:
  // Of the best world that has it.
  void find(Code code, std::size_t world, const std::string& text) {
    const auto [place, fresh] = found_.try_emplace(code);
    if (!fresh) return;
    auto& cause = place->second;
    cause.code = code;
    cause.in_best = world == 0;
    cause.world = world;
    cause.text = text;
  }

  // A way that is shut beside a proxy that speaks is meant to be; without one it is a fault.
  Code code_of(const Box& box) const {
    if (box.code == Code::proxy_required && !proxy_speaks_) return Code::tcp_port_blocked;
    if (box.code == Code::offline && proxy_speaks_) return Code::proxy_required;
    if (box.code == Code::sip_swallowed) return Code::sip_filtered;
    if (box.code == Code::destination_silent) return Code::destination_blocked;
    return box.code == Code::flow_silent ? Code::flow_blocked : box.code;
  }

  // A proxy that wants a login says that the way leads through it.
  void fold_proxy_causes() {
    auto& causes = result_.causes;
    const auto login = std::ranges::find(causes, Code::proxy_login, &Cause::code);
    const auto way = std::ranges::find(causes, Code::proxy_required, &Cause::code);
    if (login == causes.end() || way == causes.end()) return;
    append(login->explains, way->explains);
    causes.erase(way);
  }

  // Where names are found, or a device says no, it is not the line that is missing.
  Owner owner_of(const Cause& cause, const World& world) const {
    if (cause.code != Code::offline) return words_of(cause.code).owner;
    const auto& events = sight_.events.flows;
    const bool looked_up = std::ranges::any_of(events, [](const FlowEvent& event) {
      return event.flow.cargo == Cargo::dns && !event.flow.name.empty() &&
             event.seen == Seen::reply;
    });
    const bool device = std::ranges::any_of(world.boxes, [&](auto number) {
      return code_of(boxes_[number]) == cause.code &&
             (boxes_[number].fate == Fate::refuse || boxes_[number].fate == Fate::forge);
    });
    return looked_up || device ? Owner::network : Owner::provider;
  }

  // Whether anything that a row needs meets it; else it is a note.
  bool hurts(const Box& box) const {
    const auto any_row = [&](auto asks) {
      return std::ranges::any_of(asked_.rows, [&](const AskedRow& row) {
        return row.row->severity != Severity::optional && asks(row);
      });
    };
    if (box.code == Code::nat_symmetric) return any_row([](const auto& row) { return row.nat; });
    if (box.code == Code::sip_alg) return any_row([](const auto& row) { return row.sip_alg; });
    if (box.kind == Kind::fact || box.kind == Kind::limit || box.kind == Kind::ban) return true;
    return std::ranges::any_of(asked_.packets, [&](const Packet& packet) {
      const auto fate = fate_of(box, packet);
      return loses(fate) || is_chance(fate);
    });
  }

  std::set<Code> codes_of(const World& world) const {
    std::set<Code> codes;
    for (const auto number : world.boxes) codes.insert(code_of(boxes_[number]));
    return codes;
  }

  // What the best world says is true in all worlds that have that cause, or a wider rule.
  void collect() {
    std::map<std::uint32_t, bool> useful;
    const auto is_useful = [&](std::uint32_t number) {
      const auto [known, fresh] = useful.try_emplace(number);
      if (fresh) known->second = hurts(boxes_[number]) && code_of(boxes_[number]) != Code::none;
      return known->second;
    };
    for (std::size_t i = 0; i < worlds_.size(); ++i) {
      for (const auto number : worlds_[i].boxes) {
        const auto& box = boxes_[number];
        if (is_useful(number)) find(code_of(box), i, box.text);
      }
      const auto share = losses[worlds_[i].loss].share;
      if (share < is_a_cause) continue;
      find(Code::loss, i, fmt::format("about {:.0f} % of packets get lost each way", share * 100));
    }
    for (auto& [code, found] : found_) {
      std::vector<std::uint32_t> own;  // the best world's boxes of that code
      for (const auto number : worlds_.front().boxes) {
        if (code_of(boxes_[number]) == code) own.push_back(number);
      }
      for (const auto& world : worlds_) {
        bool any = code == Code::loss && losses[world.loss].share >= is_a_cause, sure = any;
        for (const auto number : world.boxes) {
          const auto& box = boxes_[number];
          const bool wider = !own.empty() && std::ranges::all_of(own, [&](auto one) {
            return is_wider(box, boxes_[one]);
          });
          const bool its = wider || (code_of(box) == code && is_useful(number));
          any |= its;
          sure |= its && words_of(box.code).most > 0;
        }
        found.probability += any ? world.probability : 0;
        found.sure += sure ? world.probability : 0;
      }
      found.sure = std::min(found.sure, words_of(code).most);
    }
  }

  // What fails by it in that world, and the events that are dearer without it.
  void show(Cause& cause, const World& world) {
    auto without = world;
    std::erase_if(without.boxes,
                  [&](auto number) { return code_of(boxes_[number]) == cause.code; });
    const auto& events = sight_.events.flows;
    std::vector<std::pair<Bits, std::size_t>> gains;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const auto here = fate_in(world, boxes_, sight_, i);
      if (!here.met() || code_of(boxes_[here.box]) != cause.code) continue;
      const auto gain = bits_in(without, boxes_, sight_, i) - bits_in(world, boxes_, sight_, i);
      if (gain > 0) gains.emplace_back(-gain, i);
    }
    std::ranges::stable_sort(gains);
    for (const auto& [negative, i] : gains) cause.lost.push_back(events[i].probe);
    if (gains.size() > most_evidence) gains.resize(most_evidence);
    for (const auto& [negative, i] : gains) {
      cause.evidence.push_back({events[i].probe, in_words(events[i]), -negative});
    }
    std::set<std::string_view> told_of;  // probes
    for (std::size_t i = 0; i < sight_.events.signs.size(); ++i) {
      const auto& sign = sight_.events.signs[i];
      const bool told = std::ranges::any_of(world.boxes, [&](auto number) {
        return code_of(boxes_[number]) == cause.code &&
               tells(boxes_[number], sign.sign, sight_.sign_hosts[i]);
      });
      if (told) told_of.insert(sign.probe);
      if (!told || cause.evidence.size() >= most_evidence) continue;
      cause.evidence.push_back(
          {sign.probe, fmt::format("{}: {}", sign.host, to_string(sign.sign)), leak});
    }
    auto alone = world;
    std::erase_if(alone.boxes, [&](auto number) { return code_of(boxes_[number]) != cause.code; });
    const auto with = probes_in(world), others = probes_in(without), by_itself = probes_in(alone);
    for (const auto& row : asked_.rows) {
      const bool condition = (row.nat && cause.code == Code::nat_symmetric) ||
                             (row.sip_alg && cause.code == Code::sip_alg);
      const auto told = [&](std::size_t probe) {
        return told_of.contains(asked_.probes[probe].result->probe.id);
      };
      const auto its_own = [&](std::size_t probe) {
        return with[probe] == Works::no &&
               (!fails_in(others[probe]) || told(probe) ||
                (fails_in(by_itself[probe]) && !asked_.probes[probe].broken));
      };
      const auto& probes = row.probes;
      const bool fails = fails_in(works(asked_, row, with)) && !row.spoilt;
      const bool by_it = fails && std::ranges::any_of(probes, its_own);
      // What a resolver says is a row of its own.
      const bool by_sign =
          row.row->status == Status::fail && !probes.empty() && std::ranges::all_of(probes, told);
      if (condition || by_it || by_sign) {
        cause.explains.push_back(row.set->id + '/' + row.row->id);
      }
    }
  }

  std::vector<Works> probes_in(const World& world) const {
    const auto fates = fates_asked(asked_, world, boxes_);
    std::vector<Works> probes;
    for (const auto& probe : asked_.probes) {
      probes.push_back(works(probe, fates, world, boxes_));
    }
    return probes;
  }

  void look_for_leftovers() {
    const auto& best = worlds_.front();
    for (std::size_t i = 0; i < sight_.events.flows.size(); ++i) {
      const auto& event = sight_.events.flows[i];
      const auto price = bits_in(best, boxes_, sight_, i);
      const bool met = fate_in(best, boxes_, sight_, i).met();
      const bool said = event.control || met || event.seen == Seen::dropped;
      if (!said && price >= is_left_over) {
        result_.unexplained.push_back({event.probe, in_words(event), price});
      }
    }
    for (std::size_t i = 0; i < sight_.events.signs.size(); ++i) {
      const auto& sign = sight_.events.signs[i];
      const bool told = std::ranges::any_of(best.boxes, [&](auto number) {
        return tells(boxes_[number], sign.sign, sight_.sign_hosts[i]);
      });
      if (told || !is_fault(sign.sign)) continue;
      result_.unexplained.push_back(
          {sign.probe, fmt::format("{}: {}", sign.host, to_string(sign.sign)), leak});
    }
  }

  const Sight& sight_;
  const Boxes& boxes_;
  const std::vector<World>& worlds_;
  const Asked& asked_;
  bool proxy_speaks_ = false;
  std::map<Code, Cause> found_;
  Explained result_;
};

}  // namespace

Explained explain(const Sight& sight, const Boxes& boxes, const std::vector<World>& worlds,
                  const Asked& asked) {
  return Explainer(sight, boxes, worlds, asked).make();
}

std::string in_words(const World& world, const Boxes& boxes) {
  std::string text;
  for (const auto number : world.boxes) {
    text += (text.empty() ? "" : " + ") + boxes[number].text;
  }
  return text.empty() ? "nothing wrong" : text;
}

std::string in_words(const FlowEvent& event) {
  const auto& flow = event.flow;
  auto text = fmt::format("{} {} {} to {}", flow.udp ? "UDP" : "TCP", flow.port,
                          to_string(flow.cargo), flow.host);
  if (event.ends_early) text += ", as far as the last router";
  text += fmt::format(": {}", to_string(event.seen));
  if (event.seen == Seen::sample)
    return text + fmt::format(" {} of {}", event.answered, event.sent);
  if (event.sent > 1) text += fmt::format(", sent {} times", event.sent);
  return text;
}

}  // namespace callready::reach
