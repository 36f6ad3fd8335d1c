#include "probe/cli/follow.hpp"

#include "probe/cli/output.hpp"
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

void Follower::listen_to(SessionOptions& options) {
  for (const auto& set : options.sets) {
    if (!set.control) sets_.push_back(set.id);
  }
  options.on_start = [this](const Report& head, std::size_t planned) {
    auto shown = head;
    auto& redactor = privacy_.redactor;
    if (redactor) {
      redactor->learn(head.site);
      shown.site = redactor->site(shown.site);
      shown.redacted = redactor->key_name();
      for (auto& set : sets_) set = redactor->row_id(set);
    }
    return write(event_started(shown, sets_, planned));
  };
  options.on_probe = [this](const ProbeResult& result, std::size_t done, std::size_t total) {
    auto& redactor = privacy_.redactor;
    if (!redactor) return write(event_probe(result, done, total));
    redactor->learn(result);
    return write(event_probe(redactor->probe(result), done, total));
  };
}

void Follower::finish(const Report& report) {
  const auto shown = privacy_.redactor ? privacy_.redactor->report(report) : report;
  for (const auto& set : shown.sets) write(event_set(set));
  for (const auto& finding : shown.findings) write(event_finding(finding));
  write(event_finished(shown));
}

}  // namespace callready
