// How far each probe of a run is, and what that means for those that wait for it: a server's
// alternate port, a question for the nearest host only, a probe that takes another's answer.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "checks/check.hpp"
#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"
#include "probe/model/round_trips.hpp"

namespace callready {

// For a probe that is not made, with the reason: "not_needed".
Observation skipped_for(DetailCode detail);

// Probes are known by their index: the plan's order, then the order in which they were added. Not
// thread-safe.
class ProbeScheduler {
 public:
  // `room_for_more`: how many can be added.
  ProbeScheduler(const checks::Context& context, std::vector<PlannedProbe> probes,
                 std::size_t room_for_more);

  // Of all probes, as far as they are known. References to them stay valid.
  std::vector<ProbeResult>& results() { return results_; }
  const Probe& probe(std::size_t index) const { return results_[index].probe; }
  const Observation& seen(std::size_t index) const { return results_[index].observation; }

  // All of them, in the order in which to begin: none before those that it waits for.
  std::vector<std::size_t> order() const;
  // True where it waits for others.
  bool conditional(std::size_t index) const { return conditions_.contains(index); }
  // True for a check that ends with the answer to one question, or with none.
  bool asks_one_thing(std::size_t index) const;
  // True where it only stands in for others that are silent.
  bool stands_in(std::size_t index) const { return !conditions_of(index).unless.empty(); }
  // Orders those that wait for a place at a host: lower ones come first.
  std::size_t rank(std::size_t index) const;
  // True if nothing has come from that host, and a probe of it ended that way, or is overdue for
  // this network's round trips.
  bool silent_so_far(const IpAddress& address) const;
  // Adds a further probe, without conditions; nothing if there is no room.
  std::optional<std::size_t> add(Probe probe);
  // Makes a probe needed that was not, no matter what others reached; nothing if there is none.
  std::optional<std::size_t> want(const std::string& id);

  // Waits until the others have settled whether a probe is made: its observation if it is not (not
  // needed, another one's answer, stopped), nothing if it is.
  asio::awaitable<std::optional<Observation>> settled_by_others(std::size_t index);

  void note_start(std::size_t index, std::optional<IpAddress> address);
  // A check goes on, but its server has answered.
  void note_first_reply(const Probe& probe);
  void note_end(std::size_t index, Observation observation);

  // Calls `look` while everything overdue counts as silent.
  void with_overdue_as_silent(const std::function<void()>& look);

 private:
  // How far away a host is, as far as the run knows yet.
  struct Distance {
    std::optional<Milliseconds> shortest;
    std::optional<Instant> since;  // when the first of these probes was sent
    int open = 0;                  // probes that may still tell
    std::vector<OneShot<bool>> waiting;
    bool known() const { return shortest || open == 0; }
  };
  // What the probes of one address met.
  struct Host {
    bool silent = false, heard = false;
    std::optional<Instant> since;  // when the first of them was sent
  };
  // What a probe waits for: so few do that the others have no entry.
  using Conditions = PlannedProbe;

  const Conditions& conditions_of(std::size_t index) const;
  std::size_t sender_of(std::size_t index) const;
  bool tells_distance(std::size_t index) const;
  void expect_distance(std::size_t index);
  void note_distance(std::size_t index);
  bool tells_of_host(std::size_t index) const;
  void note_host(std::size_t index);
  void wake(std::size_t index);
  void wake_with(std::size_t index);
  asio::awaitable<bool> has_ended(std::size_t other);
  asio::awaitable<std::optional<bool>> has_answered(std::size_t other);
  asio::awaitable<std::optional<bool>> is_nearest(const std::vector<std::string>& hosts);
  std::string nearest_measured(const std::vector<std::string>& hosts) const;
  // For each kind of condition: true if it is met, nothing if the run is stopped first.
  asio::awaitable<std::optional<bool>> needed(const Conditions& planned);
  asio::awaitable<std::optional<bool>> worthwhile(const Conditions& planned);

  const checks::Context& context_;
  std::vector<ProbeResult> results_;
  std::vector<bool> done_, heard_;
  std::vector<std::optional<Instant>> started_;
  std::map<std::size_t, Conditions> conditions_;        // of those that have any
  std::vector<std::size_t> wanted_order_;               // what matters most first
  std::unordered_map<std::string, std::size_t> index_;  // of those that others wait for
  std::unordered_map<std::size_t, std::vector<std::size_t>> takers_;  // of a probe's answer
  std::unordered_map<std::size_t, std::vector<OneShot<bool>>> waiting_;
  std::map<IpAddress, Host> hosts_;
  RoundTrips round_trips_;
  std::map<std::string, Distance> distances_;  // of hosts that others wait for
  // The nearest of the hosts that were compared. The first look decides: another host's later
  // answer may be faster, but only one area's hosts are allowed for.
  std::map<std::set<std::string>, std::string> nearest_;
};

}  // namespace callready
