// A sentence with a hole in it: a list that came out empty ("past the tunnel: . To compare"), a
// word that was not filled in. And a title that is too long to be read at a glance.
#pragma once

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string>
#include <string_view>

#include "probe/model/report.hpp"

namespace callready::test {

// The hole with what stands around it; empty: there is none.
inline std::string hole_in(std::string_view text) {
  for (const std::string_view hole :
       {": .", ": ;", ":.", " to ;", " to .", " to ,", " of .", " of ,", " and .", " and ,", ", ,",
        ", .", "; .", ";;", " .",    " ;",    "..",    "()",    "{}",    "\"\"",   "  "}) {
    for (auto at = text.find(hole); at != text.npos; at = text.find(hole, at + 1)) {
      const bool dots = hole == ".." && text.substr(at, 3) == "...";  // an ellipsis
      const bool before = hole == ".." && at > 0 && text[at - 1] == '.';
      const bool name = hole == ".." && at > 2 && text.substr(at - 3, 3) == "Inc";
      const bool more = hole == " ." && text.substr(at, 4) == " ...";
      if (dots || before || more || name) continue;
      const auto from = at < 30 ? 0 : at - 30;
      return std::string(text.substr(from, 60));
    }
  }
  return {};
}

inline constexpr int most_words = 12;

// Hosts, addresses, ports and services are not counted: lists of them are as long as they are.
inline int words_in(std::string_view title) {
  std::istringstream text{std::string(title)};
  int words = 0;
  for (std::string word; text >> word;) {
    const bool name =
        word.find('.') != word.npos || std::any_of(word.begin(), word.end(), [](char c) {
          return std::isdigit(static_cast<unsigned char>(c)) != 0;
        });
    if (!name && word != "and" && word != "more" && word != "TCP" && word != "UDP") ++words;
  }
  return words;
}

// The first hole in the report's findings and verdicts.
inline std::string hole_in(const Report& report) {
  for (const auto& finding : report.findings) {
    if (words_in(finding.title) > most_words) return "too long a title: " + finding.title.string();
    for (const auto& text : {finding.title, finding.fix}) {
      if (const auto hole = hole_in(text); !hole.empty())
        return std::string(to_string(finding.code)) + ": " + hole;
    }
    for (const auto& evidence : finding.evidence) {
      if (const auto hole = hole_in(evidence.text); !hole.empty()) {
        return std::string(to_string(finding.code)) + ": " + hole;
      }
    }
  }
  for (const auto& set : report.sets) {
    for (const auto& capability : set.capabilities) {
      if (const auto hole = hole_in(capability.summary); !hole.empty()) return set.id + ": " + hole;
    }
    for (const auto& row : set.requirements) {
      if (const auto hole = hole_in(row.summary); !hole.empty()) return row.id + ": " + hole;
    }
  }
  return {};
}

}  // namespace callready::test
