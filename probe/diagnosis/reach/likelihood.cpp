#include "probe/diagnosis/reach/likelihood.hpp"

#include <algorithm>

namespace callready::reach {
namespace {

struct Cell {
  Seen seen;
  double probability;
};

constexpr std::size_t seen_count = static_cast<std::size_t>(Seen::sample) + 1;
using Table = std::array<std::array<Bits, seen_count>, fate_count>;

// What each fate is seen as. Rows need not add up to 1 where one hidden quantity serves many events
// (is ICMP rationed? what is behind a rewritten name?): that is not charged packet by packet.
constexpr Table likelihoods = [] {
  using enum Seen;
  Table made{};
  for (auto& row : made) row.fill(leak);
  // Whoever gets it may do anything, except what only another host or a server of ours can report.
  auto& elsewhere = made[static_cast<std::size_t>(Fate::elsewhere)];
  elsewhere.fill(surprise(.7));
  for (const auto seen : {refused_by, one_way, sample}) {
    elsewhere[static_cast<std::size_t>(seen)] = leak;
  }
  const auto put = [&](Fate fate, std::initializer_list<Cell> cells) {
    for (const auto& [seen, probability] : cells) {
      made[static_cast<std::size_t>(fate)][static_cast<std::size_t>(seen)] = surprise(probability);
    }
  };
  put(Fate::drop, {{nothing, 1}, {dropped, .95}});
  // A filter of UDP may let errors in; `closed` is half as likely as where nothing is dropped.
  put(Fate::deaf, {{nothing, 1}, {one_way, .98}, {expired, .9}, {arrived, .5}, {closed, .00003}});
  put(Fate::down, {{nothing, 1}});
  put(Fate::closed, {{closed, .6}, {arrived, .6}, {refused, .7}, {refused_far, .5}, {nothing, .3}});
  put(Fate::prohibit, {{prohibited, .5}, {refused_way, .3}, {nothing, .2}, {dropped, .9}});
  put(Fate::ration, {{prohibited, .2}, {refused_way, .1}, {nothing, .8}, {dropped, .9}});
  // One rule may reset TCP, and prohibit UDP or drop it.
  put(Fate::refuse, {{refused, .5}, {refused_way, .5}, {refused_by, .3}, {prohibited, .4}});
  put(Fate::refuse, {{closed, .01}, {arrived, .01}, {nothing, .95}, {dropped, .95}});
  put(Fate::forge, {{refused, .6}, {refused_way, .4}, {closed, .5}, {nothing, .3}});
  put(Fate::forge, {{dropped, .3}, {arrived, .5}, {forged, .4}});
  // `closed`: of another port, where nobody listens.
  put(Fate::ignore, {{nothing, 1}, {closed, .3}, {mute, 1}, {expired, .9}});
  // `open`: a connection that nothing was sent over.
  put(Fate::mute, {{mute, 1}, {nothing, .05}, {open, .97}});
  put(Fate::cut, {{cut, .95}, {mute, .05}, {open, .97}});
  // `reply`: over UDP, from a device that answers by itself.
  put(Fate::take, {{open, .95}, {mute, .95}, {cut, .05}, {talk, .001}});
  put(Fate::take, {{reply, .95}, {taken, .9}, {dropped, .1}});
  put(Fate::carry, {{open, .97}, {talk, .97}, {reply, .97}, {mute, .02}});
  put(Fate::carry, {{taken, .9}, {dropped, .1}, {expired, .05}});
  put(Fate::unheard, {{open, .97}, {mute, .97}, {taken, .9}, {dropped, .1}, {expired, .05}});
  put(Fate::big, {{mute, .95}, {talk, .1}, {open, .97}, {expired, .9}, {nothing, .02}});
  put(Fate::portal, {{foreign, .95}, {talk, .1}, {open, .5}, {mute, .1}});
  put(Fate::maybe, {{nothing, .5}, {reply, .5}, {talk, .5}, {open, .5}});
  put(Fate::maybe, {{expired, .5}, {arrived, .4}, {dropped, .5}, {mute, .2}});
  put(Fate::rarely, {{nothing, .85}, {reply, .15}, {talk, .15}, {open, .15}});
  put(Fate::rarely, {{expired, .15}, {arrived, .1}, {dropped, .85}, {mute, .1}});
  put(Fate::severed, {{mute, .8}, {nothing, .5}, {dropped, .5}, {open, .5}});
  put(Fate::severed, {{expired, .5}, {reply, .3}, {arrived, .3}, {talk, .1}});
  return made;
}();

constexpr double power(double base, int exponent) {
  double result = 1;
  for (int i = 0; i < exponent; ++i) result *= base;
  return result;
}

constexpr double leak_share = power(0.5, 20);
// What was given up on a line that takes a second or more may have been answered later.
constexpr double too_late = .25;
// A known responder that keeps silent for a reason that no box covers, asked twice or more.
constexpr double silent_responder = power(0.5, 13);
// A relay that hears nothing from us: its own rules, or an address of ours that it does not know.
constexpr double deaf_relay = power(0.5, 6);

// A connection that a device should have reset, and that got no answer.
constexpr double unreset = .03, unreset_syn = .3;  // the whole way; of one that ends on the way

// Where nobody is known to listen.
constexpr double silent_stranger = .3, refusing_stranger = .4;

// What passes: `lost` is the share of requests that get no answer by chance.
double passing(const FlowEvent& event, bool slow_line, double lost) {
  const auto sent = std::min(event.sent, 20);
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
      return .98 * std::max(power(lost, sent - 1), leak_share);
    case Seen::open:
      return .99 * std::max(power(lost, sent - 1), leak_share);
    case Seen::mute:
      return power(0.5, 12) + lost / 10 + (slow_line ? too_late : 0);
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

// `answered` of `sent`, each by chance: the binomial distribution.
Bits sample_bits(const FlowEvent& event, double lost) {
  double log = 0;
  for (int i = 1; i <= event.answered; ++i) {
    log += log2_of(static_cast<double>(event.sent - event.answered + i) / i);
  }
  log += event.answered * log2_of(1 - lost) + (event.sent - event.answered) * log2_of(lost);
  return -log * one_bit >= leak ? leak : bits(-log);
}

// The share of handshakes with that fate that are too near, or not.
double nearness(Fate fate, bool too_near) {
  // A device that carries connections on may establish its own side first.
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
    // Any number is equally likely.
    return is_chance(fate) || fate == Fate::severed ? surprise(1.0 / (event.sent + 1)) : leak;
  }
  const bool passes = fate == Fate::pass || fate == Fate::close;
  const auto passed = passing(event, slow_line, lost);
  const auto& listed = likelihoods[static_cast<std::size_t>(fate)];
  auto cost = passes ? surprise(passed) : listed[static_cast<std::size_t>(event.seen)];
  if (fate == Fate::half) {
    const bool none = event.seen == Seen::nothing || event.seen == Seen::dropped;
    // On the dead path it is lost each time; on the other it fares like any packet. What is sent
    // again was lost before: there, or by chance.
    const double alive = event.resent ? lost / (1 + lost) : .5;
    cost = surprise(std::max(alive * passed + (none ? 1 - alive : 0), leak_share));
  }
  // A server that ignores strangers takes their connections all the same.
  if (fate == Fate::ignore && !event.flow.udp && event.seen == Seen::nothing) {
    cost = surprise(passed);
  }
  // A device that resets one connection resets all of them: resets are not rationed.
  const bool resets = (fate == Fate::refuse || fate == Fate::forge) && !event.flow.udp;
  if (resets && event.seen == Seen::nothing) cost = surprise(unreset);
  if (resets && event.seen == Seen::dropped) cost = surprise(unreset_syn);
  if (event.too_near) cost += surprise(nearness(fate, *event.too_near));
  return std::min(cost, leak);
}

}  // namespace callready::reach
