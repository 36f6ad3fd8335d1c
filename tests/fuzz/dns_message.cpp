// DNS answers as we read them (RFC 1035).
#include "probe/net/dns_records.hpp"
#include "probe/util/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace callready::fuzz {
namespace {

void readable(const std::string& text) {
  FUZZ_REQUIRE(!find_invalid_utf8(text));
  FUZZ_REQUIRE(!has_control_characters(text));
}

}  // namespace

void dns_message(Input input) {
  const auto message = dns::parse_message(input);
  if (message.has_error()) {
    readable(message.error().text);
    return;
  }
  readable(message->question);
  std::vector<dns::SrvRecord> services;
  std::vector<dns::NaptrRecord> pointers;
  for (const auto& record : message->records) {
    readable(record.name);
    if (const auto* srv = std::get_if<dns::SrvRecord>(&record.data)) services.push_back(*srv);
    if (const auto* naptr = std::get_if<dns::NaptrRecord>(&record.data)) {
      readable(naptr->flags + naptr->services + naptr->regexp + naptr->replacement);
      pointers.push_back(*naptr);
    }
    if (const auto* name = std::get_if<std::string>(&record.data)) readable(*name);
    // Following CNAMEs ends, whatever they point to.
    FUZZ_REQUIRE(dns::answer_records(*message, record.name, record.type).size() <=
                 message->records.size());
  }
  for (const auto& error : message->extended_errors) readable(error.text);
  const auto given = services.size();
  FUZZ_REQUIRE(dns::order_srv(std::move(services), [](std::uint32_t limit) {
                 return limit / 2;
               }).size() <= given);
  (void)dns::order_sip_naptr(std::move(pointers));
  if (!dns::encode_question(1, message->question, message->question_type, true).has_error()) {
    (void)dns::answers(*message, message->id, message->question, message->question_type);
  }
}

}  // namespace callready::fuzz
