// Details and checks for tables of test cases, where a word reads better than its enumerator. An
// unknown word is an error in the test.
#pragma once

#include <stdexcept>
#include <string>

#include "probe/model/detail.hpp"

namespace callready::test {

struct Said : Detail {
  Said() = default;
  Said(Detail detail) : Detail(detail) {}
  Said(DetailCode code) : Detail(code) {}
  Said(const char* word) : Said(std::string(word)) {}
  Said(const std::string& word) : Detail(read(word)) {}

 private:
  static Detail read(const std::string& word) {
    const auto detail = parse(word);
    if (!detail) throw std::invalid_argument("no detail has the word " + word);
    return *detail;
  }
};

struct CheckNamed {
  CheckNamed(CheckKind of) : kind(of) {}
  CheckNamed(const char* word) : CheckNamed(std::string(word)) {}
  CheckNamed(const std::string& word) : kind(CheckKind::tcp) {
    const auto known = parse<CheckKind>(word);
    if (!known) throw std::invalid_argument("no check has the word " + word);
    kind = *known;
  }
  operator CheckKind() const { return kind; }
  CheckKind kind;
};

}  // namespace callready::test
