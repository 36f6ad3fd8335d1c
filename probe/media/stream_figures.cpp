#include "probe/media/stream_figures.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <map>

#include "probe/media/e_model.hpp"
#include "probe/media/jitter_buffer.hpp"

namespace callready::media {
namespace {

// NTP slews by 500 ppm at most, and no crystal is as far off.
constexpr double most_skew = 600e-6;

double lag(const Arrival& one) { return one.arrived_ms - one.sent_ms; }

// The slope of the lower edge of the delays over time: of the line below all of them that is
// nearest to them (Moon, Skelly, Towsley, INFOCOM 1999), which is the edge of their convex hull
// under the middle of the time.
double lower_slope(std::span<const Arrival> arrivals) {
  std::vector<Arrival> sorted(arrivals.begin(), arrivals.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Arrival& a, const Arrival& b) { return a.sent_ms < b.sent_ms; });
  std::vector<Arrival> hull;
  double middle = 0;
  for (const auto& one : sorted) {
    middle += one.sent_ms / static_cast<double>(sorted.size());
    if (!hull.empty() && one.sent_ms <= hull.back().sent_ms) continue;
    while (hull.size() >= 2) {
      const auto& a = hull[hull.size() - 2];
      const auto& b = hull.back();
      const double turn = (b.sent_ms - a.sent_ms) * (lag(one) - lag(a)) -
                          (lag(b) - lag(a)) * (one.sent_ms - a.sent_ms);
      if (turn > 0) break;
      hull.pop_back();
    }
    hull.push_back(one);
  }
  for (std::size_t i = 1; i < hull.size(); ++i) {
    if (hull[i].sent_ms < middle && i + 1 < hull.size()) continue;
    return (lag(hull[i]) - lag(hull[i - 1])) / (hull[i].sent_ms - hull[i - 1].sent_ms);
  }
  return 0;
}

struct Bursts {
  int count = 0, longest = 0;
  double ratio = 1;
};

// Runs of losses, and BurstR = 1 / (p + r) of a Gilbert model (G.107 section 7.5 note).
Bursts bursts_of(const std::vector<Fate>& fates) {
  Bursts bursts;
  int run = 0, good = 0, good_to_bad = 0, bad = 0, bad_to_good = 0;
  std::optional<bool> last_lost;
  for (const auto fate : fates) {
    if (fate == Fate::unknown) continue;
    const bool lost = fate == Fate::lost;
    if (last_lost) {
      (*last_lost ? bad : good) += 1;
      if (*last_lost != lost) (lost ? good_to_bad : bad_to_good) += 1;
    }
    if (lost && run == 0) ++bursts.count;
    run = lost ? run + 1 : 0;
    bursts.longest = std::max(bursts.longest, run);
    last_lost = lost;
  }
  if (good == 0 || bad == 0) return bursts;
  const double p = static_cast<double>(good_to_bad) / good,
               r = static_cast<double>(bad_to_good) / bad;
  if (p + r > 0) bursts.ratio = std::max(1.0, 1 / (p + r));
  return bursts;
}

// Losses within 200 ms, which is how people hear them.
void add_stretches(const std::vector<Fate>& fates, double interval_ms, MediaDirection& direction) {
  const auto length = static_cast<std::size_t>(std::max(1.0, 200 / interval_ms));
  if (fates.size() < length) return;
  int lost = 0, most = 0, bad = 0;
  std::size_t counted_from = 0;  // bad stretches do not overlap
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] == Fate::lost) ++lost;
    if (i >= length && fates[i - length] == Fate::lost) --lost;
    most = std::max(most, lost);
    const auto from = i + 1 < length ? 0 : i + 1 - length;
    if (from < counted_from || lost < 2) continue;
    ++bad;
    counted_from = i + 1;
  }
  direction.worst_burst_percent = 100.0 * most / static_cast<double>(length);
  direction.bad_stretches = bad;
}

// RFC 3550 section 6.4.1, in the order of arrival. J starts at 0, so the mean leaves out the first
// packets, during which it settles.
void add_jitter(const std::vector<Arrival>& arrivals, MediaDirection& direction) {
  constexpr std::size_t settling = 64;  // (15/16)^64 = 1.6 % of the start are left
  double jitter = 0, sum = 0, most = 0;
  std::size_t counted = 0;
  for (std::size_t i = 1; i < arrivals.size(); ++i) {
    jitter += (std::abs(lag(arrivals[i]) - lag(arrivals[i - 1])) - jitter) / 16;
    if (i < settling && arrivals.size() > 2 * settling) continue;
    sum += jitter;
    most = std::max(most, jitter);
    ++counted;
  }
  if (counted == 0) return;
  direction.jitter_ms = sum / static_cast<double>(counted);
  direction.jitter_most_ms = most;
}

// `waits`: of each of `timed`, how much longer it took than the fastest one.
void add_seconds(const Trace& trace, const std::vector<Arrival>& timed,
                 const std::vector<double>& waits, const FigureOptions& options,
                 MediaDirection& direction) {
  const auto a_second = static_cast<std::size_t>(std::max(1.0, 1000 / options.interval_ms));
  std::map<std::size_t, std::vector<double>> delays;
  for (std::size_t i = 0; i < trace.fates.size(); ++i) {
    if (i / a_second >= direction.seconds.size()) direction.seconds.emplace_back();
    auto& second = direction.seconds.back();
    if (trace.fates[i] != Fate::unknown) ++second.sent;
    if (trace.fates[i] == Fate::lost) ++second.lost;
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    delays[timed[i].sequence / a_second].push_back(waits[i]);
  }
  for (const auto& [number, all] : delays) {
    if (number >= direction.seconds.size()) continue;
    direction.seconds[number].delay_ms = percentile(all, 0.5);
    direction.seconds[number].delay_most_ms = *std::max_element(all.begin(), all.end());
  }
}

}  // namespace

Share share_of(int count, int all) {
  Share share;
  share.high = 100;
  if (all <= 0) return share;
  const double k = count, n = all;
  share.percent = 100 * k / n;
  if (count > 0) share.low = 100 * boost::math::ibeta_inv(k, n - k + 1, 0.05);
  if (count < all) share.high = 100 * boost::math::ibeta_inv(k + 1, n - k, 0.95);
  return share;
}

Share share_of(int count, int all, int bursts) {
  auto share = share_of(count, all);
  if (bursts <= 0 || count <= bursts || count >= all) return share;
  const double k = count, n = all, runs = bursts;
  const auto fewer = [](double length) { return std::max(1.0, 2 * length - 1); };
  const double seen = fewer(k / runs);
  share.low = 100 * boost::math::ibeta_inv(k / seen, (n - k) / seen + 1, 0.05);
  const double at_most = fewer(1 / boost::math::ibeta_inv(runs, k - runs + 1, 0.2));
  share.high = 100 * boost::math::ibeta_inv(k / at_most + 1, (n - k) / at_most, 0.95);
  return share;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = std::ceil(share * static_cast<double>(values.size())) - 1;
  const auto index =
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(rank), 0, std::ssize(values) - 1);
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<std::size_t>(index)];
}

CallScore score_of(const MediaDirection& direction, const Buffering& buffer,
                   const FigureOptions& options) {
  const auto at = [&](double lost_percent, double delay_ms) {
    Path path;
    // The time to fill a packet, the way, and the jitter buffer.
    path.delay_ms = std::max(0.0, delay_ms) + options.interval_ms + buffer.held_ms;
    const int all = direction.received + direction.lost;
    const double late = all == 0 ? 0 : 100.0 * buffer.late / all;
    path.loss_percent = std::min(100.0, lost_percent + late);
    path.burst_ratio = direction.burst_ratio;
    return options.opus ? rate_fullband(path) : rate(path).r;
  };
  const auto heard = [&](double r) { return options.opus ? mos_fullband(r) : mos(r); };
  CallScore result;
  const double delay = *direction.delay_ms, off = direction.delay_uncertainty_ms.value_or(0);
  result.r = at(direction.loss.percent, delay);
  result.mos = heard(result.r);
  result.mos_low = heard(at(direction.loss.high, delay + off));
  result.mos_high = heard(at(direction.loss.low, delay - off));
  return result;
}

std::optional<double> jitter_of(const std::vector<double>& took_ms) {
  std::vector<Arrival> arrivals;
  for (const double took : took_ms) arrivals.push_back({0, 0, took});
  MediaDirection direction;
  add_jitter(arrivals, direction);
  return direction.jitter_ms;
}

double clock_skew(std::span<const Arrival> up, std::span<const Arrival> down) {
  if (up.size() < 50 || down.size() < 50) return 0;
  const double skew = (lower_slope(up) - lower_slope(down)) / 2;
  return std::abs(skew) > most_skew ? 0 : skew;
}

MediaDirection figures_of(const Trace& trace, const FigureOptions& options) {
  MediaDirection direction;
  for (const auto fate : trace.fates) {
    if (fate == Fate::arrived) ++direction.received;
    if (fate == Fate::lost) ++direction.lost;
  }
  direction.sent = direction.received + direction.lost;
  direction.duplicates = trace.duplicates;
  const auto bursts = bursts_of(trace.fates);
  direction.loss = share_of(direction.lost, direction.sent, bursts.count);
  add_stretches(trace.fates, options.interval_ms, direction);
  direction.bursts = bursts.count;
  direction.longest_burst = bursts.longest;
  direction.burst_ratio = bursts.ratio;
  if (trace.arrivals.empty()) return direction;

  auto arrivals = trace.arrivals;
  const double start = arrivals.front().sent_ms;
  for (auto& one : arrivals) one.arrived_ms -= options.skew * (one.sent_ms - start);
  std::uint32_t expected = 0;  // RFC 4737 section 3.3
  for (const auto& one : arrivals) {
    if (one.sequence < expected) ++direction.reordered;
    expected = std::max(expected, one.sequence + 1);
  }
  direction.out_of_order = share_of(direction.reordered, static_cast<int>(arrivals.size()));
  std::vector<Arrival> timed;
  std::copy_if(arrivals.begin(), arrivals.end(), std::back_inserter(timed),
               [](const Arrival& one) { return one.timed; });
  if (timed.empty()) return direction;
  std::vector<double> waits;
  for (const auto& one : timed) waits.push_back(lag(one));
  const double least = *std::min_element(waits.begin(), waits.end());
  for (auto& wait : waits) wait -= least;
  direction.late_fixed = static_cast<int>(std::count_if(
      waits.begin(), waits.end(), [&](double wait) { return wait > options.jitter_buffer_ms; }));
  const auto last_known = std::find_if(trace.fates.rbegin(), trace.fates.rend(),
                                       [](Fate fate) { return fate != Fate::unknown; });
  const auto playout =
      play(arrivals, static_cast<int>(trace.fates.rend() - last_known), options.interval_ms);
  const auto concealed = static_cast<int>(std::lround(playout.concealed_ms / options.interval_ms));
  direction.late = std::max(0, concealed - direction.lost);
  direction.buffer_ms = playout.held_ms;
  direction.histogram.assign(later_ms.size() + 1, 0);
  for (const double wait : waits) {
    const auto bar = std::upper_bound(later_ms.begin(), later_ms.end(), wait);
    ++direction.histogram[static_cast<std::size_t>(bar - later_ms.begin())];
  }
  direction.variation_ms = percentile(waits, 0.999);
  add_jitter(timed, direction);
  if (options.least_round_trip_ms) {
    const double half = *options.least_round_trip_ms / 2;
    direction.delay_ms = half + percentile(waits, 0.5);
    direction.delay_uncertainty_ms = half;
    // The time in the buffer counts from when the fastest packet could have come.
    auto fastest = direction;
    fastest.delay_ms = half;
    direction.score = score_of(fastest, {playout.held_ms, direction.late}, options);
    direction.score_fixed =
        score_of(direction, {options.jitter_buffer_ms, *direction.late_fixed}, options);
  }
  add_seconds(trace, timed, waits, options, direction);
  return direction;
}

}  // namespace callready::media
