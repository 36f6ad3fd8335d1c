// Plain words for what the model holds, shared by the formats for people. Nothing here is made safe
// for a terminal or escaped: that is the business of each format. Internal to reports/.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/model/report.hpp"
#include "probe/model/route_pairs.hpp"

namespace callready {

// In the reader's language (Speaking); English where none is spoken.
template <typename... Args>
std::string say(words_detail::Template<sizeof...(Args)> words, const Args&... args) {
  return phrase(words, args...).string();
}
template <std::integral Count, typename... Args>
std::string say_plural(Count count, words_detail::Template<sizeof...(Args) + 1> one,
                       words_detail::Template<sizeof...(Args) + 1> many, const Args&... args) {
  return plural(count, one, many, args...).string();
}
// For a text from a table (marked()).
inline std::string say_marked(std::string_view marked) { return marked_text(marked).string(); }

// For a table that has words (marked()) for each enumerator.
template <typename Enum, std::size_t Size>
std::string say_word(const Word<Enum> (&table)[Size], Enum value) {
  const auto* const found = std::ranges::find(table, value, &Word<Enum>::value);
  return found == std::end(table) ? std::string() : say_marked(found->text);
}

std::string verdict_word(Verdict verdict);           // "NOT DECIDED"
std::string status_word(Status status);              // "not tested"
std::string severity_word(Severity severity);        // "required"
std::string confidence_word(Confidence confidence);  // "certain"

// Of a set, a capability or a row; in a saved report it may be missing.
const std::string& title_of(const auto& item) { return item.title.empty() ? item.id : item.title; }

// "Rainbow (Ed 36)"
std::string set_name(const SetResult& set);

// How good the source of a set is: "the vendor's own page", "an old edition: NOTE".
bool doubtful(SourceQuality evidence);  // not the vendor's own current text
std::string source_words(SourceQuality evidence, const std::string& note);
// It names no document: what a set's text is by default is not known of it.
bool has_no_source(const SetText& set);

// What a reader of the verdict must know about its source: "The verdict on Zoom goes by a
// second-hand list, not by the vendor's own: NOTE". Empty if the source is not doubtful.
std::string source_doubt(const SetResult& set);

// The same in one line: "Zoom goes by a second-hand list: see callready show zoom".
std::string source_doubt_in_short(const SetResult& set);

// For the foot of a report, so that anyone can tell which list this network was checked against:
// "Zoom (Ed 3), from "Firewall rules", last checked against it on 2026-11-20, from the vendor's own
// page; SHA-256 of the list: 2c26..."
std::string set_and_source(const SetResult& set);

// Where the row is from: its source, with the title of the set that it was taken from.
std::string source_of(const SetResult& set, const RequirementResult& row);

// Rows that two sets of a report depend on, and the notes on them, are printed once, under the
// first set.
class ToldOnce {
 public:
  bool is_news(const RequirementResult& row) {
    return row.of_set.empty() || told_.emplace(row.of_set, row.title).second;
  }
  bool is_news(const std::string& note) { return told_.emplace("", note).second; }

 private:
  std::set<std::pair<std::string, std::string>> told_;
};

// "First seen 2026-11-20 08:39 UTC; present in the last 12 runs", "New in this run";
// empty if no earlier run is known.
std::string standing_in_words(const std::optional<Standing>& standing);

// The command that prints the rules that a report only counts. `sets`: " rainbow teams", or empty
// for all. `is_last`: this report is the one that `--from last` finds.
std::string command_for_the_list(std::string_view sets, bool is_last);
// Whether that command prints the finding's rules: what is inspected is not closed.
bool is_in_the_list(const Finding& finding);
std::string team(Owner owner);  // "your firewall team", to go after "for"

// "certain" adds nothing to a title; the others warn: "likely", "possible, not proven". Failures
// that nothing explains are reported as they were seen, so there is nothing to doubt.
std::string caution(const Finding& finding);

// Where the probe went: "turn.example.com:3478/udp", with ", 12 ports tried" and the proxy.
std::string endpoint(const Probe& probe);
std::string endpoint(const ProbeResult& result);  // with the ports that were actually tried
std::string endpoint(const RoutePair& pair);      // without either route

// The outcome with round trip, address, detail and, if it failed, the deciding evidence.
std::string outcome_in_full(const ProbeResult& result);

// Titles of the capabilities that a finding affects, or of the rows that it explains if all
// capabilities work, preceded by the set's name if there are several sets; "nothing so far".
std::string affected_by(const Finding& finding, const Report& report);

// What users see if the rows that this finding explains fail, quoted from the document. Empty if it
// does not say.
std::string seen_by_users(const Finding& finding, const Report& report);

// True if the finding affects several capabilities, and all that are not ready.
bool affects_all(const Finding& finding, const Report& report);

// The first finding that explains a requirement, as a number from 1 on; 0: none. The report must
// outlive it.
class ExplainedRows {
 public:
  explicit ExplainedRows(const Report& report);
  std::size_t by(const SetResult& set, const RequirementResult& requirement) const;

 private:
  std::map<std::string_view, std::size_t> numbers_;  // by "set/requirement"
};

// A requirement that failed and that no finding explains.
struct UnexplainedRow {
  std::string id;         // "set/requirement"
  std::string title;      // preceded by the set's if there are several
  bool optional = false;  // people can do without it
};
std::vector<UnexplainedRow> unexplained(const Report& report);
// The titles of those that are not optional.
std::vector<std::string> unexplained_titles(const Report& report);

// With a capital if it begins with a word, and a full stop.
std::string as_sentence(std::string text);

// A finding's evidence as one text of at most `most` different sentences; `count`: adds how many
// more there are, and how to see them.
std::string cause(const Finding& finding, std::size_t most, bool count = true);

// The summary, and what was sampled: "all answered (tried: 4 of 158 hosts)".
std::string summary_and_sample(const RequirementResult& requirement);

// "3 of 41 packets had to be resent (lost or late)."; empty where none had to.
std::string resent_in_words(const Report& report);

// To the endpoint. Nothing if something else, such as a router on the path, answered.
std::optional<Milliseconds> round_trip_of(const Observation& seen);

// How long the parts of the probe took, in order: no time is counted twice, and values that are not
// durations are left out.
std::vector<std::pair<Timing, double>> parts_of_time(const ProbeResult& result);

// A host's port over UDP or TCP is one endpoint, whatever was asked of it and by which route.
// `reached`: by a probe for the service, or by one for comparison if there were no others.
struct EndpointCount {
  std::size_t tried = 0, reached = 0;
};
EndpointCount count_endpoints(const Report& report);

// Separated by commas, or by semicolons if a title contains a comma.
std::string listed(const std::vector<std::string>& titles);
std::string duration_phrase(Milliseconds duration);  // "0.4 ms", "12 ms", "1.2 s", "3 min 20 s"
std::string minute_of(WallTime time);                // "2026-11-20 12:00 UTC"
std::string when_and_where(const Report& report);    // "Measured at Lyon from pc-17, 2026-..."
std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ");

}  // namespace callready
