// From the remaining worlds to the status of each row and the verdict of each capability and set.
// In each world everything is decided by today's judge (probe/diagnosis/status/judge.hpp); what
// holds in worlds that together are probable enough is reported.
#include <algorithm>

#include "probe/diagnosis/status/judge.hpp"
#include "tests/worlds/shadow.hpp"

namespace callready::reach {
namespace {

double& place_of(Odds& odds, Verdict verdict) {
  switch (verdict) {
    case Verdict::ready:
      return odds.good;
    case Verdict::degraded:
      return odds.limited;
    case Verdict::blocked:
      return odds.lost;
    case Verdict::unknown:
      return odds.open;
  }
  return odds.open;
}

// Worlds may disagree on whether it works by the first choice: it works all the same.
Verdict verdict_of(const Odds& odds) {
  if (odds.lost >= is_likely) return Verdict::blocked;
  if (odds.good >= is_likely) return Verdict::ready;
  return odds.good + odds.limited >= is_likely ? Verdict::degraded : Verdict::unknown;
}

Status status_of(const JudgedRow& row, const RequirementResult& now) {
  const auto& odds = row.odds;
  if (odds.all() < is_likely) {  // nothing was sent for it, or that would not matter in some worlds
    const bool open = now.status == Status::unknown || now.status == Status::skip;
    return open ? now.status : Status::skip;
  }
  const bool spared = now.lost && odds.lost >= is_likely;
  if (spared) return Status::warn;
  if (odds.lost >= is_likely) return Status::fail;
  if (odds.good + odds.limited < is_likely) return Status::unknown;
  return odds.good >= is_likely ? Status::pass : Status::warn;
}

// What one world makes of one row.
struct RowState {
  Works works = Works::untried;
  bool impaired = false;
  friend auto operator<=>(const RowState&, const RowState&) = default;
};

// One set, to be judged in one world after another.
class SetJudge {
 public:
  SetJudge(const SetResult& set, const AskedRows& asked) {
    for (std::size_t i = 0; i < asked.rows.size(); ++i) {
      if (asked.rows[i].set != &set) continue;
      const auto& row = *asked.rows[i].row;
      RequirementResult slim;
      slim.id = row.id;
      slim.severity = row.severity;
      slim.status = row.status;
      slim.poor = row.poor;
      rows_.push_back(std::move(slim));
      order_.push_back({i, &row});
    }
    for (const auto& result : set.capabilities) {
      Capability capability;
      capability.id = result.id;
      capability.calls = result.calls;
      capability.needs = result.needs;
      if (capability.needs.empty()) {
        for (const auto& row : result.requirements) capability.needs.push_back({{{row}}, false});
      }
      capabilities_.push_back(std::move(capability));
    }
  }

  struct Verdicts {
    Verdict set = Verdict::unknown;
    std::vector<Verdict> capabilities;
  };

  const Verdicts& in_world(const std::vector<RowState>& all) {
    std::vector<RowState> mine;
    for (const auto& [number, row] : order_) mine.push_back(all[number]);
    const auto [known, fresh] = known_.try_emplace(mine);
    if (fresh) known->second = decide(mine);
    return known->second;
  }

 private:
  Verdicts decide(const std::vector<RowState>& states) {
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const auto& [number, now] = order_[i];
      auto& row = rows_[i];
      row.impaired = states[i].impaired;
      row.lost = false;
      switch (states[i].works) {
        case Works::yes:
          row.status = Status::pass;
          break;
        case Works::gone:
        case Works::no:
          row.lost = now->lost;
          row.status = now->lost ? Status::warn : Status::fail;
          break;
        case Works::unknown:
          row.status = Status::unknown;
          break;
        case Works::untried:
          row.status = now->status == Status::unknown ? Status::unknown : Status::skip;
          break;
      }
    }
    Verdicts verdicts;
    const Rows rows(rows_);
    std::vector<CapabilityResult> results;
    for (const auto& capability : capabilities_) {
      results.push_back(judge_capability(capability, rows));
      verdicts.capabilities.push_back(results.back().verdict);
    }
    verdicts.set = verdict_of_set(results, rows);
    return verdicts;
  }

  std::vector<std::pair<std::size_t, const RequirementResult*>> order_;
  std::vector<RequirementResult> rows_;  // in that order
  std::vector<Capability> capabilities_;
  std::map<std::vector<RowState>, Verdicts> known_;
};

std::vector<RowState> states_in(const Drawn& drawn, const AskedRows& asked, const World& world) {
  const auto probes = works(drawn, asked, world);
  const auto has = [&](Code code) {
    return std::ranges::any_of(world.boxes,
                               [&](auto number) { return drawn.boxes[number].code == code; });
  };
  const bool symmetric = has(FindingCode::nat_symmetric), rewritten = has(FindingCode::sip_alg);
  std::vector<RowState> states;
  for (const auto& row : asked.rows) {
    const bool condition = (row.nat && symmetric) || ((row.sip_alg || row.plain_sip) && rewritten);
    states.push_back({works(drawn.asked, row, probes), row.worse || condition});
  }
  return states;
}

}  // namespace

Judged judge(const Report& report, const Drawn& drawn, const AskedRows& asked) {
  Judged judged;
  judged.rows.resize(asked.rows.size());
  judged.sets.resize(report.sets.size());
  std::vector<SetJudge> judges;
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    judges.emplace_back(report.sets[i], asked);
    judged.sets[i].capabilities.resize(report.sets[i].capabilities.size());
  }
  for (const auto& world : drawn.worlds) {
    const auto states = states_in(drawn, asked, world);
    for (std::size_t i = 0; i < states.size(); ++i) {
      auto& odds = judged.rows[i].odds;
      const auto& [works, impaired] = states[i];
      if (works == Works::untried) continue;
      auto& place = works == Works::no || works == Works::gone ? odds.lost
                    : works == Works::unknown                  ? odds.open
                    : impaired                                 ? odds.limited
                                                               : odds.good;
      place += world.probability;
    }
    for (std::size_t i = 0; i < judges.size(); ++i) {
      const auto& verdicts = judges[i].in_world(states);
      auto& set = judged.sets[i];
      place_of(set.odds, verdicts.set) += world.probability;
      for (std::size_t j = 0; j < verdicts.capabilities.size(); ++j) {
        place_of(set.capabilities[j].second, verdicts.capabilities[j]) += world.probability;
      }
    }
  }
  for (std::size_t i = 0; i < judged.rows.size(); ++i) {
    judged.rows[i].status = status_of(judged.rows[i], *asked.rows[i].row);
  }
  for (auto& set : judged.sets) {
    set.verdict = verdict_of(set.odds);
    for (auto& [verdict, odds] : set.capabilities) verdict = verdict_of(odds);
  }
  return judged;
}

}  // namespace callready::reach
