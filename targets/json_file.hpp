// Strict reading of a third party's JSON file: problems give line, column and what was expected.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/model/ip.hpp"
#include "targets/problem.hpp"

namespace callready {

class JsonFile {
 public:
  using Json = nlohmann::json;

  // `what`: the expected file, for the message if this one is not JSON: "AWS' ip-ranges.json".
  JsonFile(std::string_view text, std::string name, std::string what);

  // Nothing, and a problem, if it is not JSON or is nested deeper than any vendor's list.
  std::optional<Json> parse();

  // Moves to the string's next occurrence in the text, after the previous find. The parsed tree has
  // no positions, but it is read in the order of the text. Where that is not found, stays.
  void seek(std::string_view value);
  std::size_t position() const { return position_; }
  void complain(std::size_t offset, std::string message);
  void complain(std::string message) { complain(position_, std::move(message)); }

  // The member if it has that type, otherwise nullptr and a problem.
  const Json* member(const Json& object, const char* key, Json::value_t type, const char* expected);
  // An aligned network, or nothing and a problem.
  std::optional<Network> network(const Json& prefix);

  std::vector<Problem> take_problems() { return std::move(problems_); }
  bool good() const { return problems_.empty(); }

 private:
  std::string_view text_;
  std::string name_, what_;
  std::size_t position_ = 0;
  int misses_ = 0;
  std::vector<Problem> problems_;
};

// The whole file, or nothing and why in `problems`: "cannot be read", "is too large for WHAT".
std::optional<std::string> read_list_file(const std::string& path, std::size_t most,
                                          const std::string& what, std::vector<Problem>& problems);

}  // namespace callready
