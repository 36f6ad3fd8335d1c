// tls: the TLS handshake with SNI, and the certificate chain (RFC 8446, RFC 5280, RFC 6125).
//
// Sends a ClientHello after the TCP handshake and closes after the handshake. Outcomes: those of
// `tcp` where the connection fails; `answered` where the handshake ends and this machine trusts the
// chain for that name; `failed` with "expired", "not_yet_valid", "untrusted", "incomplete_chain" or
// "wrong_name" where it does not; where the handshake breaks, `failed` with "not_tls" (what came
// was not TLS: plain HTTP, SSH), "tls_version" (no version in common, RFC 8996), "tls_alert",
// "tls_protocol", "tls_timed_out", "closed_by_peer" or "connection_reset".
// "far_end_busy" as in dial.hpp, here and in all checks that dial.
// A server that asks for a client certificate has answered, whether or not it goes on without one
// ("client_certificate_wanted" in both cases): in TLS 1.3 its alert comes only after our handshake.
// With `issuer`, a part of the issuer's name that the chain must hold (a vendor's private PKI), a
// chain that this machine does not trust is `answered` with "private_pki", and one from anybody
// else is `failed` with "unexpected_issuer" even if this machine trusts it. The same with `sha256`,
// of the server's own certificate, or `public_key_sha256`, of its key: dates and names do not
// matter then. `skipped` with "another_far_end" where it is a `callready serve` of another key.
#include "checks/certificate_evidence.hpp"

#include "checks/dial.hpp"
#include "checks/kinds.hpp"

namespace callready::checks {
namespace {

void conclude_chain(Observation& observation, const TlsInfo& info, const Job& job) {
  const auto issuer = job.parameter("issuer");
  const auto pin = pin_of(job);
  const auto general = certificate_fault(info);
  auto fault = general;
  if (!pin.empty()) {
    fault = certificate_fault(info, pin);
  } else if (!issuer.empty() && issued_by(info, issuer)) {
    fault = private_certificate_fault(info);
  } else if (!issuer.empty() && fault.empty()) {
    fault = DetailCode::unexpected_issuer;
  }
  if (!fault.empty()) return record_fault(observation, fault);
  set_outcome(observation, Outcome::answered,
              general.empty() ? DetailCode::trusted : DetailCode::private_pki);
  if (info.client_certificate_asked) observation.detail = DetailCode::client_certificate_wanted;
}

}  // namespace

asio::awaitable<Observation> run_tls(Context& context, Job job) {
  Observation observation;
  const DialOptions options{.tls = true};
  const auto dialled = co_await dial(context, job, options, observation);
  const auto& info = dialled.tls;
  add_tls_evidence(observation, info);
  const bool alert = dialled.failure && dialled.failure->kind == FailureKind::tls_alert;
  if (observation.outcome == Outcome::skipped) co_return observation;
  if (dialled.stream || (alert && info.client_certificate_asked && !info.chain.empty())) {
    conclude_chain(observation, info, job);
  }
  co_return observation;
}

}  // namespace callready::checks
