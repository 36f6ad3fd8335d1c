#include "probe/diagnosis/reach/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace callready::reach {
namespace {

// What the best world leaves over is said from here on.
constexpr Bits is_left_over = bits(9);

class Explainer {
 public:
  Explainer(const Sight& sight, const Boxes& boxes, const std::vector<World>& worlds,
            const Asked& asked)
      : sight_(sight),
        boxes_(boxes),
        worlds_(worlds),
        asked_(asked),
        proxy_speaks_(proxy_speaks(sight.events)) {}

  Explained make() {
    collect();
    Explained result;
    for (auto& [code, cause] : found_) {
      if (cause.probability < is_worth_saying) continue;
      cause.lost = lost_by(cause);
      result.causes.push_back(std::move(cause));
    }
    std::ranges::stable_sort(result.causes, std::greater(), &Cause::sure);
    result.unexplained = leftovers();
    return result;
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

  Code code_of(const Box& box) const { return reach::code_of(box, proxy_speaks_); }

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

  std::vector<std::size_t> lost_by(const Cause& cause) const {
    const auto& world = worlds_[cause.world];
    auto without = world;
    std::erase_if(without.boxes,
                  [&](auto number) { return code_of(boxes_[number]) == cause.code; });
    std::vector<std::pair<Bits, std::size_t>> gains;
    for (std::size_t i = 0; i < sight_.events.flows.size(); ++i) {
      const auto here = fate_in(world, boxes_, sight_, i);
      if (!here.met() || code_of(boxes_[here.box]) != cause.code) continue;
      const auto gain = bits_in(without, boxes_, sight_, i) - bits_in(world, boxes_, sight_, i);
      if (gain > 0) gains.emplace_back(-gain, i);
    }
    std::ranges::stable_sort(gains);
    std::vector<std::size_t> lost;
    for (const auto& [negative, i] : gains) lost.push_back(i);
    return lost;
  }

  std::vector<std::size_t> leftovers() const {
    const auto& best = worlds_.front();
    std::vector<std::size_t> left;
    for (std::size_t i = 0; i < sight_.events.flows.size(); ++i) {
      const auto& event = sight_.events.flows[i];
      const bool met = fate_in(best, boxes_, sight_, i).met();
      const bool said = event.control || met || event.seen == Seen::dropped;
      if (!said && bits_in(best, boxes_, sight_, i) >= is_left_over) left.push_back(i);
    }
    return left;
  }

  const Sight& sight_;
  const Boxes& boxes_;
  const std::vector<World>& worlds_;
  const Asked& asked_;
  bool proxy_speaks_;
  std::map<Code, Cause> found_;
};

}  // namespace

bool proxy_speaks(const FlowEvents& events) {
  return std::ranges::any_of(
      events.signs, [](const auto& sign) { return (bit(sign.sign) & signs_of_proxy) != 0; });
}

// A way that is shut beside a proxy that speaks is meant to be; without one it is a fault.
Code code_of(const Box& box, bool beside_proxy) {
  if (box.code == Code::proxy_required && !beside_proxy) return Code::tcp_port_blocked;
  if (box.code == Code::offline && beside_proxy) return Code::proxy_required;
  if (box.code == Code::sip_swallowed) return Code::sip_filtered;
  if (box.code == Code::destination_silent) return Code::destination_blocked;
  return box.code == Code::flow_silent ? Code::flow_blocked : box.code;
}

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
