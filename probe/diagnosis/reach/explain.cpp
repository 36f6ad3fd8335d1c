#include "probe/diagnosis/reach/explain.hpp"

#include <algorithm>
#include <functional>

namespace callready::reach {
namespace {

// What the best world leaves over is said from here on.
constexpr Bits is_left_over = bits(9);

// Nobody knows whose a refusal was: a cause that rests on it is never surer than that.
constexpr double most_of_a_refusal = .98;

class Explainer {
 public:
  explicit Explainer(const Diagnosis& drawn) : drawn_(drawn) {}

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
  void find(Code code, std::size_t world) {
    found_.try_emplace(code, Cause{.code = code, .in_best = world == 0, .world = world});
  }

  // Whether anything that a row needs meets it; else it is a note.
  bool hurts(const Box& box) const {
    if (box.code == FindingCode::nat_symmetric) return drawn_.asked.nat;
    if (box.code == FindingCode::sip_alg) return drawn_.asked.sip_alg;
    if (box.kind == Kind::fact || box.kind == Kind::limit || box.kind == Kind::ban) return true;
    return std::ranges::any_of(drawn_.asked.packets, [&](const Packet& packet) {
      const auto fate = fate_of(box, packet);
      return loses(fate) || is_chance(fate);
    });
  }

  // What the best world says is true in all worlds that have that cause, or a wider rule.
  void collect() {
    std::map<std::uint32_t, bool> useful;
    const auto is_useful = [&](std::uint32_t number) {
      const auto [known, fresh] = useful.try_emplace(number);
      if (fresh) known->second = hurts(boxes_[number]) && drawn_.code_of(boxes_[number]).finding;
      return known->second;
    };
    for (std::size_t i = 0; i < worlds_.size(); ++i) {
      for (const auto number : worlds_[i].boxes) {
        if (is_useful(number)) find(drawn_.code_of(boxes_[number]), i);
      }
      if (losses[worlds_[i].loss].share >= is_a_cause) find(FindingCode::network_loss, i);
    }
    for (auto& [code, found] : found_) {
      std::vector<std::uint32_t> own;  // the best world's boxes of that code
      for (const auto number : worlds_.front().boxes) {
        if (drawn_.code_of(boxes_[number]) == code) own.push_back(number);
      }
      for (const auto& world : worlds_) {
        bool any = code == FindingCode::network_loss && losses[world.loss].share >= is_a_cause,
             sure = any;
        for (const auto number : world.boxes) {
          const auto& box = boxes_[number];
          const bool wider = !own.empty() && std::ranges::all_of(own, [&](auto one) {
            return is_wider(box, boxes_[one]);
          });
          const bool its = wider || (drawn_.code_of(box) == code && is_useful(number));
          any |= its;
          sure |= its && !is_mere_silence(box.code);
        }
        found.probability += any ? world.probability : 0;
        found.sure += sure ? world.probability : 0;
      }
      if (code == FindingCode::vendor_down) found.sure = std::min(found.sure, most_of_a_refusal);
    }
  }

  std::vector<std::size_t> lost_by(const Cause& cause) const {
    const auto& world = worlds_[cause.world];
    auto without = world;
    std::erase_if(without.boxes,
                  [&](auto number) { return drawn_.code_of(boxes_[number]) == cause.code; });
    std::vector<std::pair<Bits, std::size_t>> gains;
    for (std::size_t i = 0; i < sight_.events.flows.size(); ++i) {
      const auto here = fate_in(world, boxes_, sight_, i);
      if (!here.met() || drawn_.code_of(boxes_[here.box]) != cause.code) continue;
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

  const Diagnosis& drawn_;
  const Sight& sight_ = drawn_.sight;
  const Boxes& boxes_ = drawn_.boxes;
  const std::vector<World>& worlds_ = drawn_.worlds;
  std::map<Code, Cause> found_;
};

}  // namespace

// A way that is shut beside a proxy that speaks is meant to be; without one it is a fault.
Code Diagnosis::code_of(const Box& box) const {
  if (box.code == FindingCode::proxy_required && !beside_proxy)
    return FindingCode::firewall_tcp_port_blocked;
  if (box.code == FindingCode::network_offline && beside_proxy) return FindingCode::proxy_required;
  if (box.code == sip_swallowed || is_mere_silence(box.code)) return *box.code.finding;
  return box.code;
}

Explained explain(const Diagnosis& drawn) { return Explainer(drawn).make(); }

}  // namespace callready::reach
