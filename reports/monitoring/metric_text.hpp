// Prometheus' text format, for the reports that use it: gauges only, because a report holds one
// run. What has several states has a series for each of them, exactly one of which is 1 (like
// OpenMetrics' state sets). Passes `promtool check metrics`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/model/words.hpp"

namespace callready {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

class Metric {
 public:
  struct Sample {
    Labels labels;
    double value = 0;
  };

  // `type`: "gauge", "counter".
  Metric(std::string_view name, std::string_view help, std::string_view type = "gauge")
      : name_(name), help_(help), type_(type) {}

  // An empty label is the same as none.
  void add(const Labels& labels, double value) { samples_.push_back({labels, value}); }

  template <typename Enum>
  void add_states(const Labels& labels, std::string_view state, Enum now) {
    for (const auto& word : words<Enum>()) {
      auto all = labels;
      all.emplace_back(state, word.text);
      add(all, word.value == now ? 1 : 0);
    }
  }

  std::string_view name() const { return name_; }
  std::string_view help() const { return help_; }
  const std::vector<Sample>& samples() const { return samples_; }

  // Empty if it has no series.
  std::string text() const;

 private:
  std::string_view name_, help_, type_;
  std::vector<Sample> samples_;
};

}  // namespace callready
