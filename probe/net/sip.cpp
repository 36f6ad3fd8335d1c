#include "probe/net/sip.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "probe/model/describe.hpp"
#include "probe/net/far_end.hpp"
#include "probe/net/osip.hpp"
#include "probe/net/sip_head.hpp"
#include "probe/util/digest.hpp"
#include "probe/util/text.hpp"
#include "probe/util/utf8.hpp"

namespace callready::sip {
namespace {

std::string random_token() { return hex(random_bytes<16>()); }

// RFC 3261 section 25.1: IPv6 addresses stand in brackets.
std::string in_uri(const std::string& host) {
  const auto address = IpAddress::parse(host);
  if (address && address->is_v6()) return "[" + address->to_string() + "]";
  return host;
}

std::string with_port(const std::string& host, std::uint16_t port) {
  if (port == 0) return in_uri(host);
  return fmt::format("{}:{}", in_uri(host), port);
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : text; }

// `received` and `rport` are lenient about brackets, which RFC 3261's grammar forbids and many
// send.
std::optional<Via> read_via(const osip_via_t& raw) {
  Via via;
  via.transport = upper_case(text_of(raw.protocol));
  via.host = text_of(raw.host);
  if (text_of(raw.version) != "2.0" || via.host.empty()) return {};
  if (raw.port != nullptr) {
    const auto port = whole_number<std::uint16_t>(trimmed(raw.port));
    if (!port || *port == 0) return {};
    via.port = *port;
  }
  for (int i = 0; i < osip_list_size(&raw.via_params); ++i) {
    const auto* parameter =
        static_cast<const osip_generic_param_t*>(osip_list_get(&raw.via_params, i));
    const auto name = lower_case(text_of(parameter->gname));
    const auto value = text_of(parameter->gvalue);
    if (name == "branch") via.branch = value;
    if (name == "received") {
      via.received = value;
      if (value.size() > 2 && value.front() == '[' && value.back() == ']') {
        via.received = value.substr(1, value.size() - 2);
      }
    }
    if (name == "rport" && !value.empty()) {
      const auto port = whole_number<std::uint16_t>(value);
      if (!port || *port == 0) return {};
      via.rport = *port;
    }
  }
  return via;
}

bool is_request(std::span<const std::uint8_t> message) {
  const auto text = as_text(message);
  return start_line_kind(text.substr(0, text.find("\r\n"))) == StartLine::request;
}

}  // namespace

Transaction new_transaction() {
  Transaction transaction;
  transaction.branch = "z9hG4bK" + random_token();  // section 8.1.1.7: the cookie
  transaction.call_id = random_token();
  transaction.from_tag = random_token();
  return transaction;
}

bool valid_host(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  if (IpAddress::parse(host)) return true;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

Result<std::vector<std::uint8_t>> build(const Options& options) {
  for (const auto* host : {&options.host, &options.sent_by_host}) {
    if (!valid_host(*host)) {
      return Failure{FailureKind::local, "not a host name or an address: " + printable(*host)};
    }
  }
  const auto message = new_message();
  auto* raw = message.get();
  auto uri = "sip:" + with_port(options.host, options.port);
  if (options.transport == Transport::tcp) uri += ";transport=tcp";
  if (options.transport == Transport::tls) uri += ";transport=tls";
  osip_uri_t* parsed = nullptr;
  osip_uri_init(&parsed);
  osip_message_set_uri(raw, parsed);
  osip_message_set_version(raw, osip_strdup("SIP/2.0"));
  const auto& transaction = options.transaction;
  osip_message_set_method(raw, osip_strdup(transaction.method.c_str()));
  const auto via = fmt::format("SIP/2.0/{} {}{};branch={}", in_capitals(options.transport),
                               with_port(options.sent_by_host, options.sent_by_port),
                               options.rport ? ";rport" : "", transaction.branch);
  const auto from = fmt::format("<sip:anonymous@anonymous.invalid>;tag={}", transaction.from_tag);
  const auto to = fmt::format("<sip:{}>", in_uri(options.host));
  const auto sequence = fmt::format("{} {}", transaction.sequence, transaction.method);
  int errors = 0;
  const auto count = [&errors](int result) { errors += result == OSIP_SUCCESS ? 0 : 1; };
  count(osip_uri_parse(parsed, uri.c_str()));
  count(osip_message_set_via(raw, via.c_str()));
  count(osip_message_set_from(raw, from.c_str()));
  count(osip_message_set_to(raw, to.c_str()));
  count(osip_message_set_call_id(raw, transaction.call_id.c_str()));
  count(osip_message_set_cseq(raw, sequence.c_str()));
  count(osip_message_set_max_forwards(raw, "70"));
  count(osip_message_set_accept(raw, "application/sdp"));
  const auto agent = printable(options.user_agent);
  if (!agent.empty()) count(osip_message_set_user_agent(raw, agent.c_str()));
  const auto contact =
      fmt::format("<sip:{}>", with_port(options.sent_by_host, options.sent_by_port));
  if (options.sdp.empty()) {
    count(osip_message_set_content_length(raw, "0"));
  } else {
    count(osip_message_set_contact(raw, contact.c_str()));
    count(osip_message_set_content_type(raw, "application/sdp"));
    count(osip_message_set_body(raw, options.sdp.c_str(), options.sdp.size()));
  }
  char* text = nullptr;
  std::size_t size = 0;
  if (errors == 0) count(osip_message_to_str(raw, &text, &size));
  if (errors != 0) return Failure{FailureKind::local, "the SIP request could not be built"};
  std::string whole(text, size);
  osip_free(text);
  if (options.reply_size > 0) {
    whole.insert(whole.find("\r\n\r\n") + 2,
                 fmt::format("{}: {}\r\n", far_end::reply_bytes, options.reply_size));
  }
  constexpr std::string_view filler = "X-Padding: \r\n";
  if (whole.size() + filler.size() < options.size) {
    const auto missing = options.size - whole.size() - filler.size();
    whole.insert(whole.find("\r\n\r\n") + 2,
                 fmt::format("X-Padding: {}\r\n", std::string(missing, '=')));
  }
  return std::vector<std::uint8_t>(whole.begin(), whole.end());
}

std::string Via::sent_by() const { return with_port(host, port); }

Result<Reply> parse_reply(std::span<const std::uint8_t> message, Carriage carriage) {
  if (message.size() > max_message) {
    return Failure{FailureKind::oversized, "a SIP message of more than 65,535 bytes"};
  }
  auto head = split_head(message);
  if (head.has_error()) return head.error();
  if (head->kind != StartLine::reply) return malformed("a SIP request instead of a reply");
  Reply reply;
  reply.status = head->status;
  reply.reason = head->reason;

  // Only what its grammar is needed for goes to libosip2, bounded and clean: its body parser has
  // had memory errors (CVE-2022-41550), and one odd header that nobody reads would fail the rest.
  std::string reduced = fmt::format("SIP/2.0 {} -\r\n", reply.status);
  std::map<std::string, int> seen;
  for (const auto& field : head->fields) {
    ++seen[field.name];
    if (field.name == "via" || field.name == "call-id" || field.name == "cseq") {
      reduced += field.name + ": " + field.value + "\r\n";
    }
    if (field.name == "server" && reply.server.empty()) reply.server = field.value;
    if (field.name == "user-agent" && reply.user_agent.empty()) reply.user_agent = field.value;
    if (field.name == "allow") reply.allow += (reply.allow.empty() ? "" : ", ") + field.value;
    if (field.name == "contact") reply.contact = true;
    if (field.name == "content-type") reply.content_type = field.value;
  }
  if (seen["via"] == 0) return malformed("no Via header");
  for (const auto* name : {"from", "to", "call-id", "cseq"}) {
    if (seen[name] == 0) return malformed(fmt::format("no {} header", name));
    if (seen[name] > 1) return malformed(fmt::format("more than one {} header", name));
  }
  reduced += "\r\n";

  const auto parsed = new_message();
  if (osip_message_parse(parsed.get(), reduced.c_str(), reduced.size()) != OSIP_SUCCESS) {
    return malformed("a Via, Call-ID or CSeq header that breaks the grammar");
  }
  for (int i = 0; i < osip_list_size(&parsed->vias); ++i) {
    const auto via = read_via(*static_cast<const osip_via_t*>(osip_list_get(&parsed->vias, i)));
    if (!via) return malformed("a Via header that breaks the grammar");
    reply.vias.push_back(*via);
  }
  if (reply.vias.empty() || parsed->call_id == nullptr || parsed->cseq == nullptr) {
    return malformed("an empty Via, Call-ID or CSeq header");
  }
  reply.call_id = text_of(parsed->call_id->number);
  if (parsed->call_id->host != nullptr) reply.call_id += "@" + text_of(parsed->call_id->host);
  // Section 8.1.1.5: less than 2^31.
  const auto sequence = whole_number<std::uint32_t>(text_of(parsed->cseq->number));
  if (!sequence || *sequence > 0x7fff'ffff) return malformed("a CSeq that is no number below 2^31");
  reply.sequence = *sequence;
  reply.method = text_of(parsed->cseq->method);

  const auto rest = message.size() - head->size;
  reply.content_length = head->content_length;
  if (carriage == Carriage::stream && !reply.content_length) {
    return malformed("no Content-Length header on a stream");
  }
  reply.body_size = reply.content_length.value_or(rest);
  if (reply.body_size > rest) {
    return malformed(
        fmt::format("{} bytes of body where Content-Length says {}", rest, reply.body_size));
  }
  if (carriage == Carriage::stream && reply.body_size != rest) {
    return malformed("more bytes than Content-Length says");
  }
  reply.body = as_text(message.subspan(head->size, reply.body_size));
  return reply;
}

bool belongs_to(const Reply& reply, const Transaction& transaction) {
  return reply.vias.front().branch == transaction.branch && reply.method == transaction.method &&
         reply.sequence == transaction.sequence && reply.call_id == transaction.call_id;
}

bool Collector::take(std::span<const std::uint8_t> message, Carriage carriage) {
  // A datagram of CRLFs is a keep-alive (RFC 5626 section 4.4.1), one NUL byte an old habit.
  if (std::all_of(message.begin(), message.end(),
                  [](std::uint8_t byte) { return byte == '\r' || byte == '\n' || byte == 0; })) {
    return false;
  }
  auto parsed = parse_reply(message, carriage);
  if (parsed.has_error()) {
    if (is_request(message)) {
      ++foreign_;  // the server's own OPTIONS, to whoever had this port before
    } else {
      take_broken(parsed.error());
    }
    return false;
  }
  if (!belongs_to(*parsed, transaction_)) {
    ++foreign_;
    return false;
  }
  if (reply_ && !reply_->provisional()) return true;  // the first final reply counts
  reply_ = std::move(*parsed);
  if (!reply_->provisional()) return true;
  ++provisional_;
  return false;
}

void Collector::take_broken(const Failure& failure) {
  if (broken_++ == 0) why_broken_ = failure.text;
}

}  // namespace callready::sip
