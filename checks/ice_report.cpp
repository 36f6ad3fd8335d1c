#include "checks/ice_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/far_counts.hpp"
#include "checks/media_parts.hpp"
#include "probe/media/outage.hpp"

namespace callready::checks {

using webrtc::CallSeen;
using webrtc::CallStage;
using webrtc::CandidateType;
using webrtc::Gathered;
using webrtc::WhipReply;

namespace {

Text in_words(CandidateType type) {
  switch (type) {
    case CandidateType::host:
      return phrase("own address");
    case CandidateType::server_reflexive:
      return phrase("beyond the NAT");
    case CandidateType::peer_reflexive:
      return phrase("beyond the NAT, as the far end saw it");
    case CandidateType::relayed:
      return phrase("relay");
  }
  return "?";
}

void add_pair(Observation& observation, const CallSeen& seen, std::optional<Transport> relay) {
  const auto &local = *seen.local, &remote = *seen.remote;
  FactMap facts{{Fact::type, std::string(to_string(local.type))},
                {Fact::address, local.address.address.to_string()},
                {Fact::port, local.address.port},
                {Fact::far_type, std::string(to_string(remote.type))},
                {Fact::far_address, remote.address.address.to_string()},
                {Fact::far_port, remote.address.port},
                {Fact::connected_ms, seen.connected->count()}};
  auto how = std::string(to_string(local.type));
  if (local.type == CandidateType::relayed && relay) {
    facts[Fact::relay_transport] = std::string(to_string(*relay));
    how += fmt::format(" over {}", to_string(*relay));
  }
  add_evidence(observation, EvidenceKind::ice_pair,
               phrase("ICE chose {} ({}) to {} ({}), after {} ms", local.address.to_string(), how,
                      remote.address.to_string(), to_string(remote.type),
                      fmt::format("{:.0f}", seen.connected->count())),
               std::move(facts));
}

void add_handshake(Observation& observation, const CallSeen& seen) {
  FactMap facts{{Fact::flights, seen.flights_sent}, {Fact::received, seen.datagrams_got}};
  auto text = phrase("DTLS: flights sent: {}, packets that came back: {}", seen.flights_sent,
                     seen.datagrams_got);
  if (seen.secured) {
    const std::string profile = seen.gcm ? "AES-GCM" : "AES-CM";
    text = phrase("{} with {} for the media, after {} ms", seen.version, profile,
                  fmt::format("{:.0f}", seen.secured->count()));
    facts[Fact::version] = seen.version;
    facts[Fact::profile] = profile;
    facts[Fact::secured_ms] = seen.secured->count();
  }
  add_evidence(observation, EvidenceKind::call_handshake, std::move(text), std::move(facts));
}

void add_media(Observation& observation, const CallSeen& seen) {
  FactMap facts{{Fact::sent, seen.packets_sent}, {Fact::back, seen.packets_back()}};
  auto text = phrase("{} of {} media packets came back", seen.packets_back(), seen.packets_sent);
  if (seen.first_media) {
    text = phrase("{} of {} media packets came back, the first {} ms after the call was answered",
                  seen.packets_back(), seen.packets_sent,
                  fmt::format("{:.0f}", seen.first_media->count()));
    facts[Fact::first_media_ms] = seen.first_media->count();
    observation.round_trip = seen.round_trip;
  }
  add_evidence(observation, EvidenceKind::call_media, std::move(text), std::move(facts));
}

void add_consent(Observation& observation, const CallSeen& seen) {
  if (seen.consent_sent == 0) return;
  add_evidence(observation, EvidenceKind::call_consent,
               plural(seen.consent_back,
                      "{} of {} consent checks (STUN) was answered while media was flowing",
                      "{} of {} consent checks (STUN) were answered while media was flowing",
                      seen.consent_sent),
               {{Fact::sent, seen.consent_sent},
                {Fact::back, seen.consent_back},
                {Fact::silent_ms,
                 static_cast<double>(seen.consent_silent * timeouts::call_consent.count())}});
}

}  // namespace

void add_call_candidates(Observation& observation, const Gathered& gathered) {
  std::map<CandidateType, std::int64_t> counts;
  for (const auto& candidate : gathered.candidates) {
    ++counts[candidate.type];
    const auto at = candidate.address.to_string();
    add_evidence(observation, EvidenceKind::ice_candidate,
                 phrase("{}: {}", in_words(candidate.type), at),
                 {{Fact::type, std::string(to_string(candidate.type))},
                  {Fact::address, candidate.address.address.to_string()},
                  {Fact::port, candidate.address.port}});
  }
  add_evidence(
      observation, EvidenceKind::ice_candidates,
      phrase("ICE candidates a browser would find: {} host (mDNS), {} server-reflexive, {} relay",
             counts[CandidateType::host], counts[CandidateType::server_reflexive],
             counts[CandidateType::relayed]),
      {{Fact::count, static_cast<std::int64_t>(gathered.candidates.size())},
       {Fact::hidden, counts[CandidateType::host]},
       {Fact::took_ms, gathered.took.count()}});
}

void add_call_answer(Observation& observation, const std::vector<webrtc::Candidate>& candidates) {
  if (candidates.empty()) return;
  const auto& first = candidates.front().address;
  add_evidence(observation, EvidenceKind::call_answer,
               phrase("the far end takes the call at UDP {}", first.to_string()),
               {{Fact::far_address, first.address.to_string()}, {Fact::far_port, first.port}});
}

std::optional<int> add_call_arrived(Observation& observation, const WhipReply& reply) {
  const auto checks = told(reply.body, "checks"), handshake = told(reply.body, "handshake"),
             media = told(reply.body, "media");
  if (reply.status != 200 || !checks || !handshake || !media) return std::nullopt;
  add_evidence(observation, EvidenceKind::call_arrived,
               phrase("received by the far end: connectivity checks: {}, DTLS packets: {}, "
                      "media packets: {}",
                      *checks, *handshake, *media),
               {{Fact::checks_arrived, *checks},
                {Fact::handshakes_arrived, *handshake},
                {Fact::media_arrived, *media}});
  return media;
}

void add_greetings(Observation& observation, const CallSeen& seen, const WhipReply& reply) {
  const auto first = told(reply.body, "greeting"), later = told(reply.body, "greeting_rest");
  if (reply.status != 200 || !first || !later || seen.greetings_sent == 0) return;
  add_evidence(observation, EvidenceKind::call_greeting,
               phrase("of {} DTLS greetings sent in two datagrams each, the far end received {} "
                      "first and {} second datagrams",
                      seen.greetings_sent, *first, *later),
               {{Fact::sent, seen.greetings_sent},
                {Fact::first_parts, *first},
                {Fact::later_parts, *later}});
}

MediaStream call_stream_of(const CallSeen& seen, const std::optional<int>& arrived) {
  // One loop reads and sends packets in turn: times are off by as much as the loop is late.
  auto stream = described({}, seen.late_ms, seen.late_ms);
  media::Trace trace;
  for (const bool left : seen.left) {
    trace.fates.push_back(left ? media::Fate::lost : media::Fate::unknown);
  }
  trace.duplicates = seen.duplicates;
  std::vector<double> trips;
  std::uint32_t answered = 0;  // up to the last that was
  for (const auto& [number, sent_ms, back_ms] : seen.heard) {
    if (number >= trace.fates.size()) continue;
    trace.fates[number] = media::Fate::arrived;
    trace.arrivals.push_back({number, sent_ms, back_ms});
    trips.push_back(back_ms - sent_ms);
    answered = std::max(answered, number + 1);
  }
  media::FigureOptions options;
  stream.loop = media::figures_of(trace, options);
  stream.round_trip_loss = stream.loop->loss;
  set_round_trips(stream, trips);
  const auto silent =
      static_cast<std::uint32_t>(std::count(seen.left.begin() + answered, seen.left.end(), true));
  const double slowest = trips.empty() ? 0 : std::ranges::max(trips);
  if (media::is_silence(silent, stream.interval_ms, slowest)) {
    MediaOutage outage;
    outage.from_ms = stream.interval_ms * answered;
    outage.length_ms = stream.interval_ms * silent;
    outage.to_the_end = true;
    stream.outage = outage;
  }
  // Duplicates at the far end would hide losses.
  if (!arrived || *arrived > seen.packets_sent || *arrived < seen.packets_back()) return stream;
  const auto way = [](int sent, int received) {
    MediaDirection direction;
    direction.sent = sent;
    direction.received = received;
    direction.lost = sent - received;
    direction.loss = media::share_of(direction.lost, sent);
    return direction;
  };
  stream.up = way(seen.packets_sent, *arrived);
  stream.down = way(*arrived, seen.packets_back());
  if (stream.outage) {
    const bool out = stream.up->lost > stream.down->lost;
    stream.outage->way = out ? MediaWay::up : MediaWay::down;
  }
  return stream;
}

void conclude_call(Observation& observation, const CallSeen& seen, std::optional<Transport> relay) {
  if (seen.connected) add_pair(observation, seen, relay);
  if (seen.flights_sent > 0) add_handshake(observation, seen);
  if (seen.packets_sent > 0) add_media(observation, seen);
  add_consent(observation, seen);
  observation.outcome = Outcome::failed;
  switch (seen.failed) {
    case CallStage::connect:
      observation.detail = DetailCode::ice_silent;
      return;
    case CallStage::handshake:
      // Nobody can answer what was not sent.
      if (seen.flights_sent > 0 && seen.datagrams_left == 0) {
        return set_outcome(observation, Outcome::skipped, DetailCode::local_error);
      }
      observation.detail =
          seen.datagrams_got == 0 ? DetailCode::dtls_silent : DetailCode::dtls_failed;
      return;
    case CallStage::fingerprint:
      observation.detail = DetailCode::wrong_fingerprint;
      return;
    case CallStage::media:
      if (seen.packets_sent == 0) {
        return set_outcome(observation, Outcome::skipped, DetailCode::local_error);
      }
      observation.detail = DetailCode::media_silent;
      return;
    case CallStage::done:
      set_outcome(observation, Outcome::answered, DetailCode::called);
      return;
  }
}

}  // namespace callready::checks
