#include "probe/diagnosis/reach/likelihood.hpp"

#include <algorithm>

namespace callready::reach {
namespace {

struct Cell {
  Fate fate;
  Seen seen;
  double probability;
};

// Rows need not add up to 1 where one hidden quantity serves many events (is ICMP rationed? what is
// behind a rewritten name?): that is not charged packet by packet.
constexpr Cell cells[] = {
    {Fate::drop, Seen::nothing, 1},
    {Fate::drop, Seen::dropped, .95},
    {Fate::deaf, Seen::nothing, 1},
    {Fate::deaf, Seen::one_way, .98},
    {Fate::deaf, Seen::expired, .9},
    {Fate::deaf, Seen::arrived, .5},     // a filter of UDP may let errors in
    {Fate::deaf, Seen::closed, .00003},  // half of what it is where nothing is dropped
    {Fate::down, Seen::nothing, 1},
    {Fate::closed, Seen::closed, .6},
    {Fate::closed, Seen::arrived, .6},
    {Fate::closed, Seen::refused, .7},
    {Fate::closed, Seen::refused_far, .5},
    {Fate::closed, Seen::nothing, .3},
    {Fate::prohibit, Seen::prohibited, .5},
    {Fate::prohibit, Seen::refused_way, .3},
    {Fate::prohibit, Seen::nothing, .2},
    {Fate::prohibit, Seen::dropped, .9},
    {Fate::ration, Seen::prohibited, .2},
    {Fate::ration, Seen::refused_way, .1},
    {Fate::ration, Seen::nothing, .8},
    {Fate::ration, Seen::dropped, .9},
    {Fate::refuse, Seen::refused, .5},
    {Fate::refuse, Seen::refused_way, .5},
    {Fate::refuse, Seen::refused_by, .3},
    {Fate::refuse, Seen::prohibited, .4},  // one rule may reset TCP, and prohibit UDP
    {Fate::refuse, Seen::closed, .01},
    {Fate::refuse, Seen::arrived, .01},
    {Fate::refuse, Seen::nothing, .95},  // UDP: the rule that resets TCP may drop it
    {Fate::refuse, Seen::dropped, .95},
    {Fate::forge, Seen::refused, .6},
    {Fate::forge, Seen::refused_way, .4},
    {Fate::forge, Seen::closed, .5},
    {Fate::forge, Seen::nothing, .3},
    {Fate::forge, Seen::dropped, .3},
    {Fate::forge, Seen::arrived, .5},
    {Fate::forge, Seen::forged, .4},
    {Fate::ignore, Seen::nothing, 1},
    {Fate::ignore, Seen::closed, .3},  // of another port, where nobody listens
    {Fate::ignore, Seen::mute, 1},
    {Fate::ignore, Seen::expired, .9},
    {Fate::mute, Seen::mute, 1},
    {Fate::mute, Seen::nothing, .05},
    {Fate::cut, Seen::cut, .95},
    {Fate::cut, Seen::mute, .05},
    {Fate::take, Seen::open, .95},
    {Fate::take, Seen::mute, .95},
    {Fate::take, Seen::cut, .05},
    {Fate::take, Seen::talk, .001},
    {Fate::take, Seen::reply, .95},  // over UDP, of a device that answers by itself
    {Fate::take, Seen::taken, .9},
    {Fate::take, Seen::dropped, .1},
    {Fate::carry, Seen::open, .97},
    {Fate::carry, Seen::talk, .97},
    {Fate::carry, Seen::reply, .97},
    {Fate::carry, Seen::mute, .02},
    {Fate::carry, Seen::taken, .9},
    {Fate::carry, Seen::dropped, .1},
    {Fate::carry, Seen::expired, .05},
    {Fate::unheard, Seen::open, .97},
    {Fate::unheard, Seen::mute, .97},
    {Fate::unheard, Seen::taken, .9},
    {Fate::unheard, Seen::dropped, .1},
    {Fate::unheard, Seen::expired, .05},
    {Fate::big, Seen::mute, .95},
    {Fate::big, Seen::talk, .1},
    {Fate::big, Seen::open, .97},
    {Fate::big, Seen::expired, .9},
    {Fate::big, Seen::nothing, .02},
    {Fate::portal, Seen::foreign, .95},
    {Fate::portal, Seen::talk, .1},
    {Fate::portal, Seen::open, .5},
    {Fate::portal, Seen::mute, .1},
    {Fate::maybe, Seen::nothing, .5},
    {Fate::maybe, Seen::reply, .5},
    {Fate::maybe, Seen::talk, .5},
    {Fate::maybe, Seen::open, .5},
    {Fate::maybe, Seen::expired, .5},
    {Fate::maybe, Seen::arrived, .4},
    {Fate::maybe, Seen::dropped, .5},
    {Fate::maybe, Seen::mute, .2},
    {Fate::rarely, Seen::nothing, .85},
    {Fate::rarely, Seen::reply, .15},
    {Fate::rarely, Seen::talk, .15},
    {Fate::rarely, Seen::open, .15},
    {Fate::rarely, Seen::expired, .15},
    {Fate::rarely, Seen::arrived, .1},
    {Fate::rarely, Seen::dropped, .85},
    {Fate::rarely, Seen::mute, .1},
    {Fate::severed, Seen::mute, .8},
    {Fate::severed, Seen::nothing, .5},
    {Fate::severed, Seen::dropped, .5},
    {Fate::severed, Seen::open, .5},
    {Fate::severed, Seen::expired, .5},
    {Fate::severed, Seen::reply, .3},
    {Fate::severed, Seen::arrived, .3},
    {Fate::severed, Seen::talk, .1},
};

constexpr std::size_t seen_count = static_cast<std::size_t>(Seen::sample) + 1;
using Table = std::array<std::array<Bits, seen_count>, fate_count>;

constexpr Table likelihoods = [] {
  Table made{};
  for (auto& row : made) row.fill(leak);
  // Whoever gets it may do anything, but not what another host or a server of ours says.
  auto& elsewhere = made[static_cast<std::size_t>(Fate::elsewhere)];
  elsewhere.fill(surprise(.7));
  for (const auto seen : {Seen::refused_by, Seen::one_way, Seen::sample}) {
    elsewhere[static_cast<std::size_t>(seen)] = leak;
  }
  for (const auto& [fate, seen, probability] : cells) {
    made[static_cast<std::size_t>(fate)][static_cast<std::size_t>(seen)] = surprise(probability);
  }
  return made;
}();

constexpr double power(double base, int exponent) {
  double result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

constexpr double leak_share = power(0.5, 20);
// What is given up on a line that takes a second and more may have been answered.
constexpr double too_late = .25;
// A known responder that keeps silent for a reason that no box has, asked twice or more.
constexpr double silent_responder = power(0.5, 13);
// A relay that hears nothing of us: its own rules, or an address of ours that it does not know.
constexpr double deaf_relay = power(0.5, 6);

// A connection that a device should have reset, and that got no answer.
constexpr double unreset = .03, unreset_syn = .3;  // the whole way; of one that ends on the way

// Where nobody is known to listen.
constexpr double silent_stranger = .3, refusing_stranger = .4;

// What passes: `lost` is the share of requests that get no answer by chance.
double passing(const FlowEvent& event, bool slow_line, double lost) {
  const auto sent = std::min(event.sent, 20);
  const auto late = slow_line ? too_late : 0;
  const bool unheard = event.seen == Seen::nothing || event.seen == Seen::refused ||
                       event.seen == Seen::refused_far || event.seen == Seen::closed;
  if (!event.expected && unheard) {
    return event.seen == Seen::nothing ? silent_stranger : refusing_stranger;
  }
  switch (event.seen) {
    case Seen::reply:
      return .99 * std::max(power(lost, sent - 1) * (1 - lost), leak_share);
    case Seen::nothing:
      return power(lost, sent) + (slow_line        ? too_late
                                  : event.by_relay ? deaf_relay
                                                   : silent_responder);
    case Seen::talk:
      return .98 * (sent > 1 ? std::max(power(lost, sent - 1), leak_share) : 1);
    case Seen::open:
      return .99 * (sent > 1 ? std::max(power(lost, sent - 1), leak_share) : 1);
    case Seen::mute:
      return power(0.5, 12) + lost / 10 + late;
    case Seen::arrived:
    case Seen::expired:
      return .9 * (1 - power(lost, sent));
    case Seen::dropped:
      return power(0.5, 10) + power(lost, sent);
    case Seen::taken:
      return power(0.5, 12);
    case Seen::one_way:  // it was asked three times, and has heard us
      return power(0.5, 16);
    case Seen::cut:
    case Seen::refused:
    case Seen::refused_far:
    case Seen::closed:
    case Seen::foreign:
      return power(0.5, 14);
    case Seen::refused_way:
    case Seen::forged:
    case Seen::refused_by:
    case Seen::prohibited:
    case Seen::sample:
      return leak_share;
  }
  return leak_share;
}

// So many of so many, each by chance: the binomial distribution.
Bits sample_bits(const FlowEvent& event, double lost) {
  double log = 0;
  for (int i = 1; i <= event.answered; ++i) {
    log += log2_of(static_cast<double>(event.sent - event.answered + i) / i);
  }
  log += event.answered * log2_of(1 - lost) + (event.sent - event.answered) * log2_of(lost);
  return -log * one_bit >= leak ? leak : bits(-log);
}

// The share of handshakes that are so near, or not.
double nearness(Fate fate, bool too_near) {
  // Who carries a connection on may have it stand there first.
  const bool near = fate == Fate::take || fate == Fate::forge;
  const bool carried = fate == Fate::carry || fate == Fate::unheard;
  const double share = near ? .98 : carried ? .85 : .01;
  return too_near ? share : 1 - share;
}

}  // namespace

Bits bits_of(const FlowEvent& event, bool slow_line, Fate fate, double loss) {
  const auto lost = 1 - (1 - loss) * (1 - loss);  // the request, or its answer
  if (event.seen == Seen::sample) {
    if (fate == Fate::pass) return sample_bits(event, lost);
    if (fate == Fate::half) {
      return event.one_flow ? one_bit + sample_bits(event, lost)
                            : sample_bits(event, (1 + lost) / 2);
    }
    // Any number of them.
    return is_chance(fate) || fate == Fate::severed ? surprise(1.0 / (event.sent + 1)) : leak;
  }
  const bool passes = fate == Fate::pass || fate == Fate::close;
  const auto passed = passing(event, slow_line, lost);
  const auto& listed = likelihoods[static_cast<std::size_t>(fate)];
  auto cost = passes ? surprise(passed) : listed[static_cast<std::size_t>(event.seen)];
  if (fate == Fate::half) {
    const bool none = event.seen == Seen::nothing || event.seen == Seen::dropped;
    // On the dead path it is lost, and lost again; on the other it fares as any.
    cost = !event.resent ? surprise((passed + (none ? 1 : 0)) / 2) : none ? 0 : leak;
  }
  // Who answers no strangers takes their connections all the same.
  if (fate == Fate::ignore && !event.flow.udp && event.seen == Seen::nothing) {
    cost = surprise(passed);
  }
  // Whoever resets one connection resets all of them: resets are not rationed.
  const bool resets = (fate == Fate::refuse || fate == Fate::forge) && !event.flow.udp;
  if (resets && event.seen == Seen::nothing) cost = surprise(unreset);
  if (resets && event.seen == Seen::dropped) cost = surprise(unreset_syn);
  if (event.too_near) cost += surprise(nearness(fate, *event.too_near));
  return std::min(cost, leak);
}

}  // namespace callready::reach
