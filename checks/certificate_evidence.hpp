// A peer's certificate chain as evidence, and what is wrong with it as an outcome's detail.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// Adds the handshake's version, and each certificate of the chain; the leaf has the most facts.
void add_tls_evidence(Observation& observation, const TlsInfo& info);

// "untrusted", "expired", "not_yet_valid", "wrong_name", "incomplete_chain", or empty if this
// machine trusts the chain for that name. "incomplete_chain" requires a certificate that says where
// its issuer's can be fetched, as those of public authorities do; a lone one that does not is
// "untrusted": its issuer may well be a private root.
Detail certificate_fault(const TlsInfo& info);

// The only certificate that a row accepts, by the SHA-256 (in hexadecimal) of all of it or of its
// public key. Empty: any.
struct Pin {
  std::string certificate, public_key;
  bool empty() const { return certificate.empty() && public_key.empty(); }
  bool fits(const TlsInfo& info) const;
};
Pin pin_of(const Job& job);

// The same, but if one is pinned only that will do, whatever its dates and names. Any other is
// "unexpected_issuer", or "another_far_end" if a `callready serve` made it for itself.
Detail certificate_fault(const TlsInfo& info, const Pin& pin);

// Records `failed` with that; but `skipped` for "another_far_end": the set is not for the server
// that answered, which says nothing about the network.
void record_fault(Observation& observation, const Detail& fault);

// As certificate_fault(), for a chain from a private authority that this machine need not know:
// only dates and name count.
Detail private_certificate_fault(const TlsInfo& info);

// True where a certificate of the chain was issued by a name that contains `issuer`.
bool issued_by(const TlsInfo& info, const std::string& issuer);

// True for a server that asked for a client certificate and hung up when it got none: in TLS 1.3
// only after our handshake, with an alert (RFC 8446 section 4.4.2.4) that a reset may overtake.
bool wants_a_client_certificate(const Failure& failure, const TlsInfo& info);

// True if the handshake failed for lack of a common TLS version: the server supports only versions
// that are deprecated (RFC 8996).
bool knows_old_versions_only(const Failure& failure);

}  // namespace callready::checks
