// Rules and worlds side by side, judged by the same oracle (docs/diagnosis.md).
#pragma once

#include <array>

#include "tests/networks/properties.hpp"

namespace callready::networks {

// Numbers of networks, by the kind of violation or of observation.
using Numbers = std::vector<std::uint64_t>;
using NumbersByKind = std::map<std::string, Numbers>;

// Adds each number once, if they come in order.
void note(std::uint64_t number, Numbers& known);
std::vector<std::pair<std::string, Numbers>> most_frequent_first(const NumbersByKind& kinds);
// At most six of them: "7 12 40".
std::string first_of(const Numbers& numbers);

// The results of one of the two, over many networks.
struct Tally {
  int networks_right = 0, capabilities = 0, unknown = 0;
  int unneeded = 0;      // unknown, though it works or cannot work
  int false_alarms = 0;  // likely or certain, where nothing is wrong
  // Likely and certain findings: how many, and how many of them are wrong.
  std::array<int, 2> said{}, wrong{};
  NumbersByKind violations;
};

struct Comparison {
  Tally rules, worlds;
  int networks = 0, both = 0, rules_only = 0, worlds_only = 0, neither = 0;
  std::map<std::string, int> pairs;  // "blocked by rules, unknown by worlds": sets that differ
  double most_ms = 0, sum_ms = 0;    // that the worlds took
};

// Judges one more network both ways.
void compare(std::uint64_t number, const networks::Network& network, Comparison& comparison);

// Prints the worlds of one network.
void show_worlds(const std::string& name, const networks::Network& network);

// True if worlds are about as good as the rules: 99 % of what they call certain and 95 % of what
// they call likely is true, they name nothing where nothing is wrong, and of the networks that the
// rules get right they miss at most 4 %.
bool is_level(const Comparison& comparison);

std::string in_words(const Comparison& comparison);

}  // namespace callready::networks
