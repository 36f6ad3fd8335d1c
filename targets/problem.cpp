#include "targets/problem.hpp"

#include <algorithm>
#include <tuple>

#include "probe/util/utf8.hpp"

namespace callready {

std::string Problem::to_string() const {
  std::string text = file;
  if (line > 0) text += ':' + std::to_string(line) + ':' + std::to_string(column);
  if (!text.empty()) text += ": ";
  return text + message;
}

void Problems::add(Position position, std::string message) {
  if (full()) {
    ++uncounted_;
    return;
  }
  // The message may quote the file's own text: keys, names, values.
  found_.push_back({file_, position.line, position.column, on_one_line(std::move(message))});
}

std::vector<Problem> Problems::take() {
  std::sort(found_.begin(), found_.end(), [](const Problem& left, const Problem& right) {
    return std::tie(left.line, left.column, left.message) <
           std::tie(right.line, right.column, right.message);
  });
  // A block that an alias repeats has the same problems again.
  found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
  if (uncounted_ > 0) {
    found_.push_back({file_, 0, 0, "and " + std::to_string(uncounted_) + " more problems"});
  }
  return std::move(found_);
}

}  // namespace callready
