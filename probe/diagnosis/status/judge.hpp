// From observations to a status for each requirement and a verdict for each capability and set.
// Pure: the same for a run that just ended and for a saved report.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "probe/diagnosis/attribution.hpp"
#include "probe/diagnosis/findings.hpp"

namespace callready {

// A packet that was seen to leave the site: by which probe, and the evidence of it.
struct Departure {
  const ProbeResult* result = nullptr;  // null: none was
  const Evidence* evidence = nullptr;
};

// What the probes of one host have shown.
struct HostNotes {
  // The shortest round trip by any probe, and by those over UDP. Nothing where none was measured.
  std::optional<Milliseconds> distance, distance_by_udp;
  bool answers_sip = false;  // OPTIONS over some transport
  // Something that was sent there directly did not get through: nothing is taken for granted.
  bool troubled = false;
  bool heard = false;   // somebody there answered
  bool closed = false;  // a cause shuts it as a whole, whatever the port
  // A packet that was meant to end on the way seems to have died earlier.
  bool died_on_the_way = false;
  // No router beyond the site's edge answered on the way there, and not because routers answer only
  // few packets.
  bool nobody_seen_on_the_way = false;

  // Nothing that was tried there got through, or a cause says that nothing does.
  bool shut() const { return closed || (troubled && !heard); }
  // For media: over UDP if that was timed, since a satellite modem or a transparent proxy nearby
  // answers TCP in the host's place.
  std::optional<Milliseconds> media_distance() const {
    return distance_by_udp ? distance_by_udp : distance;
  }
};

// All results of a run by probe id, and what its causes make of them. A view: the results must
// outlive it, and keep their places.
class ResultIndex : public Attribution {
 public:
  explicit ResultIndex(const std::vector<ProbeResult>& results);

  // The test of the site's NAT that had a result; null: none did.
  const ProbeResult* nat_test = nullptr;
  // True where a name that the site's resolvers do not know was found elsewhere, or nobody
  // elsewhere can be asked: then no name is missing because it has ceased to exist.
  bool names_are_hidden = false;
  // True where a router beyond the site's edge was seen to answer. It gives few answers: a packet
  // that ended there without one was then not measured, rather than measured without success.
  bool edge_answers = false;
  bool proxy_carries = false;  // something was reached through a proxy
  bool without_ipv6 = false;   // this computer has no route to an IPv6 address
  // The shortest round trips to anything outside, but DNS and time servers, which may be near: no
  // server answers sooner.
  HostNotes nearest;

  void attribute(Attribution attribution);
  // The results of those of these probes that the run has made, in their order.
  Probes results_of(const std::vector<std::string>& ids) const;
  const HostNotes& notes_on(const std::string& host) const;
  // A packet over UDP to one of these ports of any host, by a probe that is not in doubt. A
  // firewall's rule is about ports, and routers answer few packets.
  Departure left_by_port(const PortRange& ports) const;
  // A SYN to that port of the host.
  Departure syn_that_left(const std::string& host, std::uint16_t port) const;
  // The QUIC probe that was answered on that UDP port of that host. Null: none.
  const ProbeResult* quic_answer(const Target& target) const;

 private:
  std::unordered_map<std::string_view, const ProbeResult*> by_id_;
  std::unordered_map<std::string_view, HostNotes> hosts_;
  std::multimap<std::uint16_t, Departure> left_;  // by port of ranges
  std::map<std::pair<std::string, std::uint16_t>, Departure> syns_that_left_;
  std::map<std::pair<std::string, std::uint16_t>, const ProbeResult*> quic_;
};

// The shortest round trip to any host of a region, as one set divides the world: others may mean
// another place by the same name.
using RegionDistances = std::map<std::string, std::optional<Milliseconds>>;

// Measured directly, by the probes of one set's rows. Hosts without a region are not in it.
RegionDistances distances_of_regions(const std::vector<PlannedRequirement>& planned,
                                     const ResultIndex& index);

using Rows = Indexed<RequirementResult>;  // of one set

// One row: what was reached, and what that means according to the row's `reach`.
RequirementResult judge_requirement(const Requirement& requirement, const PlannedRequirement& plan,
                                    const ResultIndex& index, const RegionDistances& regions);

// What losing all of these rows does to whatever needs one of them: the weightiest decides.
Verdict loss_of(const std::vector<std::string>& ids, const Rows& rows);

// A capability from the statuses of its rows. Unknown rows are weighed both ways: there is a
// verdict only if both ways lead to the same one, otherwise it is `unknown`. It is blocked if all
// its needs are lost, even if their rows are only recommended; the set is degraded then.
CapabilityResult judge_capability(const Capability& capability, const Rows& rows);

// The rows that fail and for which nothing else stands in, so that the capability is blocked. If
// the report does not say what may stand in: all that fail.
std::vector<std::string> rows_that_block(const CapabilityResult& capability, const Rows& rows);

// The whole set. Rows that were not planned do not appear, nor do capabilities of other scenarios.
// Where no capability could be measured (`--only` with a row that none needs), the rows themselves
// give the verdict.
SetResult judge_set(const PlannedSet& planned, const ResultIndex& index);

// The worst of the capabilities that could be measured; one that calls do without, or that has no
// required row, can make it degraded at most, and so can a required row that fails. Where no
// capability could be measured, what the rows say.
Verdict verdict_of_set(const std::vector<CapabilityResult>& capabilities, const Rows& rows);

// Findings count, too: a set that a likely or certain cause weakens is not `ready`, whether or not
// a row failed because of it. Advice (slow DNS, cleared marks) weakens nothing.
void weigh_findings(const std::vector<Finding>& findings, std::vector<SetResult>& sets);

// Those that block a capability come first, then those that limit something, then those that hurt
// nothing; among these, what is only possible last; otherwise their order stays.
void sort_by_impact(std::vector<Finding>& findings, const std::vector<SetResult>& sets);

// For the set's notes: what works over IPv6, by translation only, or not without a translator on
// this computer. None if nothing of the set went over IPv6.
std::vector<Text> ipv6_notes(const SetResult& set, const Report& report);

}  // namespace callready
