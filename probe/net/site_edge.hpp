// How far packets get, as far as the routers on the way show it. A packet whose time to live ends
// on the way is answered with "time exceeded" by the router where it ended: proof that it got that
// far, whatever the far end says.
//
// Two kinds of climbs find routers that answer: one with the packet that matters, over UDP to a
// media port, and one over TCP towards a listener that was reached, a flow that is known to work.
// Where the two ways part, the trunk ends, which is what all ways have in common: a packet that
// does not get that far, where others do, was stopped by the site or its provider. If the packets
// over UDP stop on the TCP way, a second listener's way shows where the trunk ends. What a target's
// own climb shows counts only from there on: a firewall says "time exceeded" before it looks at its
// rules, and the network of a campus or a company goes on behind its first public address.
//
// A climb also meets devices that turn its packets away and say so: a firewall that is the last
// router to answer, or one from which nothing else is heard. Questions to that target then go as
// far as that device first: it may also answer what it turns away.
//
// Routers send few ICMP errors (Linux: six in a burst, then one a second; others one each half
// second), and all runs of a site share them. So little is asked while all is well: an answer is a
// proof and needs no control, one port (two of a wide range) speaks for all rows that contain it,
// and where routers beyond the trunk answer, each target's own are asked. A question without an
// answer is asked again with a control behind it; a router that does not answer that either has run
// out of answers, and a question that decides a row waits for the next ones. All questions go
// through one queue, in waves.
#pragma once

#include <deque>
#include <optional>
#include <set>

#include "probe/model/round_trips.hpp"
#include "probe/net/one_shot.hpp"
#include "probe/net/stream.hpp"
#include "probe/net/task_group.hpp"
#include "probe/net/udp.hpp"

namespace callready {

// One port says little about so many: the bounds of firewalls' own ranges (16384, 32768, 49152)
// usually lie within.
inline bool is_wide(const PortRange& ports) { return ports.count() > 8'192; }

struct Hop {
  int ttl = 0;        // packets with this TTL end there
  IpAddress address;  // the sender of its ICMP errors
  friend auto operator<=>(const Hop&, const Hop&) = default;
};

// The routers that answered on one way, by TTL.
using Routers = std::map<int, IpAddress>;

// Who said that a packet may not pass, and at which TTL.
struct Refusal {
  int ttl = 0;
  IcmpError error;
};

// True if this error comes from a device on the way that turns away a packet for `target`. An error
// in the target's name may be genuine, and what its own network says is the vendor's business.
bool turned_away(const IcmpError& error, const IpAddress& target);

// True where a router has no route there, or finds nobody there (RFC 792, code 0 and 1; RFC 4443,
// 3.1): there need not be a firewall rule behind it.
bool knows_no_way(const IcmpError& error);
// This computer itself says so: its link is down, or the next hop does not answer for its hardware
// address (ARP, NDP). The packet was not sent.
bool was_not_sent(const IcmpError& error);

// True for the address of a router that can only stand beyond the site's edge: not RFC 1918, RFC
// 4193 or link-local. Carrier NAT's 100.64/10 (RFC 6598) is the provider's.
bool beyond_the_edge(const IpAddress& router);

// The nearest of the routers that is beyond the edge and not in the network of `own`. The first
// router is the site's own even if its addresses are public.
std::optional<Hop> nearest_outside(const Routers& routers, const IpAddress& own);
// The farthest of them.
std::optional<Hop> farthest_outside(const Routers& routers, const IpAddress& own);
// What two ways have in common.
Routers shared(const Routers& one, const Routers& other);

// What a climb over TCP showed in a run some minutes ago. It says where to ask, but is not
// evidence: it is used only if this run's own climb over UDP meets the same routers beyond the
// edge.
struct KnownWay {
  SocketAddress listener;
  IpAddress own;  // this computer's address on that way
  Routers routers;
  WallTime seen;
};

class SiteEdge {
 public:
  explicit SiteEdge(const asio::any_io_executor& executor)
      : executor_(executor), tasks_(executor) {}

  struct Found {
    std::optional<Hop> hop;     // nothing where no router there answers
    bool sent = false;          // a climb sent UDP packets to this call's own port
    bool by_this_call = false;  // one of them was seen to get there
    // Of a climb to this call's own port: who turned it away.
    std::optional<Refusal> refused;
  };
  // The farthest router on the way to `target` that is known to answer, to which questions for that
  // address go from now on: the farthest of a UDP climb to its port, or the trunk's end. Waits for
  // both at once. `interface` as in ConnectOptions.
  asio::awaitable<Found> find(SocketAddress target, std::string interface, Scope scope);
  // The same without a climb to the target: where the trunk is known, nothing else is sent.
  asio::awaitable<Found> find_trunk(SocketAddress target, std::string interface, Scope scope);

  // The routers on the way that questions to that target take, up to the hop that they go to.
  Routers routers(const SocketAddress& target) const;

  // The routers next to us, up to the first beyond the edge; climbs towards `target` where nobody
  // has climbed yet.
  asio::awaitable<Routers> look_around(SocketAddress target, std::string interface, Scope scope);

  // A TCP connection to this listener was established, without a proxy, after one round trip.
  void reached(SocketAddress listener, Milliseconds took, const std::string& interface,
               Scope scope);
  // The same, where the round trip is not known.
  void reached(SocketAddress listener, const std::string& interface, Scope scope);

  // How long an ICMP error may take, according to the round trips that are known by now.
  milliseconds patience() const;

  // The outcome of one packet whose TTL ends at the hop.
  struct Answer {
    // The hop's, another device's refusal, or what a router said earlier about this host: that it
    // has no route there.
    std::optional<IcmpError> icmp;
    // For a SYN: somebody nearer than the hop accepted the connection, or reset it.
    bool taken = false, reset = false;
    bool kept_here = false;  // this computer did not let it out
    bool asked = false;      // false: nothing was sent, most often for want of routers' answers
    // It was sent and not answered, but the control that was sent after it was: the hop had an
    // answer to give, and this target's packets would have reached it, too.
    bool control_answered = false;
    Hop hop;  // where it was to end, if it was sent
  };

  // Which questions go first when the hop has run out of answers.
  enum class Need {
    decides,       // a row depends on it: waits for the next answers until `until`
    confirms,      // the same, for one that got no answer where a control did
    supports,      // waits until none of those is left, but is asked once before `until`
    another_host,  // does not wait, and is asked only while the router was asked little
    another_port,  // the same, for a second port of a wide range of which one was seen to pass
    rounds_off,    // the same, after those
  };
  // Sends `payload` from the socket with the hop's TTL in a wave. find() must have found a hop. The
  // socket has to live until the answer is there. Of several that decide the same `row` (the ports
  // that its document names), one goes first; if that passes, the others become `another_host`.
  asio::awaitable<Answer> ask(UdpSocket& socket, std::vector<std::uint8_t> payload, Need need,
                              Scope scope, Instant until,
                              std::optional<PortRange> row = std::nullopt);

  // Before the run: what earlier ones learnt, so that their routers are asked less.
  void recall(std::vector<KnownWay> ways) { recalled_ = std::move(ways); }
  // What this run learnt, seen `now`, and then what it recalled.
  std::vector<KnownWay> known_ways(WallTime now) const;

  // True if a packet over UDP to one of these ports was seen to get as far as any does; in a wide
  // range, to two ports that are a third of it apart.
  bool passed(const PortRange& ports, bool v6) const;
  // The port among these at that address to which a SYN was seen to get as far.
  std::optional<std::uint16_t> syn_passed(const IpAddress& address, const PortRange& ports) const;

  // The index of the port of `sample` (not empty) that is farthest from those that other ranges of
  // this run began with. Routers answer for two or three ports a run: these should not be
  // neighbours, nor system ports where there are others. The first range begins at its lowest port,
  // where firewalls' rules have their bounds.
  std::size_t begin_with(const std::vector<std::uint16_t>& sample, bool v6);

  // Like ask(), for a SYN to `remote`. Of several to that address that decide the same `row`, one
  // goes first; if that passes, the others are not sent.
  asio::awaitable<Answer> ask_syn(SocketAddress remote, std::string interface, Need need,
                                  Scope scope, Instant until,
                                  std::optional<PortRange> row = std::nullopt);

  // Questions that outlive their caller: the event loop must be drained before this is destroyed.
  const TaskGroup& tasks() const { return tasks_; }

  // How long the questions ahead that decide a row may take, at one answer a second.
  milliseconds backlog() const;

  // True once a control went unanswered: further questions cost a second each.
  bool exhausted() const { return exhausted_; }

 private:
  struct Climb {
    Climb(const asio::any_io_executor& executor, SocketAddress to, bool tcp, std::string by)
        : ended(executor), flow(to), by_tcp(tcp), interface(std::move(by)) {}
    OneShot<bool> ended;
    SocketAddress flow;
    bool by_tcp;
    std::string interface;
    int begun = 0, running = 0;          // the last TTL that was sent; how many wait
    bool hasty = false;                  // ends with the first answer
    bool sent = false;                   // over UDP: a packet has left this computer
    const KnownWay* recalled = nullptr;  // used instead: nothing was sent
    Routers routers;
    std::map<int, Milliseconds> round_trips;  // to those
    std::optional<Refusal> refused;           // the nearest, over UDP
    bool taken_near = false;  // somebody accepted the connection before the first router
    IpAddress own;            // ours, on that way
    std::optional<Hop> farthest() const;
  };
  // A hop, and a flow that gets there.
  struct Way {
    Hop hop;
    std::shared_ptr<const Climb> climb;
    // The target's own climb, where it was turned away beyond the hop.
    std::shared_ptr<const Climb> refused{};
    // As far as is known, other targets' packets with that TTL end at that router, too: if its
    // control is answered, they would have been.
    bool speaks_for_others = true;
  };
  struct Trunk {
    std::vector<SocketAddress> listeners;      // reached, and not climbed to yet
    std::vector<std::shared_ptr<Climb>> ways;  // to one of them, or to two in different networks
    std::shared_ptr<Climb> over_udp;           // the first climb over UDP
    int searches = 0;                          // how often no router beyond the edge answered
    bool searching = false;
    std::set<std::uint16_t> passed;       // UDP ports of packets that got as far as any
    std::set<std::uint16_t> begun;        // UDP ports that ranges began with
    std::set<std::uint16_t> intercepted;  // ports that somebody near accepts
    std::vector<OneShot<bool>> waiting;   // for the second way to be known
    std::optional<Instant> wanted;        // since when
  };
  struct Question {
    bool by_tcp;
    UdpSocket* socket;  // over UDP; null once its owner has given up
    std::vector<std::uint8_t> payload;
    SocketAddress remote;
    std::string interface;
    Need need;
    Scope scope;
    Instant until;
    OneShot<Answer> answer;
    Way way;
    std::optional<PortRange> row{};
    bool beyond = false;      // first goes to the device that turned the climb away, not the hop
    bool nearer = false;      // its hop is not the farthest one
    bool controlled = false;  // got no answer by itself: now with a control
    bool listening = false;   // a wave waits for its socket, which has to live until then
    bool sent = false;        // by the last wave, and silence since is not this computer's doing
    Answer heard{};
    // A port that speaks for it was seen to pass.
    bool decided(const SiteEdge& edge) const;
    bool stands_for(const Question& other) const;
    // Its port is farther from those that were seen to pass.
    bool tells_more_than(const Question& other, const SiteEdge& edge) const;
    // One port of the row was seen to pass: its others show how much of it is open.
    bool is_about_more_ports() const;
    bool settled() const { return heard.icmp || heard.taken || heard.reset || heard.kept_here; }
    Hop hop() const;
    const std::shared_ptr<const Climb>& climb() const { return beyond ? way.refused : way.climb; }
  };
  using Questions = std::vector<std::shared_ptr<Question>>;

  std::shared_ptr<Climb> start(SocketAddress flow, bool by_tcp, int from, std::string interface,
                               Scope scope);
  void go_on(const std::shared_ptr<Climb>& climb, int until, Scope scope);
  asio::awaitable<void> ask_router(std::shared_ptr<Climb> climb, int ttl, Scope scope);
  std::size_t ways_wanted(const Trunk& trunk) const;
  bool is_known(const Trunk& trunk) const;
  bool may_search_again(const Trunk& trunk) const;
  std::shared_ptr<Climb> recalled_climb(const Trunk& trunk, const SocketAddress& listener);
  void lengthen_trunk(bool v6, const std::string& interface, Scope scope);
  asio::awaitable<void> follow(std::shared_ptr<Climb> climb, Scope scope);
  asio::awaitable<void> wait_for_trunk(bool v6, std::string interface, Scope scope);
  asio::awaitable<void> search(SocketAddress target, std::string interface, Scope scope);
  void note_error(const IcmpError& error, const IpAddress& target);
  std::optional<Way> end_of_trunk(const SocketAddress& target) const;
  std::optional<Way> farthest_on_way_to(const SocketAddress& target) const;
  std::optional<Way> way_to(const SocketAddress& target) const;
  // How long an answer from there may take.
  milliseconds patience(const Question& question) const;
  asio::awaitable<Result<IcmpError>> receive_with_patience(UdpSocket& socket, Scope scope);

  asio::awaitable<Answer> put(std::shared_ptr<Question> question);
  void tell_the_hasty(Instant next_answers);
  asio::awaitable<void> make_waves(Scope scope);
  asio::awaitable<void> make_next_wave(Scope scope);
  Questions next_questions(Instant soon);
  int answers_of(const IpAddress& router, const std::map<IpAddress, int>& asked) const;
  bool find_unspent_hop(Question& question, const std::map<IpAddress, int>& asked) const;
  void choose_ports(Questions open, std::map<IpAddress, int>& asked, Questions& chosen) const;
  void spread(Question& question, const std::map<IpAddress, int>& asked) const;
  asio::awaitable<std::set<Hop>> make_wave(Scope scope, const Questions& questions);
  void note(const Question& question);
  static asio::awaitable<void> hear(std::shared_ptr<Question> question, Instant deadline);
  static asio::awaitable<void> connect(asio::any_io_executor executor,
                                       std::shared_ptr<Question> question, milliseconds patience);

  asio::any_io_executor executor_;
  std::map<IpAddress, std::shared_ptr<Climb>> climbs_;  // over UDP
  std::map<bool, Trunk> trunks_;                        // by is_v6
  std::map<IpAddress, int> heard_;                      // ICMP errors of each router
  std::map<IpAddress, IcmpError> no_way_;               // what a router said of a target, once
  std::set<SocketAddress> syn_passed_;                  // to whom SYNs were seen to get as far
  std::vector<KnownWay> recalled_;
  std::deque<std::shared_ptr<Question>> queue_;
  RoundTrips round_trips_;  // of connections
  TaskGroup tasks_;
  bool working_ = false, exhausted_ = false;
};

}  // namespace callready
