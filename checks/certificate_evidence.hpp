// A peer's certificate chain as evidence, and what is wrong with it as an outcome's detail.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// The handshake's version and chain, one evidence each; the leaf has the most facts.
void add_tls_evidence(Observation& observation, const TlsInfo& info);

// "untrusted", "expired", "not_yet_valid", "wrong_name", "incomplete_chain", or empty where this
// machine trusts the chain for that name. "incomplete_chain" is claimed only of a certificate that
// says where its issuer's can be had, as public authorities' do; a lone one that does not is
// "untrusted": its issuer may well be a private root.
Detail certificate_fault(const TlsInfo& info);

// The one certificate that a row takes, by SHA-256 in hexadecimal: of all of it, or of its public
// key. Empty: any.
struct Pin {
  std::string certificate, public_key;
  bool empty() const { return certificate.empty() && public_key.empty(); }
  bool fits(const TlsInfo& info) const;
};
Pin pin_of(const Job& job);

// The same where only the pinned certificate will do: dates and names do not matter. Any other is
// "unexpected_issuer", or "another_far_end" where `callready serve` made it for itself.
Detail certificate_fault(const TlsInfo& info, const Pin& pin);

// `failed` with that; "another_far_end" is `skipped`: the set is not for who answered, and of the
// network that says nothing.
void record_fault(Observation& observation, const Detail& fault);

// The same where the chain comes from a private authority that this machine need not know: only
// dates and name count.
Detail private_certificate_fault(const TlsInfo& info);

// True where a certificate of the chain was issued by a name that contains `issuer`.
bool issued_by(const TlsInfo& info, const std::string& issuer);

// True where the handshake failed because no version of TLS is common: the server knows only what
// is no longer to be used (RFC 8996).
bool knows_old_versions_only(const Failure& failure);

}  // namespace callready::checks
