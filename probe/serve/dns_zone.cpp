#include "probe/serve/dns_zone.hpp"

#include "probe/serve/dns_wire.hpp"

namespace callready::serve {
namespace {

enum Type : std::uint16_t { a = 1, ptr = 12, aaaa = 28, srv = 33, naptr = 35, opt = 41, any = 255 };
enum Code : unsigned { no_error = 0, format = 1, name = 3, not_implemented = 4, refused = 5 };
constexpr unsigned bad_version = 16;  // RFC 6891 section 9
constexpr std::uint16_t internet = 1;
constexpr std::size_t header_size = 12;
constexpr std::size_t plain_limit = 512;   // RFC 1035 section 4.2.1
constexpr std::size_t edns_limit = 1'232;  // fits an IPv6 packet of 1,280 bytes

bool at_or_under(std::string_view one, std::string_view apex) {
  return one == apex || apex.empty() ||
         (one.size() > apex.size() && one.ends_with(apex) &&
          one[one.size() - apex.size() - 1] == '.');
}

std::uint16_t type_of(const DnsRecord& record) {
  if (const auto* address = std::get_if<IpAddress>(&record.data))
    return address->is_v4() ? a : aaaa;
  if (std::holds_alternative<DnsService>(record.data)) return srv;
  return std::holds_alternative<DnsPointer>(record.data) ? naptr : ptr;
}

void write_data(DnsWriter& out, const DnsRecord& record) {
  if (const auto* address = std::get_if<IpAddress>(&record.data)) {
    out.append(std::span(address->bytes()).first(static_cast<std::size_t>(address->bits()) / 8));
  } else if (const auto* service = std::get_if<DnsService>(&record.data)) {
    out.u16(service->priority);
    out.u16(service->weight);
    out.u16(service->port);
    out.name(dns_canonical(service->target), false);
  } else if (const auto* pointer = std::get_if<DnsPointer>(&record.data)) {
    out.u16(pointer->order);
    out.u16(pointer->preference);
    out.text(pointer->flags);
    out.text(pointer->service);
    out.text(pointer->regexp);
    out.name(dns_canonical(pointer->replacement), false);
  } else {
    out.name(dns_canonical(std::get<DnsName>(record.data).name), true);
  }
}

struct Query {
  std::uint16_t id = 0, flags = 0, type = 0, klass = 0;
  std::string name;
  bool edns = false;
  unsigned version = 0;
  std::size_t payload = plain_limit;
  std::size_t question_end = 0;  // 0: the question cannot be read
  bool well_formed = false;
};

Query read_query(std::span<const std::uint8_t> bytes) {
  Query query;
  DnsReader in(bytes);
  query.id = in.u16();
  query.flags = in.u16();
  const auto questions = in.u16(), answers = in.u16(), authorities = in.u16(), more = in.u16();
  if (questions != 1) return query;
  query.name = in.name();
  query.type = in.u16();
  query.klass = in.u16();
  if (!in.ok()) return query;
  query.question_end = in.position();
  if (answers != 0 || authorities != 0 || more > 4) return query;
  for (unsigned i = 0; i < more && in.ok(); ++i) {
    const bool root = in.name().empty();
    const auto type = in.u16();
    const auto klass = in.u16();
    in.u8();  // upper bits of an extended code: a reply's
    const unsigned version = in.u8();
    in.u16();
    in.skip(in.u16());
    if (type != opt) continue;
    if (query.edns || !root) return query;  // RFC 6891 section 6.1.1: at most one
    query.edns = true;
    query.version = version;
    query.payload = std::clamp<std::size_t>(klass, plain_limit, edns_limit);
  }
  query.well_formed = in.ok();
  return query;
}

bool add_answers(DnsWriter& out, const DnsZone& zone, const Query& query, std::size_t limit,
                 Code& code) {
  const auto asked = dns_canonical(query.name);
  const auto under = [&](const std::string& apex) {
    return at_or_under(asked, dns_canonical(apex));
  };
  if (std::none_of(zone.apexes.begin(), zone.apexes.end(), under)) code = refused;
  if (query.klass != internet) code = refused;
  if (code != no_error) return true;
  bool exists = false;
  std::size_t count = 0;
  for (const auto& record : zone.records) {
    const auto owner = dns_canonical(record.name);
    // What has names under it exists, even without records of its own (RFC 8020).
    exists = exists || at_or_under(owner, asked);
    if (owner != asked || (query.type != any && query.type != type_of(record))) continue;
    const auto start = out.bytes.size();
    out.name(query.name, true);
    out.u16(type_of(record));
    out.u16(internet);
    out.u32(record.ttl);
    const auto length_at = out.bytes.size();
    out.u16(0);
    write_data(out, record);
    out.patch(length_at, out.bytes.size() - length_at - 2);
    if (out.bytes.size() > limit) {
      out.cut(start);
      out.patch(6, count);
      return false;
    }
    ++count;
  }
  out.patch(6, count);
  if (!exists) code = name;
  return true;
}

}  // namespace

std::vector<std::uint8_t> answer_dns(const DnsZone& zone, std::span<const std::uint8_t> bytes,
                                     bool udp) {
  if (bytes.size() < header_size) return {};
  const auto query = read_query(bytes);
  if ((query.flags & 0x8000) != 0) return {};  // a reply: answering it could go on for ever
  const unsigned opcode = query.flags >> 11 & 15;
  Code code = no_error;
  if (opcode != 0) {
    code = not_implemented;
  } else if (!query.well_formed) {
    code = format;
  }
  DnsWriter out;
  out.u16(query.id);
  out.u16(0);
  const bool question = query.question_end != 0;
  out.u16(question ? 1 : 0);
  for (int i = 0; i < 3; ++i) out.u16(0);
  if (question) {
    out.name(query.name, false);
    out.u16(query.type);
    out.u16(query.klass);
  }
  const bool edns = query.edns && query.well_formed;
  const bool old = edns && query.version != 0;
  const std::size_t limit = (udp ? query.payload : 65'535) - (edns ? 11 : 0);
  const bool whole = old || code != no_error || add_answers(out, zone, query, limit, code);
  if (edns) {
    out.u8(0);
    out.u16(opt);
    out.u16(edns_limit);
    out.u8(old ? bad_version >> 4 : 0);
    for (int i = 0; i < 3; ++i) out.u8(0);
    out.u16(0);
    out.patch(10, 1);
  }
  // QR, the opcode and RD as they came, AA, TC where it was cut.
  const bool ours = !old && (code == no_error || code == name);
  out.patch(2, 0x8000U | (query.flags & 0x7900U) | (ours ? 0x0400U : 0) | (whole ? 0 : 0x0200U) |
                   (old ? bad_version & 15 : code));
  return out.bytes;
}

}  // namespace callready::serve
