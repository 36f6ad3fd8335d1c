// What a report's probes say about the ways out of the site, indexed for the rules: which hosts,
// ports and networks were reached, and how the others were not. Pure views into a report that
// outlives them.
#pragma once

#include <algorithm>
#include <functional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "probe/model/flow_event.hpp"
#include "probe/model/report.hpp"
#include "probe/util/text.hpp"

namespace callready::findings {

// Where SIP servers listen as well, and which no SIP ALG knows.
inline constexpr std::uint16_t other_sip_port = 5080;
inline constexpr std::uint16_t dns_port = 53;
// When the first SYN was lost, the next one is sent (RFC 6298, section 2): a connection that takes
// as long may have needed two.
inline constexpr Milliseconds second_syn{1000};

// How far packets to one port of one host got, whatever the protocol then made of it. Of
// several, the first in this order counts.
enum class Reachability {
  open,     // the far end took them: a TCP connection, an answer over UDP, its port-unreachable
  left,     // a router beyond the site's edge saw them
  blocked,  // a device on the way refused them, or they died between controls that passed
  refused,  // a TCP reset; who sent it is another question
  lost,     // nothing came back
  unknown,  // not tried
};

// What one probe says about one port: all but `udp-range` have one.
struct FlowSample {
  const ProbeResult* result = nullptr;
  std::uint16_t port = 0;
  Reachability way = Reachability::unknown;
  std::string by;            // of `blocked`: the device that refused; empty where packets just died
  Cargo cargo = Cargo::rtp;  // over UDP
  // True where the far end is known to answer everybody: silence then counts.
  bool responder = false;
  std::string left_at;  // of `left`: the router that saw it
  bool no_way = false;  // of `blocked`: it said that it knows no way there
  // The device in the destination's own network that refused: the packet has left the site.
  std::string far_device;
  // Over UDP: no more came than "port unreachable" in the far end's name.
  bool refusal = false;
  // A device on the way was caught refusing in the far end's name.
  bool forged = false;

  // A device on the way said no, in its own name or in the far end's.
  bool turned_away() const { return forged || !by.empty(); }
};

// Servers of that kind answer whoever asks, over UDP too.
constexpr bool answers_everybody(Cargo cargo) {
  return cargo == Cargo::stun || cargo == Cargo::turn || cargo == Cargo::ntp;
}

// What a device that inspects takes its packets for: TURN is STUN to whoever drops it.
Cargo inspected_as(const FlowSample& sample);

// One port of one host over TCP or UDP, with all that was sent to it directly.
struct Flow {
  std::string host;
  std::string network;  // of its address: two networks are two ways out
  std::string party;    // who runs it
  std::uint16_t port = 0;
  bool udp = false;
  std::vector<FlowSample> samples;
  Reachability way = Reachability::unknown;  // the best of the samples'
  bool left = false;  // seen beyond the edge (so a reset came from out there)
};

template <typename Wanted>
bool any_sample(const Flow& flow, Wanted wanted) {
  return std::ranges::any_of(flow.samples, wanted);
}

template <typename Item, typename Wanted>
std::vector<const Item*> those_that(const std::vector<Item>& items, Wanted wanted) {
  std::vector<const Item*> found;
  for (const auto& item : items) {
    if (wanted(item)) found.push_back(&item);
  }
  return found;
}
template <typename Item, typename Wanted>
std::vector<const Item*> those_that(std::vector<const Item*> items, Wanted wanted) {
  std::erase_if(items, [&](const Item* item) { return !std::invoke(wanted, *item); });
  return items;
}

// What these have of one kind, each once: `set_of(flows, &Flow::network)`.
template <typename Item, typename Value>
auto set_of(const std::vector<const Item*>& items, Value value) {
  std::set<std::decay_t<std::invoke_result_t<Value, const Item&>>> found;
  for (const auto* item : items) found.insert(std::invoke(value, *item));
  return found;
}

// The packets leave the site, at least.
inline bool gets_out(Reachability way) {
  return way == Reachability::open || way == Reachability::left;
}
inline bool out(const Flow& flow) { return gets_out(flow.way); }

// Of several requests to a server that answers, each sent once.
struct RequestCount {
  const ProbeResult* result = nullptr;
  int sent = 0, answered = 0;
  int again = 0, again_answered = 0;  // of the lost, sent once more from their ports
  int lost() const { return sent - answered; }
  bool mostly_lost() const { return 2 * lost() > sent; }
};

// A certificate chain as the evidence holds it.
struct Certificate {
  std::string issuer, not_before, not_after, sha256;
  bool self_signed = false;
  bool publicly_logged = false;  // with timestamps of certificate transparency (RFC 6962)
};

// True for what is on the site's own networks, or on this machine.
bool is_inside(const ProbeResult& result);
// Of all of this computer's links.
inline auto own_addresses(const Site& site) {
  return site.interfaces | std::views::transform(&InterfaceInfo::addresses) | std::views::join;
}
// True for one of these. "Host unreachable" in its name is how this computer's system says that a
// neighbor does not answer: no device on the way has spoken.
bool is_this_computer(const Site& site, const std::string& address);
// One of the routers to which this computer sends what is not for its own networks.
bool is_gateway(const Site& site, const std::string& address);

class Facts {
 public:
  explicit Facts(const Report& report);

  const Report& report;
  // Direct probes to the outside, by host and port; TCP's first.
  std::vector<Flow> flows;
  std::set<std::string> sip_servers;  // hosts that answered SIP over some transport
  std::set<std::string> proxied;      // hosts from which something came back through the proxy
  bool proxy_speaks = false;          // something did, or the proxy itself said no
  std::set<Cargo> kinds_out;          // of UDP that got out somewhere, as inspected_as() has them
  // What the second round counted: over one flow, each over a flow of its own, and over one flow to
  // another owner's server.
  RequestCount on_one_flow, on_new_flows, elsewhere_on_one_flow;
  // What had to be sent again before it was answered.
  Probes answered_late;
  bool stream_loses = false;  // one like a call's, so much that questions get lost, too

  const ProbeResult* find(const std::string& probe) const;
  // Those of a row's probes that the report has.
  Probes probes_of(const RequirementResult& row) const;
  // The ids of the sets that asked for a probe, in the report's order; none for controls and
  // follow-ups.
  std::vector<std::string> sets_of(const ProbeResult& result) const;
  // For all of these, each once.
  std::vector<std::string> sets_of(const Probes& probes) const;
  // True where a row needs that endpoint. A question about the site itself (what kind of NAT) may
  // be put to anybody: nobody needs the way to that server.
  bool asked_for(const ProbeResult& result) const {
    return rows_.contains(result.probe.id) && result.probe.check != CheckKind::nat;
  }
  // A row needs that port of that host: where only the vendor's list is allowed, the well known
  // public servers are silent or refused, and nothing is wrong.
  bool asked_for(const Flow& flow) const {
    return any_sample(flow, [&](const FlowSample& sample) { return asked_for(*sample.result); });
  }
  bool any_asked_for(const Probes& probes) const {
    return std::ranges::any_of(probes, [&](const auto* result) { return asked_for(*result); });
  }
  // Hosts that a set asks for: the vendor's, whoever else asked them.
  std::set<std::string> hosts_asked_for() const;

  template <typename Wanted>
  Probes probes_that(Wanted wanted) const {
    return those_that(report.probes, wanted);
  }
  template <typename Wanted>
  bool any_probe(Wanted wanted) const {
    return std::ranges::any_of(report.probes, wanted);
  }
  template <typename Wanted>
  std::vector<const Flow*> select(Wanted wanted) const {
    return those_that(flows, wanted);
  }
  // True where TCP was tried to two operators, and no connection gets out directly.
  bool no_tcp_gets_out() const;
  // What gets no answer may be lost by chance.
  bool line_loses() const { return !answered_late.empty() || stream_loses; }
  // True for a router that may be the site's own, although its address is public: of the same IPv4
  // /16 as this computer's, which is what universities and old companies have.
  bool may_be_ours(const std::string& router) const;
  // True for such a router, and for one that turned others away: it says "time exceeded" before it
  // looks at its rules, so that a packet that it saw has not passed it.
  bool may_stop_others(const std::string& router) const;
  // True where a packet that this router saw may be stopped all the same: by itself, or, over UDP,
  // by a device that it passes others on to, which turns them away.
  bool proves_no_way(const std::string& router, bool udp) const;
  // What rows have sent there.
  Probes sent_outside() const;

 private:
  // Where a probe is, and who asked for it: a few bytes for each of what may be many thousands.
  std::unordered_map<std::string_view, const ProbeResult*> by_id_;
  std::unordered_multimap<std::string_view, const SetResult*> rows_;
  std::set<std::string> devices_;         // that turned something away
  std::set<std::string> before_devices_;  // routers
};

// Of one probe.
bool is_direct(const ProbeResult& result);
bool is_udp(const ProbeResult& result);
bool over_tls(const ProbeResult& result);
// What its packets carry; for streams and calls, the media.
Cargo cargo_of(const Probe& probe);
// Aimed at the Internet without a proxy, sent or not. DNS does not count: the site's own resolver
// may answer even where the line is down.
bool goes_outside(const ProbeResult& result);
// Over a proxy, and something came from beyond it: at least a certificate.
bool came_through(const ProbeResult& result);
// Silence, at once or after the connection was established.
bool got_no_answer(const ProbeResult& result);
// A connection to the outside that may be made a few times more. (A SIP server gets one request
// over each transport.)
bool may_be_asked_again(const ProbeResult& result);
// Such a connection was refused, or cut off before anything came back.
bool was_turned_away(const ProbeResult& result);
// The same, or it got no answer.
bool came_to_nothing(const ProbeResult& result);
// A host whose name no DNS server said anything about.
bool nobody_answered_for_its_name(const ProbeResult& result);
// A proxy that said yes and sent a page of its own where TLS was to begin.
bool sent_a_page(const ProbeResult& result);
// Tried, and not reached.
bool failing(const ProbeResult& result);
Probes failing_ones(Probes results);
// Those of the service: well known public servers are nobody's requirement.
Probes asked_for_ones(const Facts& facts, Probes results);
std::set<std::string> ids_of(const Probes& probes);
bool has_no_route(const ProbeResult& result);
// True for links of programs that run others inside this computer: they lead nowhere.
bool is_inner_link(std::string_view name);
// Another link that has an address beside the tunnels': without one, the "tunnel" is how this
// computer is connected at all (a modem). Null: none.
const InterfaceInfo* own_link(const Facts& facts);
// The answer of a host that is not a DNS server: a device on the way answers in everybody's name,
// and what independent resolvers seem to say comes from it, too. Null: none.
const ProbeResult* port_53_taken(const Facts& facts);
// The script of a PAC file that is wrong whatever the network does.
bool is_broken_script(const ProbeResult& result);
// The user's own servers: given by --var, or by a set of their own.
bool are_own(const Facts& facts, const std::vector<std::string>& hosts);
// What was tried outside the site without success, or has no route.
Probes lost_probes(const Facts& facts);
// The way that packets to all of these hosts take. Null: several, or none is known.
const EgressPath* way_to_all(const Site& site, const std::vector<std::string>& hosts);
// The same, if it is a VPN's tunnel. Where no other link of this computer is connected, it may be a
// modem's or an access line's (PPP): null.
const EgressPath* vpn_to_all(const Facts& facts, const std::vector<std::string>& hosts);
// If its TLS is inspected, the inspecting device may have answered with a page of its own: a
// refusal, a redirect to somebody else, or no WebSocket.
bool may_be_a_block_page(const ProbeResult& result);
// A certificate chain came that ends in no public root and in none given for this run: somebody on
// the way speaks TLS in the server's place, or the server has an authority of its own.
bool has_foreign_root(const ProbeResult& result);
// A connection request that was to end in transit was answered: somebody near takes connections in
// everybody's name.
bool is_taken_near(const ProbeResult& result);
// To TCP 80 without TLS, where pages of plain HTTP are.
bool is_to_tcp_80(const ProbeResult& result);
// A page over plain HTTP, asked for directly.
bool is_plain_page(const ProbeResult& result);
// The same with a known body, and somebody else's came: a sign-in page, a block page.
bool is_another_page(const ProbeResult& result);
// True for a `dns` probe to a host that is not a DNS server, to see who answers in its place.
bool asks_nobody(const Probe& probe);
// The name that a `dns` probe asks for.
std::string name_asked_for(const Probe& probe);
// The first evidence of that kind; null: there is none. And all of it, in order.
const Evidence* evidence_of(const ProbeResult& result, EvidenceKind kind);
inline auto all_evidence(const Observation& seen, EvidenceKind kind) {
  return seen.evidence |
         std::views::filter([=](const Evidence& evidence) { return evidence.kind == kind; });
}
// One attempt of the `ipv6` check to connect, over "IPv6" or "IPv4"; empty: it made none.
struct FamilySeen {
  Detail result;
  Text text;
  bool has_address = false;  // the name has one of that version
};
FamilySeen attempt_over(const ProbeResult& result, std::string_view version);
// Who refused, where a check has asked (checks/refuser.hpp).
enum class Refuser { not_known, on_the_way, beyond };
Refuser who_refused(const ProbeResult& result);
// A fact of the first evidence of that kind; empty, or nothing, where there is none.
std::string text_of(const ProbeResult& result, EvidenceKind kind, Fact fact);
std::optional<bool> flag_of(const ProbeResult& result, EvidenceKind kind, Fact fact);
std::optional<double> number_of(const ProbeResult& result, EvidenceKind kind, Fact fact);
// Where a call's media goes: "UDP 8622 of 192.0.2.1"; empty where it was not said.
Text far_end_of_call(const ProbeResult& result);
// The far end, or somebody in its place, showed a certificate.
bool has_certificate(const ProbeResult& result);
std::vector<Certificate> chain_of(const ProbeResult& result);

// Who runs a host, roughly: the registrable part of a name ("openrainbow.com"), or the network of
// an address.
std::string registrable_domain(const std::string& host);
// Of these names, or of these probes' hosts.
std::set<std::string> parties_of(const std::vector<std::string>& names);
std::set<std::string> parties_of(const Probes& probes);
std::set<std::uint16_t> ports_of(const Probes& probes);
// An address's /24 or /48, within which two addresses are taken to be related; for one that NAT64
// made, that of the IPv4 address in it.
std::string network_of(const IpAddress& address);
// True for another address in the target's network: a router or firewall there belongs neither to
// this site nor to its provider.
bool is_beside(const std::string& device, const std::string& target);
// A host that is given as a name, not as an address.
bool is_name(const std::string& host);
// "192.0.2.53" of "192.0.2.53:5353", "2001:db8::53" of "[2001:db8::53]:53".
std::string without_port(const std::string& endpoint);

}  // namespace callready::findings
