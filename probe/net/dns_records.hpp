// DNS messages as bytes: questions out, answers in (RFC 1035, 2782, 3403, 6891, 8914), and the
// orders in which SRV and NAPTR records are to be tried (RFC 2782, RFC 3263). No sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probe/net/failure.hpp"

namespace callready::dns {

// The record types that are decoded (RFC 1035 section 3.2.2 and later); others keep their number.
inline constexpr std::uint16_t type_a = 1;
inline constexpr std::uint16_t type_cname = 5;
inline constexpr std::uint16_t type_soa = 6;
inline constexpr std::uint16_t type_ptr = 12;
inline constexpr std::uint16_t type_aaaa = 28;
inline constexpr std::uint16_t type_srv = 33;
inline constexpr std::uint16_t type_naptr = 35;
inline constexpr std::uint16_t type_opt = 41;

inline constexpr int rcode_no_error = 0;
inline constexpr int rcode_format_error = 1;
inline constexpr int rcode_server_failure = 2;
inline constexpr int rcode_name_error = 3;  // NXDOMAIN
inline constexpr int rcode_not_implemented = 4;
inline constexpr int rcode_refused = 5;

std::string type_name(std::uint16_t type);                       // "SRV", "TYPE65"
std::optional<std::uint16_t> parse_type(std::string_view text);  // "A", "aaaa": decoded types only
std::string rcode_name(int rcode);                               // "NXDOMAIN", "RCODE42"
std::string extended_error_name(std::uint16_t code);             // "Blocked", "code 4711"

// Domain names are text without the final dot, "" is the root. Bytes that are not letters, digits
// or punctuation are escaped as in RFC 1035 section 5.1 (`\.`, `\032`), so that they can be shown.
bool same_name(std::string_view left, std::string_view right);  // ASCII case does not count

struct SrvRecord {
  std::uint16_t priority = 0, weight = 0, port = 0;
  std::string target;  // "": the service is decidedly not there (RFC 2782)
};

struct NaptrRecord {
  std::uint16_t order = 0, preference = 0;
  std::string flags, services, regexp;  // as sent, made printable
  std::string replacement;
};

struct SoaRecord {
  std::string mname, rname;
  std::uint32_t serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0;
};

enum class Section { answer, authority, additional };

struct Record {
  Section section = Section::answer;
  std::string name;
  std::uint16_t type = 0, record_class = 1;
  std::uint32_t ttl = 0;  // seconds
  // A and AAAA; CNAME and PTR; SRV; NAPTR; SOA; nothing for all others and other classes than IN.
  std::variant<std::monostate, IpAddress, std::string, SrvRecord, NaptrRecord, SoaRecord> data;
};

// RFC 8914: why the resolver answers as it does.
struct ExtendedError {
  std::uint16_t code = 0;
  std::string text;  // made printable
};

struct Message {
  std::uint16_t id = 0;
  bool response = false, authoritative = false, truncated = false, recursion_available = false;
  int opcode = 0;
  int rcode = 0;         // with the upper bits of EDNS
  std::string question;  // of the first question; "" if there is none
  std::uint16_t question_type = 0;
  int questions = 0;
  bool edns = false;
  bool cut = false;             // truncated within its records: they are left out
  std::vector<Record> records;  // without OPT, as sent
  std::vector<ExtendedError> extended_errors;
};

// NOERROR or NXDOMAIN: a resolver does not go on to its next server.
inline bool is_final(const Message& answer) {
  return answer.rcode == rcode_no_error || answer.rcode == rcode_name_error;
}

// A whole message (over TCP: without its length prefix). Errors: `malformed`, with what is wrong
// and at which byte: truncated, lying lengths, names too long, compression that does not go back;
// `oversized` beyond 65,535 bytes. Only a message that says that it is truncated may end within a
// record (RFC 2181 section 9). Takes time linear in the message's size times 128.
Result<Message> parse_message(std::span<const std::uint8_t> bytes);

// A question of class IN with recursion desired and, where `edns`, an OPT record of 1,232 bytes
// (RFC 6891; a resolver sends extended errors only then). `malformed` if `name` is not valid:
// labels of 1 to 63 ASCII bytes, 253 in all.
Result<std::vector<std::uint8_t>> encode_question(std::uint16_t id, std::string_view name,
                                                  std::uint16_t type, bool edns);

// True if `reply` answers that question: a response with the same id and the same question.
bool answers(const Message& reply, std::uint16_t id, std::string_view name, std::uint16_t type);

// "34.216.184.93.in-addr.arpa" (RFC 1035 section 3.5), "...ip6.arpa" (RFC 3596 section 2.5).
std::string reverse_name(const IpAddress& address);

// What `name` is an alias of, at the end of its CNAME chain in the answer (at most 16 links; RFC
// 2181 section 10.1); itself if it is none.
std::string canonical_name(const Message& message, std::string_view name);

// The records of the answer that are for `name`, or for what it is an alias of, in the order sent.
std::vector<const Record*> answer_records(const Message& message, std::string_view name,
                                          std::uint16_t type);

// Uniform in 0..limit, both included. Tests pass their own.
using Random = std::function<std::uint32_t(std::uint32_t limit)>;

// In the order in which RFC 2782 wants them tried: by priority, and within one priority drawn by
// weight. Records whose target is the root are left out.
std::vector<SrvRecord> order_srv(std::vector<SrvRecord> records, const Random& random);

// What a NAPTR record says of SIP (RFC 3263 section 4.1).
struct SipService {
  Transport transport = Transport::udp;
  bool sips = false;     // "SIPS+D2T"
  std::string srv_name;  // the name to ask for SRV records: "_sip._udp.example.com"
  friend bool operator==(const SipService&, const SipService&) = default;
};

// The SIP services among the records ("s" flag; SIP+D2U, SIP+D2T, SIPS+D2T), by order and then by
// preference. All others are left out, as RFC 3263 section 4.1 says.
std::vector<SipService> order_sip_naptr(std::vector<NaptrRecord> records);

}  // namespace callready::dns
