#include "probe/model/media.hpp"

namespace callready {

Text way_in_words(MediaWay way) {
  switch (way) {
    case MediaWay::up:
      return phrase("on the way out");
    case MediaWay::down:
      return phrase("on the way back");
    case MediaWay::both:
      break;
  }
  return phrase("over the round trip");
}

template <>
std::span<const Word<QualityFigure>> words() {
  static constexpr Word<QualityFigure> table[] = {
      {QualityFigure::burst_loss, "burst_loss"},
      {QualityFigure::jitter, "jitter"},
      {QualityFigure::loss, "loss"},
      {QualityFigure::mos, "mos"},
      {QualityFigure::one_way_delay, "one_way_delay"},
      {QualityFigure::reordering, "reordering"},
      {QualityFigure::round_trip, "round_trip"},
  };
  return table;
}

template <>
std::span<const Word<MediaWay>> words() {
  static constexpr Word<MediaWay> table[] = {
      {MediaWay::both, "both"}, {MediaWay::down, "down"}, {MediaWay::up, "up"}};
  return table;
}

template <>
std::span<const Word<CallLimit>> words() {
  static constexpr Word<CallLimit> table[] = {{CallLimit::loss, "loss"},
                                              {CallLimit::policing, "policing"},
                                              {CallLimit::queueing, "queueing"}};
  return table;
}

}  // namespace callready
