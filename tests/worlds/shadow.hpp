// What worlds would say of a whole report, including statuses, verdicts and the next question. In
// the program, rules decide these (docs/diagnosis.md).
#pragma once

#include "probe/diagnosis/reach/question.hpp"
#include "tests/worlds/told.hpp"

namespace callready::reach {

// How probable each verdict, or status, is.
struct Odds {
  double good = 0, limited = 0, lost = 0, open = 0;
  double all() const { return good + limited + lost + open; }
};

struct JudgedRow {
  Status status = Status::unknown;
  Odds odds;
};

struct JudgedSet {
  Verdict verdict = Verdict::unknown;
  Odds odds;
  std::vector<std::pair<Verdict, Odds>> capabilities;  // in the report's order
};

struct Judged {
  std::vector<JudgedRow> rows;  // in the order of AskedRows
  std::vector<JudgedSet> sets;  // in the report's order
};

Judged judge(const Report& report, const Drawn& drawn, const AskedRows& asked);

// The packet whose fate best separates the remaining worlds.
struct Question {
  PacketFlow flow;
  bool as_far_as_the_last_router = false;
  double gain = 0;  // bits that its answer brings, on average
  // What may become of it, and how probable that is.
  std::vector<std::pair<std::string, double>> answers;
};

// Nothing if all worlds say nearly the same of everything that known hosts could be asked.
std::optional<Question> next_question(const Report& report, const Sight& sight, const Boxes& boxes,
                                      const std::vector<World>& worlds);

std::string in_words(const Question& question);

struct Shadow : Drawn {
  std::vector<Finding> contents;  // of today's rules, taken over as they are
  AskedRows asked_rows;
  Told told;
  Judged judged;
  std::optional<Question> question;  // only where something is open
};

// Of a report with its findings, of which those about contents are taken over. Pure.
Shadow diagnose(const Report& report, const RowReach& reach, const SearchLimits& limits = {},
                std::span<const KindOfBox> table = kinds());

// The report as it would be if worlds decided: statuses, verdicts and findings are theirs.
Report as_report(const Report& report, const Shadow& diagnosis);

}  // namespace callready::reach
