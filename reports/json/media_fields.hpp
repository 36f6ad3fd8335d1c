// The members of a stream's figures in a report: one list of names, for both writing and reading.
// Internal to reports/.
#pragma once

#include <concepts>
#include <type_traits>

#include "probe/model/media.hpp"

namespace callready {

// The struct, const or not.
template <typename Any, typename Struct>
concept MaybeConst = std::same_as<std::remove_const_t<Any>, Struct>;

// Each of these calls `visit(name, member)` for each member.
template <MaybeConst<Share> Any, typename Visit>
void fields(Any& share, Visit visit) {
  visit("percent", share.percent);
  visit("low", share.low);
  visit("high", share.high);
}

template <MaybeConst<CallScore> Any, typename Visit>
void fields(Any& score, Visit visit) {
  visit("r", score.r);
  visit("mos", score.mos);
  visit("mos_low", score.mos_low);
  visit("mos_high", score.mos_high);
}

template <MaybeConst<MediaSecond> Any, typename Visit>
void fields(Any& second, Visit visit) {
  visit("sent", second.sent);
  visit("lost", second.lost);
  visit("median_ms", second.delay_ms);
  visit("most_ms", second.delay_most_ms);
}

template <MaybeConst<MediaDirection> Any, typename Visit>
void fields(Any& direction, Visit visit) {
  visit("sent", direction.sent);
  visit("received", direction.received);
  visit("lost", direction.lost);
  visit("loss", direction.loss);
  visit("bursts", direction.bursts);
  visit("longest_burst", direction.longest_burst);
  visit("burst_ratio", direction.burst_ratio);
  visit("worst_burst_percent", direction.worst_burst_percent);
  visit("bad_stretches", direction.bad_stretches);
  visit("duplicates", direction.duplicates);
  visit("reordered", direction.reordered);
  visit("out_of_order", direction.out_of_order);
  visit("late", direction.late);
  visit("buffer_ms", direction.buffer_ms);
  visit("late_fixed", direction.late_fixed);
  visit("one_way_delay_ms", direction.delay_ms);
  visit("delay_uncertainty_ms", direction.delay_uncertainty_ms);
  visit("jitter_ms", direction.jitter_ms);
  visit("jitter_most_ms", direction.jitter_most_ms);
  visit("variation_ms", direction.variation_ms);
  visit("score", direction.score);
  visit("score_fixed", direction.score_fixed);
  visit("dscp_sent", direction.dscp_sent);
  visit("dscp_arrived", direction.dscp_arrived);
  visit("seconds", direction.seconds);
  visit("histogram", direction.histogram);
}

template <MaybeConst<MediaOutage> Any, typename Visit>
void fields(Any& outage, Visit visit) {
  visit("from_ms", outage.from_ms);
  visit("length_ms", outage.length_ms);
  visit("way", outage.way);
  visit("to_the_end", outage.to_the_end);
  visit("new_session", outage.new_session);
  visit("moved", outage.moved);
}

template <MaybeConst<CallStep> Any, typename Visit>
void fields(Any& step, Visit visit) {
  visit("calls", step.calls);
  visit("sent", step.sent);
  visit("lost_up", step.lost_up);
  visit("lost_down", step.lost_down);
  visit("queued_up_ms", step.queued_up_ms);
  visit("queued_down_ms", step.queued_down_ms);
  visit("passed", step.passed);
}

template <MaybeConst<CallCapacity> Any, typename Visit>
void fields(Any& capacity, Visit visit) {
  visit("wanted", capacity.wanted);
  visit("passed", capacity.passed);
  visit("fit", capacity.fit);
  visit("busy", capacity.busy);
  visit("limit", capacity.limit);
  visit("way", capacity.way);
  visit("steps", capacity.steps);
}

template <MaybeConst<FirstHop> Any, typename Visit>
void fields(Any& hop, Visit visit) {
  visit("router", hop.router);
  visit("echo", hop.echo);
  visit("wireless", hop.wireless);
  visit("sent", hop.sent);
  visit("answered", hop.answered);
  visit("loss", hop.loss);
  visit("median_ms", hop.median_ms);
  visit("jitter_ms", hop.jitter_ms);
}

template <MaybeConst<WifiLink> Any, typename Visit>
void fields(Any& link, Visit visit) {
  visit("signal_dbm", link.signal_dbm);
  visit("quality_percent", link.quality_percent);
}

template <MaybeConst<MediaStream> Any, typename Visit>
void fields(Any& stream, Visit visit) {
  visit("codec", stream.codec);
  visit("packet_bytes", stream.packet_bytes);
  visit("interval_ms", stream.interval_ms);
  visit("jitter_buffer_ms", stream.jitter_buffer_ms);
  visit("fit", stream.fit);
  visit("sender_late_ms", stream.sender_late_ms);
  visit("clock_error_ms", stream.clock_error_ms);
  visit("round_trip_ms", stream.round_trip_ms);
  visit("round_trip_least_ms", stream.round_trip_least_ms);
  visit("round_trip_loss", stream.round_trip_loss);
  visit("by_relays", stream.by_relays);
  visit("up", stream.up);
  visit("down", stream.down);
  visit("loop", stream.loop);
  visit("outage", stream.outage);
  visit("calls", stream.calls);
  visit("first_hop", stream.first_hop);
  visit("wifi_before", stream.wifi_before);
  visit("wifi_after", stream.wifi_after);
  visit("busy_percent", stream.busy_percent);
}

}  // namespace callready
