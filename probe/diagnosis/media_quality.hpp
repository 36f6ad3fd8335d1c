// A stream like a call's, held against the vendor's figures.
#pragma once

#include <string>
#include <vector>

#include "probe/model/media.hpp"
#include "probe/model/target_set.hpp"

namespace callready {

// What the vendor asks of the stream of that row: the row's own figures, and where it has none
// those of the capabilities that need it.
Thresholds media_figures(const TargetSet& set, const Requirement& requirement);

// The figures that it missed; of delay and jitter none where this computer was too busy to measure
// them. Of loss those too that it may have missed: more was lost than the vendor allows, and yet so
// little was sent that it may have been bad luck.
std::vector<MissedFigure> missed_figures(const MediaStream& stream, const Thresholds& wanted);

// Its bound is above what the vendor allows, too.
bool is_sure(const MissedFigure& missed);

// Where what was missed happened, as far as the first router's own answers in the same seconds
// tell: between this computer and it (Wi-Fi, LAN), or beyond it.
enum class Place { unknown, first_hop, beyond };
Place place_of(const MediaStream& stream, const MissedFigure& missed);

// "The router 10.0.0.1 answered 150 of 150 questions in the same seconds, jitter 0.3 ms"
std::string first_hop_in_words(const FirstHop& hop);

// The line carries fewer calls at once than were asked for.
bool too_few_calls(const MediaStream& stream);

// "9 of 12 calls at once passed; with 12 packets waited for each other on the way out (45 ms)";
// empty where it was not asked.
std::string calls_in_words(const MediaStream& stream);

// "2.1 % lost on the way out (at least 1.3 %), and the vendor wants at most 1 %"
std::string missed_in_words(const MissedFigure& missed);

// "out: 0 of 750 lost (at most 0.4 %), about 30 ms, jitter 0.2 ms, MOS 4.4; back: ..."
std::string stream_in_words(const MediaStream& stream);

}  // namespace callready
