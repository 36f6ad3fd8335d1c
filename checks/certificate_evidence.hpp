// A peer's certificate chain as evidence, and what is wrong with it as an outcome's detail.
#pragma once

#include "checks/check.hpp"

namespace callready::checks {

// The handshake's version and chain, one evidence each; the leaf has the most facts.
void add_tls_evidence(Observation& observation, const TlsInfo& info);

// "untrusted", "expired", "not_yet_valid", "wrong_name", "incomplete_chain", or empty where this
// machine trusts the chain for that name.
std::string certificate_fault(const TlsInfo& info);

}  // namespace callready::checks
