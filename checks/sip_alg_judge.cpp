#include "checks/sip_alg_judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "probe/util/utf8.hpp"

namespace callready::checks {
namespace {

const AlgMessage* answered(const std::vector<AlgMessage>& messages, std::string_view name) {
  for (const auto& message : messages) {
    if (message.name == name && message.reply) return &message;
  }
  return nullptr;
}

// A change that a mirror shows, or a Via that came back changed, leaves no doubt.
std::optional<AlgJudgement> seen_changed(const std::vector<AlgMessage>& messages) {
  for (const auto& message : messages) {
    if (!message.mirrored || message.mirrored->empty()) continue;
    return AlgJudgement{
        DetailCode::rewritten, "mirror", "certain",
        phrase(
            "the server received a different {} than was sent: a device in the path rewrites SIP",
            fmt::format("{}", fmt::join(*message.mirrored, ", ")))};
  }
  for (const auto& message : messages) {
    if (!message.reply || !message.reading.rewritten) continue;
    return AlgJudgement{
        DetailCode::rewritten, "via_changed", "certain",
        phrase("a Via header came back altered: a device in the path rewrites SIP")};
  }
  return std::nullopt;
}

// One flow has one mapping. If the server sees two, and one of them is our own address, which
// cannot get there, a device wrote it in; any other two may be due to a load balancer.
std::optional<AlgJudgement> seen_differently(const AlgMessage& unrelated, const AlgMessage* other) {
  if (other == nullptr || !other->reading.seen_as || !unrelated.reading.seen_as) return {};
  const auto seen = *other->reading.seen_as, truth = *unrelated.reading.seen_as;
  const auto& local = unrelated.local;
  if (seen == truth) return {};
  const bool own_address = seen.address == local.address && truth.address != local.address;
  const bool own_port = seen.port == local.port && truth.port != local.port;
  if (own_address || own_port) {
    return AlgJudgement{
        DetailCode::rewritten, "received_differs", "certain",
        phrase("the server's reply names this computer's own address where it saw another: "
               "a device in the path rewrites SIP")};
  }
  return AlgJudgement{
      DetailCode::suspected, "received_differs", "likely",
      phrase("messages of one socket were seen from two addresses: a device in the path may "
             "rewrite SIP")};
}

// The same server on another port, asked in the same way, says something else. Ports may differ:
// another socket has another mapping.
bool says_otherwise(const ViaReading& one, const ViaReading& other) {
  if (one.rewritten != other.rewritten) return true;
  if (one.seen_as.has_value() != other.seen_as.has_value()) return true;
  return one.seen_as && one.seen_as->address != other.seen_as->address;
}

AlgJudgement clean(bool translated, bool session) {
  AlgJudgement judgement{DetailCode::no_rewriting_seen, "", "",
                         phrase("no rewriting of SIP headers was seen; ")};
  if (session) {
    judgement.text =
        phrase("neither the SIP headers nor the session description (SDP) were rewritten");
  } else if (translated) {
    judgement.text += phrase("message bodies (SDP) were not tested");
  } else {
    judgement.text += phrase("without address translation there is nothing to rewrite");
  }
  return judgement;
}

void add_message(Observation& observation, const AlgMessage& message) {
  Evidence evidence;
  evidence.kind = EvidenceKind::sip_alg_message;
  const auto own = sent_by(message.options);
  const auto& method = message.options.transaction.method;
  evidence.facts[Fact::message] = message.name;
  evidence.facts[Fact::method] = method;
  evidence.facts[Fact::port] = message.port;
  evidence.facts[Fact::sent_by] = own;
  evidence.facts[Fact::rport_asked] = message.options.rport;
  evidence.facts[Fact::answered] = message.reply.has_value();
  evidence.text =
      method == "OPTIONS"
          ? phrase("an OPTIONS request to port {}, with {} in its Via header", message.port, own)
          : phrase("a test {} request to port {}, with {} in its Via header", method, message.port,
                   own);
  if (!message.options.rport) evidence.text += phrase(", without rport");
  if (!message.reply) {
    if (message.broken > 0) {
      evidence.facts[Fact::broken] = message.broken;
      evidence.text += phrase(", got an answer that is not a SIP reply: {}", message.why_broken);
    } else {
      evidence.text += phrase(", was not answered");
    }
    observation.evidence.push_back(std::move(evidence));
    return;
  }
  const auto& via = message.reply->vias.front();
  const auto echoed = printable(via.sent_by());
  evidence.facts[Fact::status] = message.reply->status;
  evidence.facts[Fact::echoed_sent_by] = echoed;
  evidence.facts[Fact::via_changed] = message.reading.rewritten;
  if (!via.received.empty()) evidence.facts[Fact::received] = printable(via.received);
  if (via.rport != 0) evidence.facts[Fact::rport] = via.rport;
  if (message.reading.rewritten) {
    evidence.text += phrase(", came back with {}", echoed);
  } else {
    evidence.text += phrase(", came back unchanged");
  }
  if (message.reading.seen_as) {
    evidence.text +=
        phrase(", and the server says that it saw {}", seen_as_text(*message.reading.seen_as));
  } else {
    evidence.text += phrase(", and the server does not say where it came from");
  }
  if (message.mirrored) {
    const auto changes = fmt::format("{}", fmt::join(*message.mirrored, ", "));
    evidence.facts[Fact::mirrored_changes] = changes;
    evidence.text += changes.empty() ? phrase("; it arrived as it was sent")
                                     : phrase("; it arrived with a different {}", changes);
  }
  observation.evidence.push_back(std::move(evidence));
}

}  // namespace

AlgJudgement judge_alg(const std::vector<AlgMessage>& messages) {
  if (const auto changed = seen_changed(messages)) return *changed;
  const auto* unrelated = answered(messages, "unrelated");
  const auto* own = answered(messages, "own");
  const auto* mapped = answered(messages, "mapped");
  const auto* no_rport = answered(messages, "own_no_rport");
  const auto* other_port = answered(messages, "other_port");
  if (unrelated == nullptr) return {};
  for (const auto* other : {own, mapped}) {
    if (const auto differs = seen_differently(*unrelated, other)) return *differs;
  }
  const auto translated = unrelated->reading.translated;
  // Where only the port was translated, our own address in the Via is the true one.
  const auto& truth = unrelated->reading.seen_as;
  const bool elsewhere = truth && truth->address != unrelated->local.address;
  for (const auto* other : {own, no_rport}) {
    if (elsewhere && other != nullptr && !other->reading.seen_as) {
      return {
          DetailCode::suspected, "received_missing", "likely",
          phrase("behind address translation, the server took the address in the Via for the true "
                 "one: a device in the path has probably rewritten it")};
    }
  }
  const auto* with_own = own != nullptr ? own : no_rport;
  if (with_own != nullptr && other_port != nullptr &&
      says_otherwise(with_own->reading, other_port->reading)) {
    return {DetailCode::suspected, "differs_from_other_port", "likely",
            phrase("the same server, asked in the same way, saw a different sender on port {} "
                   "than on port {}: a device in the path probably rewrites SIP",
                   with_own->port, other_port->port)};
  }
  // If a server does not fill in `rport`, we cannot send it the mapped address; then the same reply
  // to our own address as to `unrelated` must do. A mirror needs no such indirection.
  const bool port_known = unrelated->reading.seen_as && unrelated->reading.seen_as->port != 0;
  const bool mirrored = with_own != nullptr && with_own->mirrored;
  const bool enough = mirrored || (with_own != nullptr && translated &&
                                   (!*translated || mapped != nullptr || !port_known));
  if (!enough) {
    return {DetailCode::inconclusive, "", "",
            phrase("too little came back to say whether a device in the path rewrites SIP")};
  }
  const auto* session = answered(messages, "session");
  return clean(translated.value_or(true), session != nullptr && session->mirrored);
}

bool wants_contrast(const std::vector<AlgMessage>& messages, const AlgJudgement& judgement) {
  if (judgement.certain()) return false;
  if (judgement.detail != DetailCode::no_rewriting_seen) return true;
  // It says that there is no translation, and that it saw a private address: either it is on the
  // same private network, or a gateway has written our address into every reply.
  const auto* first = answered(messages, "unrelated");
  return first != nullptr && !first->mirrored && first->local.address.is_special() &&
         !first->reading.translated.value_or(true);
}

void add_alg_evidence(Observation& observation, const std::vector<AlgMessage>& messages,
                      const AlgJudgement& judgement, int sent) {
  const auto* session = answered(messages, "session");
  FactMap facts{{Fact::messages, sent},
                {Fact::sdp_tested, session != nullptr && session->mirrored}};
  if (!judgement.basis.empty()) {
    facts[Fact::basis] = judgement.basis;
    facts[Fact::confidence] = judgement.confidence;
  }
  if (const auto* first = answered(messages, "unrelated")) {
    if (first->reading.translated) facts[Fact::translated] = *first->reading.translated;
    if (first->reading.seen_as) facts[Fact::mapped] = seen_as_text(*first->reading.seen_as);
  }
  add_evidence(observation, EvidenceKind::sip_alg, judgement.text, std::move(facts));
  for (const auto& message : messages) {
    if (message.sent > 0) add_message(observation, message);
  }
}

}  // namespace callready::checks
