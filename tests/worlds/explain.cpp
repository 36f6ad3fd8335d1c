#include "tests/worlds/explain.hpp"

#include <algorithm>
#include <functional>

namespace callready::reach {
namespace {

// Nobody knows who sent a refusal: a cause that rests on one is never surer than this.
constexpr double most_of_a_refusal = .98;

class Explainer {
 public:
  Explainer(const Drawn& drawn, const AskedRows& asked) : drawn_(drawn) {
    for (const auto& row : asked.rows) {
      const bool matters = row.row->severity != Severity::optional;
      asks_nat_ |= matters && row.nat;
      asks_sip_alg_ |= matters && row.sip_alg;
    }
  }

  std::vector<Cause> make() {
    collect();
    std::vector<Cause> causes;
    for (auto& [code, cause] : found_) {
      if (cause.probability < is_worth_saying) continue;
      cause.lost = dearer_without(drawn_, worlds_[cause.world],
                                  [&](const Box& box) { return code_of(box, drawn_) == code; });
      causes.push_back(std::move(cause));
    }
    std::ranges::stable_sort(causes, std::greater(), &Cause::sure);
    return causes;
  }

 private:
  // Notes the best world that has it.
  void find(Code code, std::size_t world) {
    found_.try_emplace(code, Cause{.code = code, .in_best = world == 0, .world = world});
  }

  // Whether it hurts anything that a row needs; otherwise it is only a note.
  bool hurts(const Box& box) const {
    if (box.code == FindingCode::nat_symmetric) return asks_nat_;
    if (box.code == FindingCode::sip_alg) return asks_sip_alg_;
    if (box.kind == Kind::fact || box.kind == Kind::limit || box.kind == Kind::ban) return true;
    return hurts_rows(box, drawn_.asked);
  }

  // What the best world says also holds in all worlds with that cause, or with a wider rule.
  void collect() {
    std::map<std::uint32_t, bool> useful;
    const auto is_useful = [&](std::uint32_t number) {
      const auto [known, fresh] = useful.try_emplace(number);
      if (fresh) known->second = hurts(boxes_[number]) && code_of(boxes_[number], drawn_).finding;
      return known->second;
    };
    for (std::size_t i = 0; i < worlds_.size(); ++i) {
      for (const auto number : worlds_[i].boxes) {
        if (is_useful(number)) find(code_of(boxes_[number], drawn_), i);
      }
      if (losses[worlds_[i].loss].share >= is_a_cause) find(FindingCode::network_loss, i);
    }
    for (auto& [code, found] : found_) {
      std::vector<std::uint32_t> own;  // the best world's boxes of that code
      for (const auto number : worlds_.front().boxes) {
        if (code_of(boxes_[number], drawn_) == code) own.push_back(number);
      }
      for (const auto& world : worlds_) {
        bool any = code == FindingCode::network_loss && losses[world.loss].share >= is_a_cause,
             sure = any;
        for (const auto number : world.boxes) {
          const auto& box = boxes_[number];
          const bool wider = !own.empty() && std::ranges::all_of(own, [&](auto one) {
            return is_wider(box, boxes_[one]);
          });
          const bool its = wider || (code_of(box, drawn_) == code && is_useful(number));
          any |= its;
          sure |= its && !is_mere_silence(box.code);
        }
        found.probability += any ? world.probability : 0;
        found.sure += sure ? world.probability : 0;
      }
      if (code == FindingCode::vendor_down) found.sure = std::min(found.sure, most_of_a_refusal);
    }
  }

  const Drawn& drawn_;
  const Boxes& boxes_ = drawn_.boxes;
  const std::vector<World>& worlds_ = drawn_.worlds;
  bool asks_nat_ = false, asks_sip_alg_ = false;
  std::map<Code, Cause> found_;
};

}  // namespace

// A way that is shut beside a proxy that speaks is meant to be; without one it is a fault.
Code code_of(const Box& box, const Drawn& drawn) {
  const auto beside_proxy = [&] {
    return std::ranges::any_of(drawn.sight.events.signs, [](const SignEvent& event) {
      return (bit(event.sign) & signs_of_proxy) != 0;
    });
  };
  if (box.code == FindingCode::proxy_required && !beside_proxy())
    return FindingCode::firewall_tcp_port_blocked;
  if (box.code == FindingCode::network_offline && beside_proxy())
    return FindingCode::proxy_required;
  if (box.code == sip_swallowed || is_mere_silence(box.code)) return *box.code.finding;
  return box.code;
}

std::vector<Cause> causes_of(const Drawn& drawn, const AskedRows& asked) {
  return Explainer(drawn, asked).make();
}

}  // namespace callready::reach
