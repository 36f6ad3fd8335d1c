// What is wrong with a target set, and where: `file:line:column: message`, as compilers print it.
#pragma once

#include <string>
#include <vector>

#include "probe/model/target_set.hpp"

namespace callready {

struct Problem {
  std::string file;          // as the user named it; empty: no file is to blame
  int line = 0, column = 0;  // 1-based, columns in characters; 0: the file as a whole
  std::string message;       // what was found and what was expected

  std::string to_string() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

// Collects the problems of one file. A hostile file could cause millions of them, so the list ends
// at `limit` and its last entry says how many more there are.
class Problems {
 public:
  static constexpr std::size_t limit = 200;

  explicit Problems(std::string file) : file_(std::move(file)) {}
  void add(Position position, std::string message);
  bool empty() const { return found_.empty(); }
  // True where a further problem would only be counted: no need to word it well.
  bool full() const { return found_.size() >= limit; }
  std::vector<Problem> take();  // in the order of the file

 private:
  std::string file_;
  std::vector<Problem> found_;
  std::size_t uncounted_ = 0;
};

}  // namespace callready
