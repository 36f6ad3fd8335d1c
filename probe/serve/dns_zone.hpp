// A DNS zone in memory, and the reply to a query about it (RFC 1035, RFC 6891): bytes in, bytes
// out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "probe/model/ip.hpp"

namespace callready::serve {

struct DnsService {  // SRV, RFC 2782
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;
};

struct DnsPointer {  // NAPTR, RFC 3403 section 4.1
  std::uint16_t order = 0, preference = 0;
  std::string flags, service, regexp, replacement;
};

struct DnsName {  // PTR
  std::string name;
};

struct DnsRecord {
  std::string name;  // "www.example.test"; any case, with or without the last dot
  std::variant<IpAddress, DnsService, DnsPointer, DnsName> data;  // A or AAAA, SRV, NAPTR, PTR
  std::uint32_t ttl = 60;                                         // seconds
};

struct DnsZone {
  std::vector<std::string> apexes;  // names at or under these are ours; others are REFUSED
  std::vector<DnsRecord> records;
};

// The reply to one query; empty where there should be none: what is not a query, or too broken to
// answer. Over UDP it is cut to what the client can take (TC set), at most 1,232 bytes.
std::vector<std::uint8_t> answer_dns(const DnsZone& zone, std::span<const std::uint8_t> query,
                                     bool udp);

}  // namespace callready::serve
