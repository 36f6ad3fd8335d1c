// "Did you mean ...?" for keys, ids, words, set names and variables that nobody knows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace callready {

// Edits that turn `left` into `right`: insert, delete, replace, swap neighbours (optimal string
// alignment). Letters count without case, and "-", "_" and " " as the same. Texts beyond 64 bytes
// are never near to anything: the result is the longer one's length.
std::size_t edit_distance(std::string_view left, std::string_view right);

// The known word that was most likely meant, or nothing where none is near. At most 1,000 known
// words are looked at.
std::optional<std::string> suggest(std::string_view word, std::span<const std::string> known);

// The end of a sentence about an unknown word: "; did you mean 'x'?", else "; known: a, b, c"
// (at most `listed` of them), else nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> known,
                         std::size_t listed = 20);

}  // namespace callready
