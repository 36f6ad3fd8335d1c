// A stream like a call's, judged by the vendor's figures.
#pragma once

#include <vector>

#include "probe/model/media.hpp"
#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// The most one-way delay of a good call (ITU-T G.114), for vendors that give none.
inline constexpr double usual_delay_ms = 150;

// What the vendor requires of that row's stream: the row's own figures, or else those of the
// capabilities that need it, or else of any capability of the set.
Thresholds media_figures(const TargetSet& set, const Requirement& requirement);

// True if a stream like a call's decides the row, or was meant to: then single round trips do not.
bool is_streamed(const Requirement& requirement, const Probes& probes);

// The figures that the stream missed: the vendor's, or the usual ones where there are none; no
// delay, jitter or MOS if this computer was too busy to measure them. Loss is listed even if it is
// in doubt: more was lost than the vendor allows, but so little was sent that it may have been
// chance.
std::vector<MissedFigure> missed_figures(const MediaStream& stream, const Thresholds& wanted);

// True if even its bound is beyond what the vendor allows.
bool is_sure(const MissedFigure& missed);

// Where the figure was missed, as far as the first router's own answers during the stream show:
// between this computer and it (Wi-Fi, LAN), or beyond it.
enum class Place { unknown, first_hop, beyond };
Place place_of(const MediaStream& stream, const MissedFigure& missed);

// "the first router (10.0.0.1) answered 150 of 150 probes, jitter 0.3 ms"
Text first_hop_in_words(const FirstHop& hop);
// "the Wi-Fi's signal was -78 dBm before and -80 dBm after": this computer's own state around the
// stream; empty if the system said nothing. Only the first router's losses show what it means.
Text own_state_in_words(const MediaStream& stream);

// True if the line is full that way with only one call of ours: most of its packets queue for
// longer than any line without a queue would take.
bool is_full(const MediaStream& stream, MediaWay way);

// True if the line carries fewer calls at once than were asked for.
bool too_few_calls(const MediaStream& stream);

// True if more may pass than are known to: not all numbers up to the first that failed were tried.
bool may_carry_more(const CallCapacity& calls);

// "9 of 12 calls at once passed; with 12, packets queued on the way out (up to 45 ms)";
// empty where it was not asked.
Text calls_in_words(const MediaStream& stream);

// "2.1 % lost on the way out (at least 1.3 %), and the vendor wants at most 1 %"
Text missed_in_words(const MissedFigure& missed);

// Capabilities that carry media are no better than a stream of the same set, whichever row it was
// measured for.
void degrade_by_streams(SetResult& result, const TargetSet& set);

// "silent from 12.0 s on, to the end (3.0 s), on the way out"; empty where it was not.
Text outage_in_words(const MediaStream& stream);

// "out: 0 of 750 lost (at most 0.4 %), about 30 ms, jitter 0.2 ms, MOS 4.4; back: ..."
Text stream_in_words(const MediaStream& stream);

}  // namespace callready
