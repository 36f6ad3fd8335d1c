// A network failure is data: what failed, at which step, and the raw error beside it. Classified
// here and nowhere else.
#pragma once

#include <optional>
#include <string>

#include "probe/model/observation.hpp"
#include "probe/model/words.hpp"
#include "probe/net/asio.hpp"
#include "probe/platform/icmp.hpp"

namespace callready {

enum class FailureKind {
  timed_out,           // nothing came back in time
  stopped,             // the run was stopped: by the user or by its deadline
  connection_refused,  // RST to our SYN, or ICMP port-unreachable
  connection_reset,    // RST later
  closed_by_peer,      // FIN in the middle of the protocol
  unreachable,         // ICMP host or network unreachable, or fragmentation needed
  prohibited,          // ICMP administratively prohibited
  kept_here,           // this machine's own firewall or routes did not let it out
  ttl_exceeded,        // ICMP time exceeded
  no_route,            // this machine has no route there (or no address of the family)
  no_such_name,        // NXDOMAIN
  no_address,          // the name exists and has no address of the family
  dns_failed,          // SERVFAIL, REFUSED, FORMERR ...
  dns_unreachable,     // no resolver answered
  tls_alert,           // the peer sent an alert
  tls_protocol,        // what came back is not TLS, or broke its rules
  malformed,           // a reply that the protocol does not allow
  oversized,           // a reply beyond the bound
  out_of_resources,    // file descriptors, buffers, ports of this machine
  local,               // another error of this machine
};

DetailCode detail_of(FailureKind kind);
std::string_view to_string(FailureKind kind);  // "connection_refused"

struct Failure {
  FailureKind kind = FailureKind::local;
  std::string text;  // the raw error for a person: "Connection refused", "certificate expired"
  int code = 0;      // errno, alert number, DNS rcode: depends on the kind
  std::optional<IcmpError> icmp;  // the ICMP message behind it, where there was one
};

template <typename T>
using Result = boost::system::result<T, Failure>;

// For result<T>::value() on a failure: a bug in the caller.
[[noreturn]] void throw_exception_from_error(const Failure& failure,
                                             const boost::source_location& where);

// True if the sender is the packet's own source address, and the target is another computer.
bool said_by_this_computer(const IcmpError& icmp, const IpAddress& own, const IpAddress& target);

// The failure behind the error of a socket operation. `icmp` is the queued ICMP error of that
// socket, if any.
Failure classify(const error_code& error, std::optional<IcmpError> icmp = std::nullopt);
// The same for a connection request, or for a datagram that was not sent. "Host unreachable" from
// the network comes with its ICMP error, where the system reports those; without one it comes from
// a route of this computer ("ip route add unreachable").
Failure classify_first(const error_code& error, std::optional<IcmpError> icmp = std::nullopt);
// The same for an established connection. On Linux this computer's own routes never end one: there
// "network unreachable" comes from a router, and its ICMP error is not queued.
Failure classify_standing(const error_code& error);
Failure timed_out();
// A connection request that this machine did not let out, though connect() did not say so.
Failure kept_here();
Failure stopped();
// More came from strangers than may be read: what was waited for may be lost among it.
Failure flooded();
Failure malformed(std::string text);
Failure out_of_memory();  // counted among the shortages

// True if this computer itself is the cause: it has no route or no socket, or lets nothing out.
bool is_of_this_computer(const Failure& failure);

// How often so far, in the whole program, `classify` was told that this machine lacked something
// (out_of_resources). Silence in the meantime may be due to that.
std::uint64_t shortages();

// The outcome that docs/design.md gives such a failure of a connection attempt or of a request:
// silent, refused, rejected, failed, unresolved or skipped.
Outcome outcome_of(const Failure& failure);

// Fills outcome, detail and, where there was an ICMP message, the evidence.
void record(Observation& observation, const Failure& failure);

}  // namespace callready
