// Reading somebody else's JSON file strictly: problems say line and column, and what was expected.
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

  // `what` is expected, for the problem of a file that is no JSON: "AWS' ip-ranges.json".
  JsonFile(std::string_view text, std::string name, std::string what);

  // Nothing, and a problem, where it is no JSON or nested deeper than any vendor's list.
  std::optional<Json> parse();

  // Where a string next stands in the text, after what was found before. The tree does not know,
  // but it is read in the order of the text.
  void seek(std::string_view value);
  std::size_t position() const { return position_; }
  void complain(std::size_t offset, std::string message);
  void complain(std::string message) { complain(position_, std::move(message)); }

  // A member of that type, or nullptr and a problem.
  const Json* member(const Json& object, const char* key, Json::value_t type, const char* expected);
  // An aligned network, or nothing and a problem.
  std::optional<Network> network(const Json& prefix);

  std::vector<Problem> take_problems() { return std::move(problems_); }
  bool good() const { return problems_.empty(); }

 private:
  std::string_view text_;
  std::string name_, what_;
  std::size_t position_ = 0;
  std::vector<Problem> problems_;
};

// The whole file, or nothing and why in `problems`: "cannot be read", "is too large for WHAT".
std::optional<std::string> read_list_file(const std::string& path, std::size_t most,
                                          const std::string& what, std::vector<Problem>& problems);

}  // namespace callready
