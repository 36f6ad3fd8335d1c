// A vendor, and a digest for pseudonyms, for tests of what --redact hides.
#pragma once

#include <array>
#include <string>

#include "reports/privacy/redact.hpp"

namespace callready {

// Not a digest that keeps anything secret, but one that is the same on every machine (FNV-1a, once
// for each byte).
inline KeyedDigest digest_with(const std::string& key) {
  return [key](std::string_view message) {
    std::array<std::uint8_t, 32> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::uint32_t hash = 2166136261U + static_cast<std::uint32_t>(i);
      for (const char c : key + '\0' + std::string(message)) {
        hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
      }
      bytes[i] = static_cast<std::uint8_t>(hash >> 24 ^ hash >> 9);
    }
    return bytes;
  };
}

inline PublicNames vendors() {
  TargetSet set;
  set.id = "rainbow";
  set.url = "https://support.openrainbow.com/doc.pdf";
  Requirement row;
  row.hosts = {{"web.openrainbow.com", "", Lifecycle::current, ""},
               {"turn-gra1.openrainbow.com", "", Lifecycle::current, ""},
               {"bucket.s3.amazonaws.com", "", Lifecycle::current, ""}};
  row.wildcards = {{"*.rainbow-cdn.net", {}}};
  row.addresses = {
      {Network{IpAddress::parse("203.0.113.0").value(), 24}, "", Lifecycle::current, ""}};
  set.requirements = {row};
  return public_names({&set, 1});
}

}  // namespace callready
