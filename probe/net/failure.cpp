#include "probe/net/failure.hpp"

#include <array>
#include <atomic>
#include <stdexcept>

namespace callready {
namespace {

struct KindRow {
  FailureKind kind;
  DetailCode detail;
  Outcome outcome;
};

constexpr auto table = std::to_array<KindRow>({
    {FailureKind::timed_out, DetailCode::timed_out, Outcome::silent},
    {FailureKind::stopped, DetailCode::stopped, Outcome::skipped},
    {FailureKind::connection_refused, DetailCode::connection_refused, Outcome::refused},
    {FailureKind::connection_reset, DetailCode::connection_reset, Outcome::failed},
    {FailureKind::closed_by_peer, DetailCode::closed_by_peer, Outcome::failed},
    {FailureKind::unreachable, DetailCode::unreachable, Outcome::rejected},
    {FailureKind::prohibited, DetailCode::prohibited, Outcome::rejected},
    {FailureKind::kept_here, DetailCode::kept_here, Outcome::rejected},
    {FailureKind::ttl_exceeded, DetailCode::ttl_exceeded, Outcome::rejected},
    {FailureKind::no_route, DetailCode::no_route, Outcome::skipped},
    {FailureKind::no_such_name, DetailCode::no_such_name, Outcome::unresolved},
    {FailureKind::no_address, DetailCode::no_address, Outcome::unresolved},
    {FailureKind::dns_failed, DetailCode::dns_failed, Outcome::unresolved},
    {FailureKind::dns_unreachable, DetailCode::dns_unreachable, Outcome::unresolved},
    {FailureKind::tls_alert, DetailCode::tls_alert, Outcome::failed},
    {FailureKind::tls_protocol, DetailCode::tls_protocol, Outcome::failed},
    {FailureKind::malformed, DetailCode::malformed, Outcome::failed},
    {FailureKind::oversized, DetailCode::oversized, Outcome::failed},
    {FailureKind::out_of_resources, DetailCode::out_of_resources, Outcome::skipped},
    {FailureKind::local, DetailCode::local_error, Outcome::skipped},
});
static_assert(in_their_places(table, &KindRow::kind));

const KindRow& row_of(FailureKind kind) { return table[static_cast<std::size_t>(kind)]; }

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

DetailCode detail_of(FailureKind kind) { return row_of(kind).detail; }

std::string_view to_string(FailureKind kind) { return to_string(detail_of(kind)); }

void throw_exception_from_error(const Failure& failure, const boost::source_location& where) {
  throw std::logic_error("value() of a failure (" + std::string(to_string(failure.kind)) + ") at " +
                         where.to_string());
}

bool said_by_this_computer(const IcmpError& icmp, const IpAddress& own, const IpAddress& target) {
  // A service of its own that is not there is no firewall's doing; 0.0.0.0 and :: lead here, too.
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

Failure out_of_memory() {
  return classify(make_error_code(boost::system::errc::not_enough_memory));
}

std::uint64_t shortages() { return shortages_seen; }

Failure timed_out() { return {FailureKind::timed_out, "no answer in time"}; }

Failure kept_here() {
  return {FailureKind::kept_here, "the system could not send the connection request"};
}

Failure stopped() { return {FailureKind::stopped, "the run was stopped first"}; }

Failure malformed(std::string text) { return {FailureKind::malformed, std::move(text)}; }

Outcome outcome_of(const Failure& failure) { return row_of(failure.kind).outcome; }

void record(Observation& observation, const Failure& failure) {
  observation.outcome = outcome_of(failure);
  observation.detail = detail_of(failure.kind);
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
