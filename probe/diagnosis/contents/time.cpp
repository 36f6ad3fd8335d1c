// What time it really is, by the sources that a run heard; and a clock that is wrong.
#include <algorithm>
#include <cmath>

#include "probe/diagnosis/rules.hpp"
#include "probe/model/day.hpp"

namespace callready::findings {
namespace {

struct ConsensusTime {
  double offset_ms = 0;   // to add to the local clock
  bool at_least = false;  // only certificates tell
  std::vector<FindingEvidence> evidence;
};

struct Source {
  const ProbeResult* result;
  double offset_ms;
  Text text;
};

Text date_in_words(const ProbeResult& result, double offset_s) {
  const auto seconds = whole(std::abs(offset_s));
  const auto& host = result.probe.target.host;
  return offset_s > 0
             ? phrase("The Date header of {} is {} s ahead of this computer's clock.", host,
                      seconds)
             : phrase("The Date header of {} is {} s behind this computer's clock.", host, seconds);
}

std::vector<Source> sources(const Facts& facts) {
  std::vector<Source> found;
  for (const auto& result : facts.report.probes) {
    // A sign-in page has the clock of the device that made it, whosever page it stands for.
    if (is_another_page(result)) continue;
    for (const auto& evidence : result.observation.evidence) {
      if (evidence.kind == EvidenceKind::clock_offset) {
        const auto offset = number_fact(evidence, Fact::offset_ms);
        if (offset) found.push_back({&result, *offset, evidence.text});
      } else if (evidence.kind == EvidenceKind::http_reply) {
        const auto offset = number_fact(evidence, Fact::date_offset_s);
        if (offset) found.push_back({&result, *offset * 1000, date_in_words(result, *offset)});
      }
    }
  }
  // No clock is off by a century; such numbers are also too large to calculate with.
  std::erase_if(found, [](const Source& one) { return !(std::abs(one.offset_ms) < 3.2e12); });
  return found;
}

// A Date header counts whole seconds, and retransmissions blur an NTP offset by a few more.
bool agree(const Source& a, const Source& b) {
  return a.result->probe.target.host != b.result->probe.target.host &&
         std::abs(a.offset_ms - b.offset_ms) <= 5'000;
}

// Over plain HTTP a device on the way may answer, with a clock of its own, unless the page is
// known.
bool may_be_a_devices(const Source* source) {
  const auto& probe = source->result->probe;
  const auto* reply = evidence_of(*source->result, EvidenceKind::http_reply);
  return probe.check == CheckKind::http && probe.target.transport == Transport::tcp &&
         reply != nullptr && flag_fact(*reply, Fact::body_matches) != std::optional(true);
}

// A minute: less hurts nothing that calls need, and computers that are never set drift by a minute
// in weeks.
constexpr double noticeable_skew_ms = 60'000;

// "2026-11-20T12:00:00Z" as the checks write it.
std::optional<std::chrono::sys_seconds> parse_time(const std::string& text) {
  if (text.size() != 20 || text[10] != 'T' || text[19] != 'Z') return std::nullopt;
  const auto number = [&](std::size_t from) {
    return whole_number<unsigned>(std::string_view(text).substr(from, 2));
  };
  const auto day = parse_day(std::string_view(text).substr(0, 10));
  const auto hour = number(11), minute = number(14), second = number(17);
  if (!day || !hour || !minute || !second) return std::nullopt;
  return *day + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

// True where the probe failed over a certificate's dates and would not have at the right time.
bool fault_of_the_clock(const ProbeResult& result, const ConsensusTime& time) {
  const auto& seen = result.observation;
  const bool dated = seen.detail == DetailCode::expired || seen.detail == DetailCode::not_yet_valid;
  if (seen.outcome != Outcome::failed || !dated || !seen.sent_at) return false;
  // In seconds: a certificate without an end is valid until 9999, which no time in nanoseconds is.
  const auto now = std::chrono::floor<std::chrono::seconds>(
      std::chrono::floor<std::chrono::milliseconds>(*seen.sent_at) + Milliseconds(time.offset_ms));
  const auto chain = chain_of(result);
  return !chain.empty() && std::ranges::all_of(chain, [&](const Certificate& certificate) {
    const auto from = parse_time(certificate.not_before);
    const auto until = parse_time(certificate.not_after);
    return from && until && *from <= now && now <= *until;
  });
}

// "2 hours", "90 seconds", "3 days".
Text duration_in_words(double ms) {
  const double seconds = ms / 1000;
  if (seconds < 120) return phrase("{} seconds", whole(seconds));
  if (seconds < 2 * 3600) return phrase("{} minutes", whole(seconds / 60));
  if (seconds < 2 * 86400) return phrase("{} hours", whole(seconds / 3600));
  return phrase("{} days", whole(seconds / 86400));
}

// Two sources of two hosts that agree: time servers, and web servers' Date. Nothing where there
// are not two, where they contradict each other, or where all are pages over plain HTTP whose body
// is not known.
std::optional<ConsensusTime> consensus_time(const Facts& facts) {
  const auto all = sources(facts);
  std::vector<const Source*> best;
  for (const auto& one : all) {
    std::vector<const Source*> circle{&one};
    for (const auto& other : all) {
      if (agree(one, other)) circle.push_back(&other);
    }
    if (circle.size() > best.size()) best = circle;
  }
  // Two that agree against two that agree on something else decide nothing.
  if (best.size() < 2 || 2 * best.size() <= all.size()) return std::nullopt;
  if (std::ranges::all_of(best, may_be_a_devices)) return std::nullopt;
  auto by_offset = best;
  std::ranges::sort(by_offset, {}, &Source::offset_ms);
  ConsensusTime time;
  time.offset_ms = by_offset[by_offset.size() / 2]->offset_ms;
  // In the report's order: the order of the offsets may differ once they have been rounded there.
  for (const auto* source : best) time.evidence.push_back({source->result->probe.id, source->text});
  return time;
}

// When the latest of its certificates begins, as far ahead of the local clock.
std::optional<double> begins_in_ms(const ProbeResult& result) {
  std::optional<double> latest;
  for (const auto& certificate : chain_of(result)) {
    const auto from = parse_time(certificate.not_before);
    if (!from || !result.observation.sent_at) return std::nullopt;
    const std::chrono::duration<double, std::milli> ahead = *from - *result.observation.sent_at;
    latest = std::max(latest.value_or(ahead.count()), ahead.count());
  }
  return latest;
}

// Each certificate that was seen, of two operators at least, is out of date: no two of them forget
// theirs at once. One source of the time that makes all of them valid is enough then; and without
// any, certificates that have not begun say how slow the clock is, at least.
std::optional<ConsensusTime> time_by_certificates(const Facts& facts) {
  const auto all = facts.probes_that(
      [](const ProbeResult& result) { return is_direct(result) && has_certificate(result); });
  if (parties_of(all).size() < 2) return std::nullopt;
  const auto told = sources(facts);
  for (const auto& source : told) {
    ConsensusTime time;
    time.offset_ms = source.offset_ms;
    time.evidence.push_back({source.result->probe.id, source.text});
    const bool mends_all = std::ranges::all_of(
        all, [&](const auto* result) { return fault_of_the_clock(*result, time); });
    if (mends_all) return time;
  }
  if (!told.empty()) return std::nullopt;
  ConsensusTime time;
  time.at_least = true;
  for (const auto* result : all) {
    const auto ahead = begins_in_ms(*result);
    if (result->observation.detail != DetailCode::not_yet_valid || !ahead) return std::nullopt;
    time.offset_ms = std::max(time.offset_ms, *ahead + 1000);  // valid from then on
  }
  return time;
}

}  // namespace

bool time_is_known(const Facts& facts) { return consensus_time(facts).has_value(); }

Causes find_clock_skew(const Diagnosis& context) {
  auto consensus = consensus_time(context);
  if (!consensus) consensus = time_by_certificates(context);
  if (!consensus || std::abs(consensus->offset_ms) < noticeable_skew_ms) return {};
  Cause cause;
  cause.name(FindingCode::time_skewed, consensus->at_least ? likely : certain);
  const bool slow = consensus->offset_ms > 0;
  const auto amount = duration_in_words(std::abs(consensus->offset_ms));
  cause.title = consensus->at_least ? phrase("This computer's clock is at least {} slow", amount)
                : slow              ? phrase("This computer's clock is {} slow", amount)
                                    : phrase("This computer's clock is {} fast", amount);
  cause.fix = phrase(
      "{}, and turn on automatic time (NTP). With a wrong clock, certificates seem expired or not "
      "yet valid, and sign-in and phone registration fail.",
      consensus->at_least ? phrase("Set the clock of this computer")
      : slow              ? phrase("Set the clock of this computer forward by {}", amount)
                          : phrase("Set the clock of this computer back by {}", amount));
  cause.evidence = consensus->evidence;
  if (consensus->at_least)
    cause.tell(phrase("None of the certificates that servers sent is valid yet."));
  for (const auto& result : context.report.probes) {
    if (fault_of_the_clock(result, *consensus)) {
      cause.explained.push_back(&result);
      cause.tell(what_it_saw(result));
    }
  }
  return {cause};
}

}  // namespace callready::findings
