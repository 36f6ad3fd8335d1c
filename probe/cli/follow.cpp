#include "probe/cli/follow.hpp"

#include <utility>

#include "probe/cli/output.hpp"
#include "probe/diagnosis/compare/merge.hpp"
#include "probe/engine/session.hpp"
#include "reports/json/events.hpp"

namespace callready {

bool Follower::write(const std::string& line) {
  if (!open_) return false;
  const auto reason = print_reason(line);
  if (!reason) return true;
  open_ = false;
  if (*reason != reader_has_gone) {
    failure_ = "standard output: " + *reason + ": events of this run are missing";
  }
  return false;
}

void Follower::listen_to(SessionOptions& options, const std::string& vantage) {
  std::vector<std::string> sets;
  for (const auto& set : options.sets) {
    if (!set.control) sets.push_back(set.id);
  }
  before_ = done_;
  options.on_start = [this, sets](const Report& head, std::size_t planned) mutable {
    if (std::exchange(started_, true)) return open_;
    auto shown = head;
    auto& redactor = privacy_.redactor;
    if (redactor) {
      redactor->learn(head.site);
      shown.site = redactor->site(shown.site);
      shown.redacted = redactor->key_name();
      for (auto& set : sets) set = redactor->row_id(set);
    }
    return write(event_started(shown, sets, planned));
  };
  options.on_probe = [this, vantage](const ProbeResult& result, std::size_t done,
                                     std::size_t total) {
    done_ = before_ + done;
    total += before_;
    auto shown = vantage.empty() ? result : seen_from(result, vantage);
    if (auto& redactor = privacy_.redactor) {
      redactor->learn(shown);
      shown = redactor->probe(shown);
    }
    return write(event_probe(shown, done_, total));
  };
}

void Follower::finish(const Report& report) {
  const auto shown = privacy_.redactor ? privacy_.redactor->report(report) : report;
  for (const auto& set : shown.sets) write(event_set(set));
  for (const auto& finding : shown.findings) write(event_finding(finding));
  write(event_finished(shown));
}

}  // namespace callready
