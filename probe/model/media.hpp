// What happened to a stream like a call's, separately for each direction: what the `media` check
// saw. All times in milliseconds, all shares in percent; empty values were not measured.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/ip.hpp"
#include "probe/model/text.hpp"
#include "probe/model/words.hpp"

namespace callready {

// How many calls a run may make at once (--calls).
inline constexpr int most_calls = 100;

// A share with its bounds: it is below `high`, and above `low`, with 95 % confidence each.
struct Share {
  double percent = 0, low = 0, high = 0;
};

// How a call would sound to the listener at the end of that direction (ITU-T G.107): R, the MOS
// derived from it, and the worst and best MOS within the bounds of the loss and of the delay.
struct CallScore {
  double r = 0, mos = 0, mos_low = 0, mos_high = 0;
};

// One second of a stream, for charts.
struct MediaSecond {
  int sent = 0, lost = 0;
  std::optional<double> delay_ms, delay_most_ms;  // above the shortest of the stream
};

// How much later than the fastest packet the others arrived: the upper bounds of a histogram's
// bars, the last of which has none.
inline constexpr std::array<double, 9> later_ms{1, 2, 5, 10, 20, 30, 40, 60, 100};

struct MediaDirection {
  int sent = 0, received = 0, lost = 0;
  Share loss;
  int bursts = 0, longest_burst = 0;  // packets lost in a row
  double burst_ratio = 1;             // G.107's BurstR: 1 where losses do not cluster
  std::optional<int> duplicates;
  int reordered = 0;                  // RFC 4737: came after one that was sent later
  std::optional<Share> out_of_order;  // the same, as a share of those that arrived
  // Arrived, but too late for an adaptive jitter buffer like those of browsers and phones, counted
  // in packets' worth of sound; and how long that buffer held packets on average.
  int late = 0;
  std::optional<double> buffer_ms;
  // The same for a buffer of a fixed length (MediaStream::jitter_buffer_ms).
  std::optional<int> late_fixed;

  // Half of the shortest round trip, plus how much longer than the fastest packet it took. The two
  // directions may differ, so the true delay is up to `delay_uncertainty_ms` off.
  std::optional<double> delay_ms;  // median
  std::optional<double> delay_uncertainty_ms;
  std::optional<double> jitter_ms, jitter_most_ms;  // RFC 3550 section 6.4.1: mean, largest
  std::optional<double>
      variation_ms;  // RFC 5481 section 4.2: the 99.9th percentile above the least
  std::optional<CallScore> score, score_fixed;
  // The share of packets lost in the worst 200 ms, and the number of such stretches, none of which
  // overlap, that lost two packets or more.
  std::optional<double> worst_burst_percent;
  std::optional<int> bad_stretches;

  std::optional<int> dscp_sent, dscp_arrived;  // the code point most packets came with
  std::vector<MediaSecond> seconds;
  std::vector<int> histogram;  // packets by later_ms; empty: not measured
};

enum class MediaWay { both, down, up };
// "on the way out", "on the way back", "over the round trip"
Text way_in_words(MediaWay way);

// A silence within the stream or, worse, to its end. Times since its first measured packet.
struct MediaOutage {
  double from_ms = 0, length_ms = 0;
  std::optional<MediaWay> way;  // where the packets were lost; empty: nobody can say
  bool to_the_end = false;
  // If it lasts to the end: whether a new session, from another local port, was answered at once.
  // Then the line works, and only the flow is dead.
  std::optional<bool> new_session;
  // Packets of the old session reached the far end from a different address or port than before.
  std::optional<bool> moved;
};

// What limits a line that carries too few calls: packets are lost at any load; a device drops what
// exceeds a rate; packets queue.
enum class CallLimit { loss, policing, queueing };

// A number of calls at once, for some seconds.
struct CallStep {
  int calls = 0, sent = 0;  // packets each way
  int lost_up = 0, lost_down = 0;
  double queued_up_ms = 0, queued_down_ms = 0;  // the worst second's median, above the idle line's
  bool passed = false;
};

// Whether the line carries that many calls at once (after ITU-T Y.1564, in steps).
struct CallCapacity {
  int wanted = 0, passed = 0;
  bool fit = true;           // false: this computer could not send so many packets in time
  std::optional<bool> busy;  // the far end had no room for all of them: the last step says nothing
  std::vector<CallStep> steps;
  std::optional<CallLimit> limit;  // nothing: all passed, or not `fit`
  MediaWay way = MediaWay::both;   // that has the limit
};

// How the first router on the way answered during the stream: whether it is the Wi-Fi or the LAN.
struct FirstHop {
  IpAddress router;
  // ICMP echo, ten times a second; or "time exceeded" for packets that end there, once a second.
  bool echo = false;
  std::optional<bool> wireless;  // the interface that leads there, where the system says
  int sent = 0, answered = 0;
  Share loss;                                  // there and back
  std::optional<double> median_ms, jitter_ms;  // of round trips; RFC 3550 section 6.4.1
};

// What the driver reports about a joined Wi-Fi; nothing is sent for it.
struct WifiLink {
  std::optional<double> signal_dbm, quality_percent;
};

struct MediaStream {
  std::string codec;     // "g711", "opus"
  int packet_bytes = 0;  // of UDP payload
  double interval_ms = 0, jitter_buffer_ms = 0;
  // Whether this computer kept good time. If not, delay, jitter and score say as much about the
  // computer as about the network.
  bool fit = true;
  double sender_late_ms = 0;  // 99th percentile of how late packets left
  // 99th percentile of the error in the times of leaving.
  std::optional<double> clock_error_ms;
  std::optional<double> round_trip_ms, round_trip_least_ms;  // median, shortest
  Share round_trip_loss;
  // The far end was two relays of a TURN server, one reached over a stream and one over UDP: each
  // direction then has counts (what was lost over UDP that way), half of the round trip as its
  // delay, and no jitter. Jitter and late packets are in `loop`: over UDP there and back.
  std::optional<bool> by_relays;
  std::optional<MediaDirection> loop;
  // Empty where the far end does not count what it gets (a stateless reflector).
  std::optional<MediaDirection> up, down;
  // For both: `loop`.
  const std::optional<MediaDirection>& direction(MediaWay way) const {
    return way == MediaWay::up ? up : way == MediaWay::down ? down : loop;
  }
  std::optional<MediaOutage> outage;  // the longest
  std::optional<CallCapacity> calls;
  std::optional<FirstHop> first_hop;  // empty: none on the way, or it does not answer
  // Of the interface that leads there; empty if it is not Wi-Fi, or the system does not say.
  std::optional<WifiLink> wifi_before, wifi_after;
  std::optional<double> busy_percent;  // of this computer's processors, during the stream
};

// The figures that a stream is judged by, and one that it missed. `bound`: for shares, the lower
// bound with 95 % confidence; otherwise the same as `measured`. For the MOS, less is worse.
enum class QualityFigure { burst_loss, jitter, loss, mos, one_way_delay, reordering, round_trip };
struct MissedFigure {
  QualityFigure figure = QualityFigure::loss;
  MediaWay way = MediaWay::both;
  double measured = 0, bound = 0, wanted = 0;
  std::string probe;   // id
  bool usual = false;  // the vendor gives none: the ITU-T's, or a usual one
};

template <>
std::span<const Word<QualityFigure>> words();
template <>
std::span<const Word<MediaWay>> words();
template <>
std::span<const Word<CallLimit>> words();

}  // namespace callready
