#include "checks/certificate_evidence.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

#include "probe/model/told_apart.hpp"
#include "probe/net/far_end.hpp"

namespace callready::checks {
namespace {

std::string day(std::chrono::sys_seconds time) {
  // By hand: gmtime ends in the year 3000 on Windows.
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace

Detail certificate_fault(const TlsInfo& info) {
  switch (info.verify_code) {
    case X509_V_OK:
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return DetailCode::expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return DetailCode::not_yet_valid;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return info.chain.size() == 1 && !info.chain.front().issuer_url.empty()
                 ? DetailCode::incomplete_chain
                 : DetailCode::untrusted;
    default:
      return DetailCode::untrusted;
  }
  return info.name_matches ? DetailCode::unspecified : DetailCode::wrong_name;
}

bool Pin::fits(const TlsInfo& info) const {
  if (info.chain.empty()) return false;
  const auto& leaf = info.chain.front();
  return (certificate.empty() || leaf.sha256 == certificate) &&
         (public_key.empty() || leaf.public_key_sha256 == public_key);
}

Pin pin_of(const Job& job) { return {job.parameter("sha256"), job.parameter("public_key_sha256")}; }

Detail certificate_fault(const TlsInfo& info, const Pin& pin) {
  if (pin.empty()) return certificate_fault(info);
  if (pin.fits(info)) return DetailCode::unspecified;
  const auto mark = fmt::format("O={}", far_end::organization);
  const bool own = info.chain.size() == 1 &&
                   info.chain.front().subject == info.chain.front().issuer &&
                   info.chain.front().subject.find(mark) != std::string::npos;
  return own ? DetailCode::another_far_end : DetailCode::unexpected_issuer;
}

void record_fault(Observation& observation, const Detail& fault) {
  const bool other = fault == DetailCode::another_far_end;
  set_outcome(observation, other ? Outcome::skipped : Outcome::failed, fault);
}

Detail private_certificate_fault(const TlsInfo& info) {
  for (const int objection : info.objections) {
    if (objection == X509_V_ERR_CERT_HAS_EXPIRED) return DetailCode::expired;
    if (objection == X509_V_ERR_CERT_NOT_YET_VALID) return DetailCode::not_yet_valid;
  }
  return info.name_matches ? DetailCode::unspecified : DetailCode::wrong_name;
}

bool issued_by(const TlsInfo& info, const std::string& issuer) {
  return std::any_of(info.chain.begin(), info.chain.end(), [&](const CertificateInfo& certificate) {
    return certificate.issuer.find(issuer) != std::string::npos;
  });
}

void add_tls_evidence(Observation& observation, const TlsInfo& info) {
  if (!info.version.empty()) {
    add_evidence(observation, EvidenceKind::tls_handshake,
                 phrase("{} with {}", info.version, info.cipher),
                 {{Fact::version, info.version}, {Fact::cipher, info.cipher}});
  }
  for (std::size_t i = 0; i < info.chain.size(); ++i) {
    const auto& certificate = info.chain[i];
    FactMap facts{{Fact::position, static_cast<std::int64_t>(i)},
                  {Fact::subject, certificate.subject},
                  {Fact::issuer, certificate.issuer},
                  {Fact::not_before, day(certificate.not_before)},
                  {Fact::not_after, day(certificate.not_after)},
                  {Fact::sha256, certificate.sha256},
                  {Fact::public_key_sha256, certificate.public_key_sha256},
                  {Fact::self_signed, certificate.self_signed},
                  {Fact::timestamps, certificate.timestamps}};
    if (i == 0) facts[Fact::names] = fmt::format("{}", fmt::join(certificate.names, " "));
    const auto subject = certificate.subject.empty() ? phrase("a certificate without a subject")
                                                     : Text(certificate.subject);
    const auto issuer =
        certificate.issuer.empty() ? phrase("an issuer without a name") : Text(certificate.issuer);
    add_evidence(
        observation, EvidenceKind::certificate,
        phrase("{}, issued by {}, valid until {}", subject, issuer, day(certificate.not_after)),
        std::move(facts));
  }
  if (info.public_root && !info.chain.empty()) {
    FactMap facts{{Fact::expected, *info.public_root}};
    if (*info.public_root && info.given_root) facts[Fact::given] = true;
    if (*info.public_root && info.users_root) facts[Fact::trusted_anyway] = true;
    if (*info.public_root && !info.given_root) facts[Fact::basis] = std::string(public_root_basis);
    add_evidence(observation, EvidenceKind::chain_root,
                 !*info.public_root ? phrase("the chain does not end in a public root")
                 : info.given_root  ? phrase("the chain ends in a root given for this run")
                                    : phrase("the chain ends in a public root"),
                 std::move(facts));
  }
  if (info.client_certificate_asked) {
    add_evidence(observation, EvidenceKind::client_certificate_asked,
                 phrase("the server asks for a client certificate; none was given"), {});
  }
  if (!info.not_tls.empty()) {
    add_evidence(observation, EvidenceKind::not_tls,
                 phrase("the server answered without TLS: \"{}\"", info.not_tls),
                 {{Fact::first_bytes, info.not_tls}});
  }
  const auto fault = certificate_fault(info);
  if (fault.empty()) return;
  add_evidence(observation, EvidenceKind::certificate_fault,
               fault == DetailCode::wrong_name ? phrase("the certificate is for another name")
                                               : info.verify_text,
               {{Fact::fault, fault.text()}, {Fact::verify_code, info.verify_code}});
}

bool wants_a_client_certificate(const Failure& failure, const TlsInfo& info) {
  const bool hung_up = failure.kind == FailureKind::tls_alert ||
                       failure.kind == FailureKind::connection_reset ||
                       failure.kind == FailureKind::closed_by_peer;
  return hung_up && info.client_certificate_asked;
}

bool knows_old_versions_only(const Failure& failure) {
  if (failure.kind == FailureKind::tls_alert) return failure.code == SSL_AD_PROTOCOL_VERSION;
  return failure.kind == FailureKind::tls_protocol && failure.code == SSL_R_UNSUPPORTED_PROTOCOL;
}

}  // namespace callready::checks
