#include "probe/net/dns_records.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready::dns {
namespace {

constexpr std::size_t header_size = 12;
constexpr std::size_t longest_name = 255;  // on the wire, RFC 1035 section 3.1
constexpr std::uint16_t class_in = 1;
constexpr std::uint16_t edns_extended_error = 15;  // RFC 8914 section 2
// Passes unfragmented nearly everywhere (DNS flag day 2020).
constexpr std::uint16_t edns_size = 1'232;

struct NumberName {
  int number;
  std::string_view name;
};

constexpr NumberName types[] = {
    {type_a, "A"},       {type_cname, "CNAME"}, {type_soa, "SOA"},     {type_ptr, "PTR"},
    {type_aaaa, "AAAA"}, {type_srv, "SRV"},     {type_naptr, "NAPTR"},
};

constexpr NumberName rcodes[] = {
    {0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
    {4, "NOTIMP"},  {5, "REFUSED"}, {6, "YXDOMAIN"}, {7, "YXRRSET"},
    {8, "NXRRSET"}, {9, "NOTAUTH"}, {10, "NOTZONE"}, {16, "BADVERS"},
};

// RFC 8914 section 5.2 and the registry it opened.
constexpr NumberName extended_errors[] = {
    {0, "Other"},
    {1, "Unsupported DNSKEY Algorithm"},
    {2, "Unsupported DS Digest Type"},
    {3, "Stale Answer"},
    {4, "Forged Answer"},
    {5, "DNSSEC Indeterminate"},
    {6, "DNSSEC Bogus"},
    {7, "Signature Expired"},
    {8, "Signature Not Yet Valid"},
    {9, "DNSKEY Missing"},
    {10, "RRSIGs Missing"},
    {11, "No Zone Key Bit Set"},
    {12, "NSEC Missing"},
    {13, "Cached Error"},
    {14, "Not Ready"},
    {15, "Blocked"},
    {16, "Censored"},
    {17, "Filtered"},
    {18, "Prohibited"},
    {19, "Stale NXDOMAIN Answer"},
    {20, "Not Authoritative"},
    {21, "Not Supported"},
    {22, "No Reachable Authority"},
    {23, "Network Error"},
    {24, "Invalid Data"},
};

std::string named(std::span<const NumberName> table, int number, std::string_view otherwise) {
  for (const auto& row : table) {
    if (row.number == number) return std::string(row.name);
  }
  return fmt::format("{}{}", otherwise, number);
}

// Reads forward through a message. The first error sticks; what is read after it is zero.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> message)
      : message_(message), end_(message.size()) {}

  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  std::size_t position() const { return position_; }
  std::size_t left() const { return end_ - position_; }

  void fail(std::string_view what, std::size_t where) {
    if (!failed()) error_ = fmt::format("DNS message: {} at byte {}", what, where);
  }

  std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t word() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t long_word() { return number(4); }

  std::span<const std::uint8_t> bytes(std::size_t size) {
    if (failed()) return {};
    if (left() < size) {
      fail("truncated", position_);
      return {};
    }
    const auto result = message_.subspan(position_, size);
    position_ += size;
    return result;
  }

  // RFC 1035 section 3.3: one length byte, then that many bytes.
  std::string character_string() {
    const auto data = bytes(byte());
    return printable(as_text(data), 255);
  }

  // RFC 1035 section 4.1.4. A pointer must point to before the name (or the pointer's target) that
  // contains it: every jump goes further back, so that there is an end.
  std::string name() {
    std::string text;
    std::size_t at = position_, barrier = position_, wire_length = 1;
    int jumps = 0;
    std::size_t limit = end_;  // after a jump: anywhere in the message
    while (!failed()) {
      if (at >= limit) {
        fail("truncated name", at);
        break;
      }
      const std::uint8_t length = message_[at];
      if (length == 0) {
        if (jumps == 0) position_ = at + 1;
        break;
      }
      if ((length & 0xc0) == 0xc0) {
        if (at + 2 > limit) {
          fail("truncated name", at);
          break;
        }
        const auto target = static_cast<std::size_t>(length & 0x3f) << 8 | message_[at + 1];
        if (jumps == 0) position_ = at + 2;
        if (target >= barrier || target < header_size) {
          fail("a compressed name does not point back", at);
          break;
        }
        // A name has at most 127 labels; more jumps than that serve only to waste time.
        if (++jumps > 127) {
          fail("a name of too many jumps", at);
          break;
        }
        barrier = at = target;
        limit = message_.size();
        continue;
      }
      if ((length & 0xc0) != 0) {
        fail("an unknown kind of label", at);
        break;
      }
      if (at + 1 + length > limit) {
        fail("truncated name", at);
        break;
      }
      wire_length += length + std::size_t{1};
      if (wire_length > longest_name) {
        fail("a name longer than 255 bytes", at);
        break;
      }
      if (!text.empty()) text += '.';
      for (const auto c : message_.subspan(at + 1, length)) {
        if (c == '.' || c == '\\') {
          text += '\\';
          text += static_cast<char>(c);
        } else if (c > 0x20 && c < 0x7f) {
          text += static_cast<char>(c);
        } else {
          text += fmt::format("\\{:03}", c);
        }
      }
      at += length + std::size_t{1};
    }
    return failed() ? std::string() : text;
  }

  // What is read until leave() must lie within the next `size` bytes, and use them all.
  void enter(std::size_t size) {
    outer_end_ = end_;
    if (left() < size) {
      fail("a record longer than the message", position_);
    } else {
      end_ = position_ + size;
    }
  }
  void leave() {
    if (position_ != end_) fail("bytes left over in a record", position_);
    position_ = end_;
    end_ = outer_end_;
  }
  void skip() { position_ = end_; }

 private:
  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const auto part : bytes(size)) value = value << 8 | part;
    return value;
  }

  std::span<const std::uint8_t> message_;
  std::size_t position_ = 0, end_, outer_end_ = 0;
  std::string error_;
};

void read_address(Reader& reader, Record& record, std::size_t size) {
  const auto data = reader.bytes(size);
  if (!reader.failed()) record.data = IpAddress::of_bytes(data.data(), size == 16);
}

void read_data(Reader& reader, Record& record) {
  if (record.record_class != class_in) {
    reader.skip();
    return;
  }
  switch (record.type) {
    case type_a:
      return read_address(reader, record, 4);
    case type_aaaa:
      return read_address(reader, record, 16);
    case type_cname:
    case type_ptr:
      record.data = reader.name();
      return;
    case type_srv: {
      SrvRecord srv;
      srv.priority = reader.word();
      srv.weight = reader.word();
      srv.port = reader.word();
      srv.target = reader.name();
      record.data = std::move(srv);
      return;
    }
    case type_naptr: {  // RFC 3403 section 4.1
      NaptrRecord naptr;
      naptr.order = reader.word();
      naptr.preference = reader.word();
      naptr.flags = reader.character_string();
      naptr.services = reader.character_string();
      naptr.regexp = reader.character_string();
      naptr.replacement = reader.name();
      record.data = std::move(naptr);
      return;
    }
    case type_soa: {
      SoaRecord soa;
      soa.mname = reader.name();
      soa.rname = reader.name();
      soa.serial = reader.long_word();
      soa.refresh = reader.long_word();
      soa.retry = reader.long_word();
      soa.expire = reader.long_word();
      soa.minimum = reader.long_word();
      record.data = std::move(soa);
      return;
    }
    default:
      reader.skip();
  }
}

// RFC 6891 section 6.1: the TTL holds the upper bits of the rcode; the data, options.
void read_options(Reader& reader, std::uint32_t ttl, Message& message) {
  message.edns = true;
  message.rcode |= static_cast<int>(ttl >> 24) << 4;
  while (!reader.failed() && reader.left() > 0) {
    const auto code = reader.word();
    const auto data = reader.bytes(reader.word());
    if (reader.failed() || code != edns_extended_error) continue;
    if (data.size() < 2) {
      reader.fail("an extended error without its code", reader.position());
      continue;
    }
    ExtendedError error;
    error.code = static_cast<std::uint16_t>(data[0] << 8 | data[1]);
    error.text = printable(as_text(data.subspan(2)));
    message.extended_errors.push_back(std::move(error));
  }
}

void read_record(Reader& reader, Section section, Message& message) {
  Record record;
  record.section = section;
  record.name = reader.name();
  record.type = reader.word();
  record.record_class = reader.word();
  record.ttl = reader.long_word();
  reader.enter(reader.word());
  if (reader.failed()) return;
  if (record.type == type_opt) {
    read_options(reader, record.ttl, message);
  } else {
    read_data(reader, record);
  }
  reader.leave();
  if (record.type != type_opt) message.records.push_back(std::move(record));
}

void put(std::vector<std::uint8_t>& bytes, std::uint16_t word) {
  bytes.push_back(static_cast<std::uint8_t>(word >> 8));
  bytes.push_back(static_cast<std::uint8_t>(word & 0xff));
}

// Its own records of the answer, aliases not followed.
std::vector<const Record*> answers_of(const Message& message, std::string_view name,
                                      std::uint16_t type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<const Record*> found;
  for (const auto& record : message.records) {
    const bool its = record.section == Section::answer && record.record_class == class_in &&
                     record.type == type && same_name(record.name, name);
    if (its) found.push_back(&record);
  }
  return found;
}

}  // namespace

std::string type_name(std::uint16_t type) { return named(types, type, "TYPE"); }

std::optional<std::uint16_t> parse_type(std::string_view text) {
  for (const auto& row : types) {
    if (same_name(row.name, text)) return static_cast<std::uint16_t>(row.number);
  }
  return std::nullopt;
}

std::string rcode_name(int rcode) { return named(rcodes, rcode, "RCODE"); }

std::string extended_error_name(std::uint16_t code) {
  return named(extended_errors, code, "code ");
}

bool same_name(std::string_view left, std::string_view right) {
  return is_same_but_for_case(left, right);
}

Result<Message> parse_message(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > 65'535) {
    return Failure{FailureKind::oversized, "DNS message: longer than 65,535 bytes"};
  }
  Reader reader(bytes);
  Message message;
  message.id = reader.word();
  const auto flags = reader.word();
  message.response = (flags & 0x8000) != 0;
  message.opcode = flags >> 11 & 15;
  message.authoritative = (flags & 0x0400) != 0;
  message.truncated = (flags & 0x0200) != 0;
  message.recursion_available = (flags & 0x0080) != 0;
  message.rcode = flags & 15;
  message.questions = reader.word();
  std::array<std::uint16_t, 3> counts{};
  for (auto& count : counts) count = reader.word();
  for (int i = 0; i < message.questions && !reader.failed(); ++i) {
    auto name = reader.name();
    const auto type = reader.word();
    reader.word();  // its class
    if (i > 0) continue;
    message.question = std::move(name);
    message.question_type = type;
  }
  const bool asked = !reader.failed();
  constexpr Section sections[] = {Section::answer, Section::authority, Section::additional};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    for (int n = 0; n < counts[i] && !reader.failed(); ++n) {
      read_record(reader, sections[i], message);
    }
  }
  if (reader.failed()) {
    if (!asked || !message.truncated) return malformed(reader.error());
    message.cut = true;
    message.records.clear();
    message.extended_errors.clear();
  }
  return message;
}

Result<std::vector<std::uint8_t>> encode_question(std::uint16_t id, std::string_view name,
                                                  std::uint16_t type, bool edns) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > longest_name - 2) return malformed("a name longer than 253 bytes");
  std::vector<std::uint8_t> bytes;
  put(bytes, id);
  put(bytes, 0x0100);  // recursion desired
  put(bytes, 1);
  put(bytes, 0);
  put(bytes, 0);
  put(bytes, edns ? 1 : 0);
  while (!name.empty()) {
    const auto dot = name.find('.');
    const auto label = name.substr(0, dot);
    if (label.empty() || label.size() > 63 || dot + 1 == name.size()) {
      return malformed("a name whose labels are not 1 to 63 bytes long");
    }
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    for (const char c : label) {
      if (c <= ' ' || c > '~' || c == '\\') return malformed("a name with bytes beyond ASCII");
      bytes.push_back(static_cast<std::uint8_t>(c));
    }
    name.remove_prefix(dot == name.npos ? name.size() : dot + 1);
  }
  bytes.push_back(0);
  put(bytes, type);
  put(bytes, class_in);
  if (edns) {
    bytes.push_back(0);
    put(bytes, type_opt);
    put(bytes, edns_size);
    put(bytes, 0);
    put(bytes, 0);
    put(bytes, 0);
  }
  return bytes;
}

bool answers(const Message& reply, std::uint16_t id, std::string_view name, std::uint16_t type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (reply.id != id || !reply.response || reply.opcode != 0) return false;
  // Some servers leave the question out of an error.
  if (reply.questions == 0) return reply.rcode != rcode_no_error;
  return reply.question_type == type && same_name(reply.question, name);
}

std::string reverse_name(const IpAddress& address) {
  std::string name;
  const auto& bytes = address.bytes();
  if (address.is_v4()) {
    return fmt::format("{}.{}.{}.{}.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
  }
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    name += fmt::format("{:x}.{:x}.", *byte & 15, *byte >> 4);
  }
  return name + "ip6.arpa";
}

std::string canonical_name(const Message& message, std::string_view name) {
  constexpr int most_links = 16;
  std::string canonical(name);
  if (canonical.ends_with('.')) canonical.pop_back();
  for (int links = 0; links < most_links; ++links) {
    const auto aliases = answers_of(message, canonical, type_cname);
    const auto* next = aliases.empty() ? nullptr : std::get_if<std::string>(&aliases.front()->data);
    if (next == nullptr) break;
    canonical = *next;
  }
  return canonical;
}

std::vector<const Record*> answer_records(const Message& message, std::string_view name,
                                          std::uint16_t type) {
  if (type == type_cname) return answers_of(message, name, type);
  return answers_of(message, canonical_name(message, name), type);
}

std::vector<SrvRecord> order_srv(std::vector<SrvRecord> records, const Random& random) {
  std::erase_if(records, [](const SrvRecord& record) { return record.target.empty(); });
  // RFC 2782, "Usage rules": records of weight 0 go first, so that it has a small chance.
  std::stable_sort(records.begin(), records.end(), [](const SrvRecord& a, const SrvRecord& b) {
    return std::pair(a.priority, a.weight != 0) < std::pair(b.priority, b.weight != 0);
  });
  std::vector<SrvRecord> ordered;
  while (!records.empty()) {
    const auto same = std::find_if(records.begin(), records.end(), [&](const SrvRecord& record) {
      return record.priority != records.front().priority;
    });
    std::uint32_t sum = 0;  // of at most 6,000 records: no overflow
    for (auto record = records.begin(); record != same; ++record) sum += record->weight;
    const auto drawn = random(sum);
    std::uint32_t running = 0;
    auto chosen = records.begin();
    for (auto record = records.begin(); record != same; ++record) {
      running += record->weight;
      chosen = record;
      if (running >= drawn) break;
    }
    ordered.push_back(std::move(*chosen));
    records.erase(chosen);
  }
  return ordered;
}

std::vector<SipService> order_sip_naptr(std::vector<NaptrRecord> records) {
  struct Row {
    std::string_view services;
    Transport transport;
    bool sips;
  };
  static constexpr Row rows[] = {{"SIP+D2U", Transport::udp, false},
                                 {"SIP+D2T", Transport::tcp, false},
                                 {"SIPS+D2T", Transport::tls, true}};
  std::stable_sort(records.begin(), records.end(), [](const NaptrRecord& a, const NaptrRecord& b) {
    return std::pair(a.order, a.preference) < std::pair(b.order, b.preference);
  });
  std::vector<SipService> services;
  for (const auto& record : records) {
    if (!same_name(record.flags, "s") || record.replacement.empty()) continue;
    for (const auto& row : rows) {
      if (!same_name(record.services, row.services)) continue;
      services.push_back({row.transport, row.sips, record.replacement});
    }
  }
  return services;
}

}  // namespace callready::dns
