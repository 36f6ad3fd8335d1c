// tls: the TLS handshake with SNI, and the certificate chain (RFC 8446, RFC 5280, RFC 6125).
//
// Sends a ClientHello after the TCP handshake and closes after the handshake. Outcomes: those of
// `tcp` where the connection fails; `answered` where the handshake ends and this machine trusts the
// chain for that name; `failed` with "expired", "not_yet_valid", "untrusted", "incomplete_chain" or
// "wrong_name" where it does not, with "tls_alert" or "tls_protocol" where the handshake breaks. An
// alert after the server asked for a client certificate is an answer: the service is there and
// wants its own clients (a PBX's private PKI).
#include "checks/certificate_evidence.hpp"
#include "checks/dial.hpp"
#include "checks/kinds.hpp"

namespace callready::checks {
asio::awaitable<Observation> run_tls(Context& context, Job job) {
  Observation observation;
  DialOptions options;
  options.tls = true;
  auto dialled = co_await dial(context, job, options, observation);
  add_tls_evidence(observation, dialled.tls);
  if (!dialled.stream) {
    const bool alert = dialled.failure && dialled.failure->kind == FailureKind::tls_alert;
    if (alert && dialled.tls.client_certificate_asked) {
      observation.outcome = Outcome::answered;
      observation.detail = "client_certificate_wanted";
    }
    co_return observation;
  }
  const auto fault = certificate_fault(dialled.tls);
  if (fault.empty()) {
    observation.outcome = Outcome::answered;
    observation.detail = "trusted";
  } else {
    observation.outcome = Outcome::failed;
    observation.detail = fault;
  }
  co_return observation;
}

}  // namespace callready::checks
