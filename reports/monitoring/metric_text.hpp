// Prometheus' text format, for the reports that are written in it: gauges only, because a report
// holds one run. What has several states is a series for each of them, of which one is 1 (as
// OpenMetrics' state sets). `promtool check metrics` has nothing to say against it.
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

  // Nothing where it has no series.
  std::string text() const;

 private:
  std::string_view name_, help_, type_;
  std::vector<Sample> samples_;
};

}  // namespace callready
