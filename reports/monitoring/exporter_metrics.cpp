// What `callready exporter` exports for one run, for Prometheus: at most most_series for a set, no
// address or host in any label, and nothing about the site but its name. A Prometheus that polls
// rarely has no history of its own, so this says since when things have been so.
#include "reports/monitoring/exporter_metrics.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "probe/model/set_age.hpp"
#include "reports/format.hpp"
#include "reports/words/finding_words.hpp"
#include "reports/words/marks.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {
namespace {

// These keep a set within 300 series, including those of the run and of the exporter: 15 of its
// own, 5 per capability, 1 per row and 1 per round trip, 13 per stream, and 5 per finding.
constexpr std::size_t most_capabilities = 20, most_rows = 70, most_trips = 24, most_streams = 2,
                      most_findings = 12;

// By probe: the round trip to its endpoint, if that was reached.
std::map<std::string, double> round_trips(const Report& report) {
  std::map<std::string, double> trips;
  for (const auto& [probe, seen] : report.probes) {
    const auto trip = round_trip_of(seen);
    if (trip && reached(seen.outcome)) trips[probe.id] = trip->count() / 1000;
  }
  return trips;
}

std::map<std::string, const MediaStream*> streams(const Report& report) {
  std::map<std::string, const MediaStream*> found;
  for (const auto& [probe, seen] : report.probes) {
    if (seen.media) found[probe.id] = &*seen.media;
  }
  return found;
}

// Where several streams were measured: the worst of each.
struct StreamFigures {
  std::optional<double> loss, delay_ms, jitter_ms, mos;

  void take(const MediaDirection& way, bool fit) {
    loss = std::max(loss.value_or(0), way.loss.percent / 100);
    if (!fit) return;  // the rest is this computer's own doing
    delay_ms = std::max(delay_ms, way.delay_ms);
    jitter_ms = std::max(jitter_ms, way.jitter_ms);
    if (way.score) mos = std::min(mos.value_or(way.score->mos), way.score->mos);
  }
};

class Series {
 public:
  explicit Series(const Report& report)
      : report_(report), trips_(round_trips(report)), streams_(streams(report)) {}

  std::vector<Metric> take() {
    add_run();
    for (const auto& set : report_.sets) add_set(set);
    add_findings();
    std::vector<Metric> all;
    for (auto* metric : {&info_,
                         &when_,
                         &took_,
                         &complete_,
                         &verdict_,
                         &verdict_runs_,
                         &verdict_since_,
                         &edition_,
                         &verified_,
                         &published_,
                         &left_out_,
                         &capability_,
                         &capability_since_,
                         &row_,
                         &trip_,
                         &loss_,
                         &delay_,
                         &jitter_,
                         &mos_,
                         &missed_,
                         &finding_,
                         &finding_runs_,
                         &finding_since_,
                         &finding_info_,
                         &affects_,
                         &findings_left_out_}) {
      if (!metric->samples().empty()) all.push_back(std::move(*metric));
    }
    return all;
  }

 private:
  Labels labels(Labels more = {}) const {
    more.emplace(more.begin(), "site", report_.site.name);
    return more;
  }

  void add_run() {
    info_.add(labels({{"version", report_.tool.version}}), 1);
    when_.add(labels(), unix_seconds(report_.finished_at));
    took_.add(labels(), report_.duration.count() / 1000);
    complete_.add(labels(), report_.complete ? 1 : 0);
  }

  void add_set(const SetResult& set) {
    const auto own = labels({{"set", set.id}});
    verdict_.add_states(own, "verdict", set.verdict);
    if (set.standing) {
      verdict_runs_.add(own, set.standing->runs);
      verdict_since_.add(own, unix_seconds(set.standing->since));
    }
    edition_.add(labels({{"set", set.id}, {"title", set.title}, {"edition", set.edition}}), 1);
    if (const auto day = parse_rfc3339(set.verified + "T00:00:00Z")) {
      verified_.add(own, unix_seconds(*day));
    }
    if (const auto published = published_day(set.published)) {
      published_.add(own, unix_seconds(*published));
    }
    const auto capabilities = std::min(set.capabilities.size(), most_capabilities);
    for (std::size_t i = 0; i < capabilities; ++i) {
      const auto& one = set.capabilities[i];
      const auto which = labels({{"set", set.id}, {"capability", one.id}});
      capability_.add_states(which, "verdict", one.verdict);
      if (one.standing) capability_since_.add(which, unix_seconds(one.standing->since));
    }
    const auto rows = add_rows(set);
    left_out_.add(own, static_cast<double>(set.capabilities.size() - capabilities +
                                           set.requirements.size() - rows));
  }

  // For a set with more rows than there is room for, only the worst.
  std::size_t add_rows(const SetResult& set) {
    std::vector<const RequirementResult*> rows;
    for (const auto& row : set.requirements) rows.push_back(&row);
    std::stable_sort(rows.begin(), rows.end(), [](const auto* left, const auto* right) {
      return badness(left->status) > badness(right->status);
    });
    rows.resize(std::min(rows.size(), most_rows));
    std::size_t trips = 0, measured = 0;
    for (const auto* row : rows) {
      if (measured < most_streams) measured += add_streams(set, *row);
      row_.add(labels({{"set", set.id},
                       {"requirement", row->id},
                       {"severity", std::string(to_string(row->severity))},
                       {"status", std::string(to_string(row->status))}}),
               1);
      std::vector<double> seen;
      for (const auto& probe : row->probes) {
        if (const auto trip = trips_.find(probe); trip != trips_.end())
          seen.push_back(trip->second);
      }
      if (seen.empty() || ++trips > most_trips) continue;
      const auto middle = seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2);
      std::nth_element(seen.begin(), middle, seen.end());
      trip_.add(labels({{"set", set.id}, {"requirement", row->id}}), *middle);
    }
    return rows.size();
  }

  // 1 if there is one.
  std::size_t add_streams(const SetResult& set, const RequirementResult& row) {
    std::map<MediaWay, StreamFigures> ways;
    for (const auto& probe : row.probes) {
      const auto stream = streams_.find(probe);
      if (stream == streams_.end()) continue;
      for (const auto way : {MediaWay::up, MediaWay::down, MediaWay::both}) {
        const auto& direction = stream->second->direction(way);
        if (direction) ways[way].take(*direction, stream->second->fit);
      }
    }
    for (const auto& [way, figures] : ways) {
      const auto which = labels(
          {{"set", set.id}, {"requirement", row.id}, {"direction", std::string(to_string(way))}});
      if (figures.loss) loss_.add(which, *figures.loss);
      if (figures.delay_ms) delay_.add(which, *figures.delay_ms / 1000);
      if (figures.jitter_ms) jitter_.add(which, *figures.jitter_ms / 1000);
      if (figures.mos) mos_.add(which, *figures.mos);
    }
    if (ways.empty()) return 0;
    missed_.add(labels({{"set", set.id}, {"requirement", row.id}}),
                static_cast<double>(row.missed.size()));
    return 1;
  }

  // One series per code: if it has several findings, for the surest.
  void add_findings() {
    std::map<FindingCode, std::vector<const Finding*>> codes;
    std::set<FindingCode> left_out;
    for (const auto& finding : report_.findings) {
      auto found = codes.find(finding.code);
      if (found == codes.end() && codes.size() == most_findings) {
        left_out.insert(finding.code);
        continue;
      }
      codes[finding.code].push_back(&finding);
    }
    findings_left_out_.add(labels(), static_cast<double>(left_out.size()));
    for (auto& [code, all] : codes) {
      const auto& surest = **std::min_element(
          all.begin(), all.end(),
          [](const auto* left, const auto* right) { return left->confidence < right->confidence; });
      const auto which = labels({{"code", std::string(to_string(code))},
                                 {"confidence", std::string(to_string(surest.confidence))},
                                 {"owner", std::string(to_string(surest.owner))}});
      finding_.add(which, static_cast<double>(all.size()));
      int runs = 0;
      std::optional<WallTime> since;
      std::map<std::string, int> sets;
      for (const auto* one : all) {
        for (const auto& affected : one->affects) ++sets[affected.set];
        if (!one->standing) continue;
        runs = std::max(runs, one->standing->runs);
        since = std::min(since.value_or(one->standing->since), one->standing->since);
      }
      if (since) {
        finding_runs_.add(which, runs);
        finding_since_.add(which, unix_seconds(*since));
      }
      auto info = which;
      info.emplace_back("fix", fix_in_short(code));
      finding_info_.add(info, 1);
      for (const auto& [set, count] : sets) {
        affects_.add(labels({{"code", std::string(to_string(code))}, {"set", set}}), count);
      }
    }
  }

  const Report& report_;
  std::map<std::string, double> trips_;
  std::map<std::string, const MediaStream*> streams_;
  Metric info_{"callready_info", "Version of callready that made the run, as a label. Always 1."};
  Metric when_{"callready_run_timestamp_seconds",
               "Unix time at which the run ended. Scrapes get the last result, not a new run."};
  Metric took_{"callready_run_duration_seconds", "Duration of the run in seconds."};
  Metric complete_{"callready_run_complete",
                   "1 if the run was complete, 0 if it was stopped or ran out of time."};
  Metric verdict_{"callready_set_verdict",
                  "Verdict on the service as seen from here: 1 for the current one, 0 for the "
                  "others."};
  Metric verdict_runs_{"callready_set_verdict_runs",
                       "Number of consecutive runs with the current verdict on the service."};
  Metric verdict_since_{"callready_set_verdict_since_timestamp_seconds",
                        "Unix time at which the first of the consecutive runs with the current "
                        "verdict on the service began."};
  Metric edition_{"callready_set_info",
                  "Title of the service and edition of its requirements, as labels. Always 1."};
  Metric verified_{"callready_set_verified_timestamp_seconds",
                   "Unix time of the day on which the requirements were last compared with the "
                   "vendor's document."};
  Metric published_{"callready_set_published_timestamp_seconds",
                    "Unix time of the day on which the vendor's document was published, at the "
                    "latest."};
  Metric left_out_{"callready_set_series_left_out",
                   "Number of capabilities and requirements without series here, because there are "
                   "too many."};
  Metric capability_{"callready_capability_verdict",
                     "Verdict on a part of the service as seen from here: 1 for the current one, 0 "
                     "for the others."};
  Metric capability_since_{"callready_capability_verdict_since_timestamp_seconds",
                           "Unix time at which the first of the consecutive runs with the current "
                           "verdict on this part began."};
  Metric row_{"callready_requirement_status",
              "Status of a requirement of the vendor, as a label. Always 1."};
  Metric trip_{"callready_requirement_round_trip_seconds",
               "Median round-trip time in seconds to the endpoints of the requirement that were "
               "reached."};
  Metric loss_{
      "callready_stream_loss_ratio",
      "Share of a stream's packets that was lost, from 0 to 1: on the way out (up), on the "
      "way back (down), or over the round trip (both)."};
  Metric delay_{"callready_stream_delay_seconds",
                "Median delay of a stream's packets in seconds, one way."};
  Metric jitter_{"callready_stream_jitter_seconds",
                 "Mean jitter of a stream's packets in seconds (RFC 3550)."};
  Metric mos_{"callready_stream_mos",
              "How a call would sound, from 1 to 4.5 (mean opinion score by ITU-T G.107)."};
  Metric missed_{"callready_stream_missed_figures",
                 "Number of figures that the stream missed: the vendor's, or ITU-T's if the vendor "
                 "gives none."};
  Metric finding_{"callready_finding", "Number of findings of this code in the run."};
  Metric finding_runs_{"callready_finding_runs",
                       "Number of consecutive runs with a finding of this code."};
  Metric finding_since_{"callready_finding_since_timestamp_seconds",
                        "Unix time at which the first of the consecutive runs with a finding of "
                        "this code began."};
  Metric finding_info_{"callready_finding_info",
                       "What to do about the finding, in short, as a label. Always 1. The report "
                       "has the full text."};
  Metric affects_{"callready_finding_affects",
                  "Number of findings of this code that affect the service."};
  Metric findings_left_out_{"callready_findings_left_out",
                            "Number of finding codes without series here, because there are too "
                            "many. The report has them all."};
};

}  // namespace

std::vector<Metric> exporter_metrics(const Report& report) { return Series(report).take(); }

std::string render_exporter(const Report& report, const RenderOptions&) {
  std::string text;
  for (const auto& metric : exporter_metrics(report)) text += metric.text();
  return text;
}

}  // namespace callready
