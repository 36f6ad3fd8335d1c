// A stream like a call's, judged by the vendor's figures.
#pragma once

#include <vector>

#include "probe/model/media.hpp"
#include "probe/model/report.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// What the vendor asks of the stream of that row: the row's own figures, and where it has none
// those of the capabilities that need it, else of any capability of the set.
Thresholds media_figures(const TargetSet& set, const Requirement& requirement);

// A stream like a call's tells of the row, or was to: then no single round trips do.
bool is_streamed(const Requirement& requirement, const std::vector<const ProbeResult*>& probes);

// The figures that it missed, the vendor's, and where he gives none the usual ones; of delay,
// jitter and MOS none where this computer was too busy to measure them. Of loss those too that it
// may have missed: more was lost than the vendor allows, and yet so little was sent that it may
// have been chance.
std::vector<MissedFigure> missed_figures(const MediaStream& stream, const Thresholds& wanted);

// Its bound is above what the vendor allows, too.
bool is_sure(const MissedFigure& missed);

// Where what was missed happened, as far as the first router's own answers during the stream
// tell: between this computer and it (Wi-Fi, LAN), or beyond it.
enum class Place { unknown, first_hop, beyond };
Place place_of(const MediaStream& stream, const MissedFigure& missed);

// "the first router (10.0.0.1) answered 150 of 150 probes, jitter 0.3 ms"
Text first_hop_in_words(const FirstHop& hop);
// "the Wi-Fi's signal was -78 dBm before and -80 dBm after": of this computer beside the stream;
// empty where the system said nothing. What it means is told by the first router's losses alone.
Text own_state_in_words(const MediaStream& stream);

// The line is full that way while there is one call of ours: most of its packets queue for longer
// than any line without a queue would take.
bool is_full(const MediaStream& stream, MediaWay way);

// The line carries fewer calls at once than were asked for.
bool too_few_calls(const MediaStream& stream);

// True where more may pass than are known to: not all numbers up to the first that failed were
// tried.
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
