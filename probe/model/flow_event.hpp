// One reading of an observation: a packet, or a connection and what it carried, how often it was
// sent, and the result. What a reply says about itself is a sign. Code that reasons about the way
// out of a site reads these, never observations.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "probe/model/observation.hpp"
#include "probe/model/words.hpp"

namespace callready {

// What a packet or a connection carries, as a device on the way sees it.
enum class Cargo {
  none,  // a TCP handshake only
  rtp,
  stun,
  turn,
  sip,
  ntp,
  dns,
  http,
  tls,
  inside,  // within an established TLS connection
  quic,
};

// The result. "The whole way": sent to the far end. Others end, by their TTL, at the last router
// that is known to answer.
enum class Seen {
  reply,        // UDP, the whole way: any answer from the far end
  nothing,      // the whole way: no answer
  closed,       // UDP: port unreachable, from the target's address
  arrived,      // UDP: port unreachable, from beyond the site: it says nothing about replies
  refused_by,   // UDP: port unreachable, from another address
  prohibited,   // ICMP "administratively prohibited" (RFC 1812 section 5.2.7.1)
  talk,         // TCP: connected, and what it carried was answered
  open,         // TCP: a handshake only
  mute,         // TCP: connected, and what it carried was lost
  cut,          // TCP: connected, and what it carried was answered by a reset
  foreign,      // TCP: another protocol or another page came back
  refused,      // TCP: a reset at once, from an unknown sender
  refused_way,  // TCP: a reset, proved to come from a device on the way
  forged,       // UDP: port unreachable in the target's name, proved to be sent on the way
  refused_far,  // TCP: a reset, proved to be the target's
  expired,      // by TTL: that router answered
  dropped,      // by TTL: the control was answered, and this was not
  taken,        // by TTL: somebody nearer than the target answered a SYN
  one_way,      // a relay of ours heard it, and its answer did not come back
  sample,       // some of several requests were answered
};

struct PacketFlow {
  bool udp = false;
  std::string host, address;  // the address may be unknown
  std::uint16_t port = 0;
  Cargo cargo = Cargo::none;
  std::string name;  // in the TLS greeting, or asked of a resolver
};

struct FlowEvent {
  std::string probe;  // id
  PacketFlow flow;
  Seen seen = Seen::nothing;
  bool ends_early = false;  // by its TTL
  std::string router{};     // that saw it, or the device that turned it away
  // Of a packet that ends early: at the farthest router that answered on the way to this host, not
  // at one that several ways share.
  bool climbed = false;
  int ttl = 0;                         // that it was sent with; 0: not known
  int router_ttl = 0;                  // with which packets end at that router; 0: not known
  int sent = 1;                        // how many could have been answered
  int answered = 0;                    // of a sample: how many of `sent`
  bool one_flow = false;               // of a sample: all over one flow, not each over a new one
  bool resent = false;                 // from a port from which nothing came back the first time
  Milliseconds at{0};                  // since the run began; 0: not known
  std::optional<Milliseconds> took{};  // until its whole answer had arrived
  bool by_relay = false;               // reported by a relay of ours
  // The handshake took less than a quarter of what is usual for the line, or a refusal less than a
  // third of what that host's answers take; nothing: not known.
  std::optional<bool> too_near;
  bool control = false;
  bool expected = true;  // somebody is known to listen there
};

// What a reply says about itself, or about its sender.
enum class Sign {
  name_fails,       // the resolver answers with an error
  name_too_long,    // its answer is cut short, and the whole one does not come over TCP
  name_gone,        // the site's resolver says that there is no such name
  public_denies,    // another resolver says so
  public_knows,     // another resolver knows the name
  dns_redirected,   // an address where nobody listens answers DNS
  dns_special,      // a public name with an address that no public host can have
  nat_symmetric,    // a mapping that depends on the destination (RFC 4787 section 4.1)
  sip_rewritten,    // SIP came back with other contents
  packets_too_big,  // full-size packets die
  full_size,        // they pass
  cert_expired,
  cert_wrong_name,
  cert_untrusted,
  root_unexpected,
  clock_off,
  foreign_page,
  turn_login,  // the login was refused
  ipv6_broken,
  proxy_works,
  proxy_login,   // 407
  proxy_denied,  // 403
  proxy_silent,
  proxy_error,  // any other refusal
  dns_direct,   // an address where nobody listens answers no DNS
  no_link,      // a rule about this computer's own links says that nothing leaves it
};

struct SignEvent {
  std::string probe;  // id
  Sign sign = Sign::name_fails;
  std::string host;  // that the sign is about; may be a name that was looked up
};

// A run's.
struct FlowEvents {
  std::vector<FlowEvent> flows;
  std::vector<SignEvent> signs;
  // Round trips take more than a second: what was given up may have been answered later.
  bool slow_line = false;
  std::set<std::string> gateways{};  // this computer's: the nearest routers
};

template <>
std::span<const Word<Cargo>> words();

}  // namespace callready
