// What a run is going to do: the probes, and which of them each requirement asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/model/probe.hpp"
#include "probe/model/text.hpp"

namespace callready {

// How much of a row's hosts and ports is tried: "4 of 158 hosts, 6 of 10001 ports".
struct Sample {
  Text hosts;                         // empty where all are tried
  std::size_t tried = 0, listed = 0;  // ports of a host

  Text text() const {
    auto text = hosts;
    if (tried >= listed) return text;
    if (!text.empty()) text += ", ";
    text += phrase("{} of {} ports", tried, listed);
    return text;
  }
};

// One row of a set, as this run treats it.
struct PlannedRequirement {
  std::string set, requirement;     // ids
  std::vector<std::string> probes;  // ids, in the order of the document
  Text skipped;                     // why there are none, and what would settle it
  // Where skipped: the user could settle it (a variable, a file of service tags), so what the
  // vendor needs stays an open question instead of being left out of the verdict.
  bool open_question = false;
  Sample sampled;
  Text note;               // "measured from a PC: run on a phone's network to be sure"
  bool elsewhere = false;  // this is not the place that the row is for; `note` says so
  // Where skipped: a larger run, or one with a better example, would try the row. A cause that
  // blocks everything the row needs still closes it.
  bool untried = false;
  bool left_out = false;  // where skipped: a larger run would try the row
};

// Its packets end on the way, at the site's edge.
inline bool ends_at_the_edge(const Probe& probe) {
  return probe.check == CheckKind::hop || probe.with.contains("stop_on_the_way");
}

struct PlannedProbe {
  Probe probe;
  // If not all can be probed at once: required rows come first, and among these the first hosts of
  // every row before the second ones.
  Severity severity = Severity::optional;
  std::size_t round = 0;
  // Made only where none of these reached its endpoint (a SIP server's alternate ports).
  std::vector<std::string> unless;
  // The same, where one of these did not (a fallback for rows that need every endpoint).
  std::vector<std::string> unless_all;
  // Hosts of this run: made only where the first of them turns out to be the nearest. Empty: made
  // in any case.
  std::vector<std::string> nearest_of;
  // Another probe that asks the same endpoint the same question first (the SIP ALG test): its
  // answer is taken for this one's, so that the server is asked once. Empty: none.
  std::string answered_by;
  // Made only where one of these reached its endpoint; empty: always (the SIP ALG test needs a
  // server that answers).
  std::vector<std::string> given{};
};

struct Plan {
  std::vector<PlannedProbe> probes;  // each id once
  std::vector<PlannedRequirement> requirements;
  std::vector<Text> notes;  // about the whole run
};

}  // namespace callready
