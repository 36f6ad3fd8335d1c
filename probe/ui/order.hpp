// What somebody chose on the page, as arguments of `callready check`. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace callready::ui {

// The set of `callready demo`.
inline constexpr std::string_view demo_service = "demo";

struct Order {
  std::string service;                 // a set's id, or demo_service
  std::vector<std::string> arguments;  // without the set, never a secret
  std::string secrets;                 // lines NAME=VALUE for --credentials; "": none
};

struct OrderResult {
  Order order;
  std::string problem;  // in words for the page; "": none
};
// Reads the page's JSON; unknown members and wrong kinds are problems.
OrderResult read_order(std::string_view json);

}  // namespace callready::ui
