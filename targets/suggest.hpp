// "Did you mean ...?" for unknown keys, ids, words, set names and variables.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace callready {

// The number of edits that turn `left` into `right`: insert, delete, replace, swap neighbours
// (optimal string alignment). Case does not count, and "-", "_" and " " are the same. Texts beyond
// 64 bytes are not close to anything: the result is the longer one's length.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The known word that was most likely meant, or nothing if none is close. At most 1,000 known words
// are looked at.
std::optional<std::string> suggest(std::string_view word, std::span<const std::string> known);

// The end of a sentence about an unknown word: "; did you mean 'x'?", otherwise "; known: a, b, c"
// (at most `listed` of them), or nothing if none are known.
std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::size_t listed = 20);

}  // namespace callready
