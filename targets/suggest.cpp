#include "targets/suggest.hpp"

#include <algorithm>
#include <array>

namespace callready {
namespace {

constexpr std::size_t longest = 64;       // no key, id or word is longer
constexpr std::size_t most_known = 1000;  // bounds the work for a hostile file

char folded(char letter) {
  if (letter >= 'A' && letter <= 'Z') return static_cast<char>(letter - 'A' + 'a');
  return letter == '_' || letter == ' ' ? '-' : letter;
}

std::string folded(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return folded(c); });
  return result;
}

}  // namespace

std::size_t edit_distance(std::string_view left_text, std::string_view right_text) {
  if (left_text.size() > longest || right_text.size() > longest) {
    return std::max(left_text.size(), right_text.size());
  }
  const auto left = folded(left_text), right = folded(right_text);
  using Row = std::array<std::size_t, longest + 1>;
  Row before_last{}, last{}, current{};
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    before_last = last;
    last = current;
  }
  return last[right.size()];
}

std::optional<std::string> suggest(std::string_view word, std::span<const std::string> known) {
  known = known.first(std::min(known.size(), most_known));
  if (word.empty() || word.size() > longest) return std::nullopt;
  // One slip in a short word, two in a longer one, three in a long one: more would be guessing.
  const std::size_t allowed = word.size() <= 4 ? 1 : word.size() <= 9 ? 2 : 3;
  const std::string* best = nullptr;
  std::size_t best_distance = allowed + 1;
  for (const auto& candidate : known) {
    const auto longer = std::max(candidate.size(), word.size());
    if (longer - std::min(candidate.size(), word.size()) >= best_distance) continue;
    const auto distance = edit_distance(word, candidate);
    // A two-letter word is one edit away from any other that shares a letter.
    if (distance < best_distance && distance + 1 < longer) {
      best = &candidate;
      best_distance = distance;
    }
  }
  if (best != nullptr) return *best;
  // A part of a name: "rainbow" for "ale-rainbow", "web" for "webex"; only if exactly one fits.
  if (word.size() < 3) return std::nullopt;
  const auto part = folded(word);
  for (const auto& candidate : known) {
    if (folded(candidate).find(part) == std::string::npos) continue;
    if (best != nullptr) return std::nullopt;
    best = &candidate;
  }
  if (best != nullptr) return *best;
  return std::nullopt;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::size_t listed) {
  if (const auto meant = suggest(word, known)) return "; did you mean '" + *meant + "'?";
  if (known.empty()) return {};
  std::string text = "; known: ";
  for (std::size_t i = 0; i < known.size() && i < listed; ++i) {
    if (i > 0) text += ", ";
    text += known[i];
  }
  if (known.size() > listed) text += " and " + std::to_string(known.size() - listed) + " more";
  return text;
}

}  // namespace callready
