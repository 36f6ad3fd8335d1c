#include "probe/diagnosis/reach/question.hpp"

#include <algorithm>
#include <array>

namespace callready::reach {
namespace {

constexpr std::size_t most_worlds = 24;

// What would be seen, by fate.
constexpr auto words_of_fates = [] {
  using enum Fate;
  std::array<std::string_view, fate_count> made;
  const auto put = [&](std::string_view answer, std::initializer_list<Fate> fates) {
    for (const auto fate : fates) made[static_cast<std::size_t>(fate)] = answer;
  };
  put("passes", {pass, carry, close});
  put("nothing comes back", {drop, down, deaf, ignore, ration});
  put("passes now and then", {maybe, rarely, half, severed});
  put("stands, and goes mute", {mute, unheard, big});
  put("is reset when it speaks", {cut});
  put("is taken on the way", {take});
  put("somebody else answers", {portal, elsewhere});
  put("is refused", {prohibit, refuse, forge, closed});
  return made;
}();
static_assert(std::ranges::none_of(words_of_fates, &std::string_view::empty));

// The answer in each of the likely worlds, as a number.
using Answers = std::vector<std::size_t>;

// Numbers that differ wherever either of the two tells worlds apart.
Answers both(const Answers& one, const Answers& other) {
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> numbers;
  Answers made;
  for (std::size_t i = 0; i < one.size(); ++i) {
    made.push_back(numbers.try_emplace({one[i], other[i]}, numbers.size()).first->second);
  }
  return made;
}

// How uncertain it is which of these answers is the true one, in bits: the entropy.
double openness(const Answers& answers, const std::vector<double>& probability) {
  std::map<std::size_t, double> sums;
  for (std::size_t i = 0; i < answers.size(); ++i) sums[answers[i]] += probability[i];
  double open = 0;
  for (const auto& [answer, sum] : sums) open -= sum > 0 ? sum * log2_of(sum) : 0;
  return open;
}

}  // namespace

std::string_view answer_to(Fate fate, const Packet& packet) {
  const bool only_a_syn = packet.ends_early && !packet.udp;
  const bool by_device = fate == Fate::take || fate == Fate::carry || fate == Fate::unheard;
  return words_of_fates[static_cast<std::size_t>(only_a_syn && by_device ? Fate::take : fate)];
}

std::vector<double> of_the_likeliest(const std::vector<World>& worlds) {
  const auto count = std::min(worlds.size(), most_worlds);
  std::vector<double> probability;
  double total = 0;
  for (std::size_t i = 0; i < count; ++i) total += worlds[i].probability;
  for (std::size_t i = 0; i < count; ++i) probability.push_back(worlds[i].probability / total);
  return probability;
}

std::vector<std::size_t> most_telling(const std::vector<Packet>& packets, std::size_t sent,
                                      const Boxes& boxes, const std::vector<World>& worlds,
                                      std::size_t most) {
  const auto probability = of_the_likeliest(worlds);
  const auto count = probability.size();
  Answers known(count, 0);
  std::map<Answers, std::size_t> first;  // of the packets with the same answers
  for (std::size_t number = 0; number < packets.size(); ++number) {
    std::map<std::string_view, std::size_t> words;
    Answers answers;
    for (std::size_t i = 0; i < count; ++i) {
      const auto answer =
          answer_to(fate_in(worlds[i], boxes, packets[number]).fate, packets[number]);
      answers.push_back(words.try_emplace(answer, words.size()).first->second);
    }
    if (number < sent) {
      known = both(known, answers);
    } else if (words.size() > 1) {
      first.try_emplace(std::move(answers), number);
    }
  }
  std::vector<std::size_t> chosen;
  auto open = openness(known, probability);
  while (chosen.size() < most) {
    constexpr double least_gain = .02;
    const std::pair<const Answers, std::size_t>* best = nullptr;
    double best_open = open + least_gain;
    for (const auto& one : first) {
      const auto its = openness(both(known, one.first), probability);
      const bool better =
          its > best_open || (best != nullptr && its == best_open && one.second < best->second);
      if (!better) continue;
      best_open = its;
      best = &one;
    }
    if (best == nullptr) break;
    chosen.push_back(best->second);
    known = both(known, best->first);
    open = best_open;
  }
  return chosen;
}

}  // namespace callready::reach
