#include "probe/net/failure.hpp"

#include <atomic>
#include <stdexcept>

namespace callready {
namespace {

struct Meaning {
  DetailCode detail;
  Outcome outcome;
};

Meaning meaning_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::timed_out:
      return {DetailCode::timed_out, Outcome::silent};
    case FailureKind::stopped:
      return {DetailCode::stopped, Outcome::skipped};
    case FailureKind::connection_refused:
      return {DetailCode::connection_refused, Outcome::refused};
    case FailureKind::connection_reset:
      return {DetailCode::connection_reset, Outcome::failed};
    case FailureKind::closed_by_peer:
      return {DetailCode::closed_by_peer, Outcome::failed};
    case FailureKind::unreachable:
      return {DetailCode::unreachable, Outcome::rejected};
    case FailureKind::prohibited:
      return {DetailCode::prohibited, Outcome::rejected};
    case FailureKind::kept_here:
      return {DetailCode::kept_here, Outcome::rejected};
    case FailureKind::ttl_exceeded:
      return {DetailCode::ttl_exceeded, Outcome::rejected};
    case FailureKind::no_route:
      return {DetailCode::no_route, Outcome::skipped};
    case FailureKind::no_such_name:
      return {DetailCode::no_such_name, Outcome::unresolved};
    case FailureKind::no_address:
      return {DetailCode::no_address, Outcome::unresolved};
    case FailureKind::dns_failed:
      return {DetailCode::dns_failed, Outcome::unresolved};
    case FailureKind::dns_unreachable:
      return {DetailCode::dns_unreachable, Outcome::unresolved};
    case FailureKind::tls_alert:
      return {DetailCode::tls_alert, Outcome::failed};
    case FailureKind::tls_protocol:
      return {DetailCode::tls_protocol, Outcome::failed};
    case FailureKind::malformed:
      return {DetailCode::malformed, Outcome::failed};
    case FailureKind::oversized:
      return {DetailCode::oversized, Outcome::failed};
    case FailureKind::out_of_resources:
      return {DetailCode::out_of_resources, Outcome::skipped};
    case FailureKind::local:
      return {DetailCode::local_error, Outcome::skipped};
  }
  return {DetailCode::local_error, Outcome::skipped};
}

std::atomic<std::uint64_t> shortages_seen{0};  // some libraries work on threads of their own

FailureKind kind_of(const IcmpError& icmp) {
  // "Host unreachable" is how a system tells itself that a neighbour does not answer.
  const bool says_no = icmp.kind == IcmpKind::port_unreachable || icmp.kind == IcmpKind::prohibited;
  if (icmp.own && says_no) return FailureKind::kept_here;
  switch (icmp.kind) {
    case IcmpKind::port_unreachable:
      return FailureKind::connection_refused;
    case IcmpKind::prohibited:
      return FailureKind::prohibited;
    case IcmpKind::time_exceeded:
      return FailureKind::ttl_exceeded;
    default:
      return FailureKind::unreachable;
  }
}

FailureKind kind_of(const error_code& error) {
  namespace e = boost::system::errc;
  if (error == asio::error::eof) return FailureKind::closed_by_peer;
  if (error == e::timed_out) return FailureKind::timed_out;
  if (error == e::connection_refused) return FailureKind::connection_refused;
  if (error == e::connection_reset || error == e::broken_pipe || error == e::connection_aborted) {
    return FailureKind::connection_reset;
  }
  if (error == e::network_unreachable || error == e::address_not_available ||
      error == e::address_family_not_supported || error == e::network_down) {
    return FailureKind::no_route;
  }
  if (error == e::host_unreachable) return FailureKind::unreachable;
  // What Windows calls an expired TTL (WSAENETRESET).
  if (error == e::network_reset) return FailureKind::ttl_exceeded;
  // A firewall or a route of this machine: EPERM from sendto, EACCES (WSAEACCES) from connect.
  if (error == e::operation_not_permitted || error == e::permission_denied) {
    return FailureKind::kept_here;
  }
  if (error == e::too_many_files_open || error == e::too_many_files_open_in_system ||
      error == e::no_buffer_space || error == e::not_enough_memory || error == e::address_in_use) {
    return FailureKind::out_of_resources;
  }
  return FailureKind::local;
}

std::string icmp_words(IcmpKind kind) {
  switch (kind) {
    case IcmpKind::port_unreachable:
      return "port unreachable";
    case IcmpKind::host_unreachable:
      return "host unreachable";
    case IcmpKind::network_unreachable:
      return "network unreachable";
    case IcmpKind::prohibited:
      return "administratively prohibited";
    case IcmpKind::fragmentation_needed:
      return "fragmentation needed";
    case IcmpKind::time_exceeded:
      return "time exceeded";
    case IcmpKind::other:
      return "an ICMP error";
  }
  return "an ICMP error";
}

}  // namespace

DetailCode detail_of(FailureKind kind) { return meaning_of(kind).detail; }

std::string_view to_string(FailureKind kind) { return to_string(detail_of(kind)); }

void throw_exception_from_error(const Failure& failure, const boost::source_location& where) {
  throw std::logic_error("value() of a failure (" + std::string(to_string(failure.kind)) + ") at " +
                         where.to_string());
}

bool said_by_this_computer(const IcmpError& icmp, const IpAddress& own, const IpAddress& target) {
  // A missing service of this computer is not a firewall's doing; 0.0.0.0 and :: lead here, too.
  const bool leads_here = target == own || target.is_unspecified() || target.is_loopback();
  return !icmp.sender.is_unspecified() && icmp.sender == own && !leads_here;
}

Failure classify(const error_code& error, std::optional<IcmpError> icmp) {
  Failure failure;
  failure.text = error.message();
  failure.code = error.value();
  failure.kind = icmp ? kind_of(*icmp) : kind_of(error);
  if (failure.kind == FailureKind::out_of_resources) ++shortages_seen;
  failure.icmp = std::move(icmp);
  return failure;
}

Failure classify_first(const error_code& error, std::optional<IcmpError> icmp) {
  const bool own_route =
      !icmp && platform::icmp_supported() && error == boost::system::errc::host_unreachable;
  auto failure = classify(error, std::move(icmp));
  if (own_route) failure.kind = FailureKind::no_route;
  return failure;
}

Failure classify_standing(const error_code& error) {
  auto failure = classify(error);
  const bool told = platform::icmp_supported() && error == boost::system::errc::network_unreachable;
  if (told) failure.kind = FailureKind::unreachable;
  return failure;
}

Failure out_of_memory() {
  return classify(make_error_code(boost::system::errc::not_enough_memory));
}

bool is_of_this_computer(const Failure& failure) {
  return failure.kind == FailureKind::kept_here || failure.kind == FailureKind::no_route ||
         failure.kind == FailureKind::out_of_resources || failure.kind == FailureKind::local;
}

std::uint64_t shortages() { return shortages_seen; }

Failure timed_out() { return {FailureKind::timed_out, "no answer in time"}; }

Failure kept_here() {
  return {FailureKind::kept_here, "the system could not send the connection request"};
}

Failure stopped() { return {FailureKind::stopped, "the run was stopped first"}; }

Failure flooded() { return {FailureKind::local, "too many packets came that nobody asked for"}; }

Failure malformed(std::string text) { return {FailureKind::malformed, std::move(text)}; }

Outcome outcome_of(const Failure& failure) { return meaning_of(failure.kind).outcome; }

void record(Observation& observation, const Failure& failure) {
  observation.outcome = outcome_of(failure);
  observation.detail = detail_of(failure.kind);
  // RFC 8446 section 6.2: what a server says of a client that it knows, and a filter of everybody.
  constexpr int access_denied = 49;
  if (failure.kind == FailureKind::tls_alert && failure.code == access_denied)
    observation.detail = DetailCode::tls_access_denied;
  Evidence evidence;
  if (failure.icmp) {
    const auto sender = failure.icmp->sender.to_string();
    evidence.kind = EvidenceKind::icmp_error;
    evidence.text = sender + " answered: " + icmp_words(failure.icmp->kind);
    evidence.facts[Fact::sender] = sender;
    evidence.facts[Fact::type] = static_cast<std::int64_t>(failure.icmp->type);
    evidence.facts[Fact::code] = static_cast<std::int64_t>(failure.icmp->code);
    // Port-unreachable proves a closed port only where the target itself says so.
    if (observation.outcome == Outcome::refused && observation.address &&
        *observation.address != failure.icmp->sender) {
      observation.outcome = Outcome::rejected;
    }
  } else {
    evidence.kind = EvidenceKind::error;
    evidence.text = failure.text;
    evidence.facts[Fact::code] = static_cast<std::int64_t>(failure.code);
  }
  observation.evidence.push_back(std::move(evidence));
}

}  // namespace callready
