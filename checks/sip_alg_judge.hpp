// What the messages of the SIP ALG test show. Pure: no sockets, no time.
#pragma once

#include <string>
#include <vector>

#include "checks/sip_exchange.hpp"

namespace callready::checks {

// One message of the test and what came back to it.
struct AlgMessage {
  std::string name;        // "unrelated", "own", "mapped", "own_no_rport", "other_port", "session"
  std::uint16_t port = 0;  // of the server
  sip::Options options;
  std::vector<std::uint8_t> bytes;
  SocketAddress local;
  int sent = 0;            // how often
  int broken = 0;          // replies that were not SIP
  std::string why_broken;  // of the first
  std::optional<sip::Reply> reply;
  ViaReading reading;                                // of the reply
  std::optional<std::vector<std::string>> mirrored;  // as sip::mirrored_changes
};

struct AlgJudgement {
  Detail detail;                  // as the observation's, see sip_alg.cpp
  std::string basis, confidence;  // empty where nothing was seen
  Text text;
  bool certain() const { return confidence == "certain"; }
};

// `messages` in the order sent. What has no reply was not answered, or not even sent.
AlgJudgement judge_alg(const std::vector<AlgMessage>& messages);

// True where a message to another port of the server could tell more: nothing is certain, and
// either something is odd or the server claims to have seen an address that it cannot have seen.
bool wants_contrast(const std::vector<AlgMessage>& messages, const AlgJudgement& judgement);

// Evidence `sip_alg`, the basis of the judgement, and `sip_alg_message`, one for each message that
// was sent.
void add_alg_evidence(Observation& observation, const std::vector<AlgMessage>& messages,
                      const AlgJudgement& judgement, int sent);

}  // namespace callready::checks
