// Media below the vendor's figures. Without a stream like a call's, only the delay can be told, as
// half of a round trip: an estimate, which the row makes (requirement.cpp) and this file explains.
// With one (`media`), loss and jitter, too, each way separately.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <ranges>

#include "probe/diagnosis/rules.hpp"
#include "probe/diagnosis/status/media_quality.hpp"

namespace callready::findings {
namespace {

// The one that answered fastest of those that `wanted` takes; null where none was timed.
template <typename Wanted>
const ProbeResult* nearest(const Facts& facts, Wanted wanted) {
  const ProbeResult* best = nullptr;
  const bool taken_near = facts.any_probe(is_taken_near);  // connections say nothing then
  for (const auto& result : facts.report.probes) {
    const auto& trip = result.observation.round_trip;
    if (!trip || !is_direct(result) || is_inside(result) || !wanted(result)) continue;
    if (taken_near && !is_udp(result)) continue;
    if (best == nullptr || *trip < *best->observation.round_trip) best = &result;
  }
  return best;
}

FindingEvidence trip_in_words(const ProbeResult& result) {
  return {result.probe.id, phrase("{} answers after {} ms.", result.probe.target.host,
                                  whole(result.observation.round_trip->count()))};
}

// Late, and not because of a queue.
bool of_delay(const Facts& facts, const MissedFigure& missed) {
  const auto* result = facts.find(missed.probe);
  const bool full = result != nullptr && result->observation.media &&
                    (is_full(*result->observation.media, MediaWay::up) ||
                     is_full(*result->observation.media, MediaWay::down));
  return !full && (missed.figure == QualityFigure::one_way_delay ||
                   missed.figure == QualityFigure::round_trip);
}

// For when nothing shows on which side of the first router the trouble is. `besides`: what else
// frees the line.
Text try_again(const Facts& facts, const Text& besides) {
  auto text = run_again(facts);
  if (!is_wired(facts.report.site)) {
    text += phrase(" If the problem goes away on the wired connection, the cause is the Wi-Fi.");
  }
  return text + phrase(
                    " If it goes away when the line is idle, give voice priority on the router{}. "
                    "Otherwise, give the Internet provider these figures.",
                    besides);
}

// For when the first router's answers show on which side of it the trouble is.
Text fix_at(Place place, const std::optional<bool>& wireless, QualityFigure figure) {
  if (place == Place::beyond) {
    return phrase(
        "Run this again while nobody else is using the line: if the problem goes away, give voice "
        "priority on the router{}. Otherwise, give the Internet provider these figures. The cause "
        "is not the Wi-Fi or the LAN between this computer and its router, which answered well "
        "throughout.",
        figure == QualityFigure::jitter ? phrase(", and limit uploads") : "");
  }
  if (!wireless) {
    return phrase(
        "Use a cable instead of Wi-Fi, or another cable, port or dock, and turn off any VPN: the "
        "problem is between this computer and its router, not on the Internet line.");
  }
  return *wireless ? phrase(
                         "Use a cable, or the 5 GHz band closer to the access point, and look for "
                         "other devices on the same channel: the problem is the Wi-Fi between this "
                         "computer and its router, not the Internet line.")
                   : phrase(
                         "Try another cable, port or dock, and check the switch's error counters: "
                         "the problem is the LAN between this computer and its router, not the "
                         "Internet line.");
}

// A silence has a cause of its own, and a direction if that is known. True if the losses apart from
// it are still too much.
bool loses_beside_silence(const MediaStream& stream, const MissedFigure& missed) {
  if (!stream.outage) return true;
  const auto& outage = *stream.outage;
  const bool concerned =
      missed.way == MediaWay::both || outage.way == MediaWay::both || outage.way == missed.way;
  if (!concerned) return true;
  const double silent = std::floor(outage.length_ms / std::max(stream.interval_ms, 1.0));
  const auto& direction = stream.direction(missed.way);
  if (!direction || missed.figure == QualityFigure::burst_loss) return false;
  const double rest = direction->sent - silent, lost = direction->lost - silent;
  return rest > 0 && 100.0 * lost > missed.wanted * rest;
}

// Shows `look` each figure that a row missed, with the probe that measured it; null: the report
// does not have it.
template <typename Look>
void for_each_missed(const Facts& facts, Look look) {
  for (const auto& row : rows_of(facts.report.sets)) {
    for (const auto& missed : row.missed) look(row, missed, facts.find(missed.probe));
  }
}

bool is_of(QualityFigure kind, QualityFigure figure) {
  if (figure == QualityFigure::burst_loss) return kind == QualityFigure::loss;
  if (figure == QualityFigure::reordering) return kind == QualityFigure::jitter;
  return kind == figure;
}

// The rows that missed that figure, or one like it, as one cause: the fix is the same whichever way
// it is. If one way is fine, that is said: it is what a provider asks first.
Causes below_figure(const Facts& facts, QualityFigure figure) {
  const bool loss = figure == QualityFigure::loss;
  Cause cause;
  std::set<MediaWay> ways;
  bool sure = false;
  std::set<Text> told;
  std::set<Place> places;
  std::optional<bool> wireless;
  for_each_missed(facts, [&](const RequirementResult& row, const MissedFigure& missed,
                             const ProbeResult* result) {
    if (!is_of(figure, missed.figure)) return;
    if (result != nullptr && is_between_dying_relays(facts, *result)) return;
    const auto* stream =
        result != nullptr && result->observation.media ? &*result->observation.media : nullptr;
    if (loss && stream != nullptr && !loses_beside_silence(*stream, missed)) return;
    if (stream != nullptr && is_full(*stream, missed.way)) return;  // find_full_line
    ways.insert(missed.way);
    sure |= is_sure(missed);
    if (result != nullptr) cause.explained.push_back(result);
    places.insert(stream != nullptr ? place_of(*stream, missed) : Place::unknown);
    auto words = missed_in_words(missed);
    if (!told.insert(words).second) return;
    cause.tell({missed.probe, phrase("{}: {}.", row.title, std::move(words))});
    if (stream == nullptr || !stream->first_hop) return;
    wireless = stream->first_hop->wireless;
    const auto own = own_state_in_words(*stream);
    const auto router = first_hop_in_words(*stream->first_hop);
    auto hop =
        own.empty() ? phrase("Meanwhile, {}.", router) : phrase("Meanwhile, {}; {}.", router, own);
    if (told.insert(hop).second) cause.tell({missed.probe, std::move(hop)});
  });
  if (ways.empty()) return {};
  const Text where = ways.size() > 1 || ways.contains(MediaWay::both) ? phrase("on the line")
                                                                      : way_in_words(*ways.begin());
  const auto place = places.size() == 1 ? *places.begin() : Place::unknown;
  // One stream: what it met may have been a bad minute.
  cause.name(loss ? FindingCode::media_loss : FindingCode::media_jitter, sure ? likely : possible);
  if (place != Place::beyond) cause.owner = Owner::lan;
  if (loss) {
    cause.title = phrase("Packets are lost {}: calls are choppy or robotic", where);
    cause.fix = try_again(facts, "");
  } else {
    cause.title = phrase("Packets arrive unevenly {}: calls are choppy", where);
    cause.fix = try_again(facts, phrase(" and limit uploads"));
  }
  if (place != Place::unknown) cause.fix = fix_at(place, wireless, figure);
  if (loss) cause.fix += look_for_limits_on_marks(facts, cause.explained);
  return {cause};
}

// RFC 9435 section 3: what devices on the way do to a code point of 46.
Text treatment(int arrived) {
  if (arrived == 0) return phrase("was cleared (bleached)");
  if (arrived == (46 & 7)) return phrase("lost its ToS precedence bits and arrived as 6");
  // RFC 8622: "lower effort" gives way to what has no mark.
  if (arrived == 8 || arrived == 1)
    return phrase("was changed (remarked) to {}, which is less than no mark", arrived);
  return phrase("was changed (remarked) to {}", arrived);
}

}  // namespace

Text look_for_limits_on_marks(const Facts& facts, const Probes& streams) {
  constexpr int expedited = 46, fewest = 100;
  constexpr double most_percent = 3;
  for (const auto* marked : streams) {
    const auto& sent = marked->observation.media;
    if (!sent || !sent->up || sent->up->dscp_sent != expedited) continue;
    // A new session bore the mark as well, and was answered.
    if (sent->outage && sent->outage->new_session == true) continue;
    for (const auto& result : facts.report.probes) {
      const auto& call = result.observation.media;
      const bool same = result.probe.target.host == marked->probe.target.host;
      if (result.probe.check != CheckKind::ice || !same || !call || !call->loop) continue;
      const auto& loop = *call->loop;
      if (call->outage || call->round_trip_loss.high > most_percent || loop.sent < fewest) continue;
      return phrase(
          " A WebRTC call to {}, whose packets have no mark for voice (EF), lost {} of {}: look "
          "for a device that limits or drops marked packets (a QoS policer, a voice queue that is "
          "too small).",
          result.probe.target.host, loop.lost, loop.sent);
    }
  }
  return {};
}

Causes find_media_loss(const Diagnosis& context) {
  auto causes = below_figure(context, QualityFigure::loss);
  append(causes, below_figure(context, QualityFigure::jitter));
  return causes;
}

// A score that no other figure explains: each is within its bounds, and together they are too much.
Causes find_poor_score(const Diagnosis& context) {
  Cause cause;
  for_each_missed(context, [&](const RequirementResult& row, const MissedFigure& missed,
                               const ProbeResult* result) {
    const bool others = std::ranges::any_of(row.missed, [](const auto& one) {
      return one.figure != QualityFigure::mos && is_sure(one);
    });
    if (missed.figure != QualityFigure::mos || others || result == nullptr) return;
    const auto& stream = result->observation.media;
    if (!stream || stream->outage || is_between_dying_relays(context, *result)) return;
    cause.explained.push_back(result);
    cause.tell(phrase("{}: {}.", row.title, missed_in_words(missed)), result);
  });
  if (cause.explained.empty()) return {};
  cause.name(FindingCode::media_mos, likely);
  cause.title = phrase("Calls sound poor: loss and delay add up");
  cause.fix = try_again(context, phrase(" and limit uploads"));
  return {cause};
}

// One call is too much already: its packets queue, and then they are lost.
Causes find_full_line(const Diagnosis& context) {
  Cause cause;
  std::set<MediaWay> ways;
  for (const auto& result : context.report.probes) {
    const auto& stream = result.observation.media;
    for (const auto way : {MediaWay::up, MediaWay::down}) {
      if (!stream || !is_full(*stream, way)) continue;
      ways.insert(way);
      cause.explained.push_back(&result);
      const auto& direction = *stream->direction(way);
      cause.tell(
          phrase("{}: {}, half of the packets queued for {} ms or longer, and {} of {} were lost.",
                 result.probe.target.host, way_in_words(way),
                 whole(*direction.delay_ms - *stream->round_trip_least_ms / 2), direction.lost,
                 direction.sent),
          &result);
    }
  }
  if (ways.empty()) return {};
  cause.name(FindingCode::media_bandwidth, likely);
  const auto where = ways.size() > 1 ? phrase("both ways") : way_in_words(*ways.begin());
  cause.title = phrase("The line is full {} during a call", where);
  cause.fix = phrase(
      "Run this again while nobody else is using the line. If it passes then, give voice priority "
      "on the router and limit other traffic (uploads, backups, updates). Otherwise, the line is "
      "too slow, or something limits it: a call needs 86 kbit/s each way.");
  return {cause};
}

// The number of calls is not to blame: one alone lost them, even if the stream before it did not.
Causes lost_with_one_call(const Facts& facts, Cause cause) {
  bool known = false;
  for_each_missed(facts, [&](const auto&, const MissedFigure& missed, const auto*) {
    known |= missed.figure == QualityFigure::loss;
  });
  if (known) return {};
  cause.name(FindingCode::media_loss, possible);
  cause.owner = Owner::lan;
  cause.title = phrase("Packets are lost now and then: calls are choppy at times");
  cause.fix = run_again(facts) + ' ' + phrase("Add --thorough to measure for a minute.");
  return {cause};
}

// The step from which on nothing passed any more, although as few calls had passed before, and
// nobody reported what became of them; null if there is none.
const CallStep* shut_out_by(const CallCapacity& calls) {
  if (!calls.fit || calls.busy.value_or(false)) return nullptr;
  const CallStep* since = nullptr;
  int passed = 0;  // the most before
  bool as_few = false;
  for (const auto& step : calls.steps) {
    if (step.passed && since != nullptr) return nullptr;
    if (step.passed) {
      passed = std::max(passed, step.calls);
      continue;
    }
    if (step.lost_up + step.lost_down > 0) return nullptr;
    if (since == nullptr) since = &step;
    as_few |= step.calls <= passed;
  }
  return as_few ? since : nullptr;
}

Causes find_flood_protection(const Diagnosis& context) {
  for (const auto& result : context.report.probes) {
    const auto& stream = result.observation.media;
    const auto* step = stream && stream->calls ? shut_out_by(*stream->calls) : nullptr;
    if (step == nullptr) continue;
    const auto after_it = [&](const ProbeResult& other) {
      return result.observation.sent_at && other.observation.sent_at > result.observation.sent_at;
    };
    // A call is set up over TCP. Where nothing else was heard, the line may be what died.
    const auto sets_up = [](const ProbeResult& other) {
      return other.observation.detail == DetailCode::ice_silent;
    };
    const bool line_lives = context.any_probe([&](const ProbeResult& other) {
      return after_it(other) && (reached(other.observation.outcome) || sets_up(other));
    });
    // Where other UDP is answered, the far end, or a device in front of it, may have ended the
    // calls.
    const bool udp_lives = context.any_probe([&](const ProbeResult& other) {
      return after_it(other) && is_udp(other) && other.observation.outcome == Outcome::answered;
    });
    if (!line_lives || udp_lives) continue;
    // Their media was lost, too.
    Cause cause(context.probes_that([&](const ProbeResult& other) {
      return after_it(other) && (sets_up(other) || (is_udp(other) && got_no_answer(other))) &&
             is_direct(other) && !context.explained(other);
    }));
    cause.impaired.push_back(&result);
    cause.name(FindingCode::firewall_rate_limited, likely);
    cause.title =
        phrase("A device shuts this computer out when it makes {} simultaneous calls", step->calls);
    cause.fix = phrase(
        "Exempt voice and video from flood protection (limits on UDP packets per second, DoS "
        "policies, intrusion prevention), or raise its limit: one call sends 50 packets a second.");
    cause.tell(phrase("Fewer calls passed before. With {}, the answers ended, and after that not "
                      "even the earlier number passed.",
                      step->calls),
               &result);
    cause.show(cause.explained, 2);
    return {cause};
  }
  return {};
}

Causes find_few_calls(const Diagnosis& context) {
  Cause lost, cause;
  const CallCapacity* worst = nullptr;
  for (const auto& result : context.report.probes) {
    const auto& stream = result.observation.media;
    if (!stream || !too_few_calls(*stream)) continue;
    if (is_full(*stream, MediaWay::up) || is_full(*stream, MediaWay::down)) continue;
    const bool alone = *stream->calls->limit == CallLimit::loss;
    const bool fewer = worst == nullptr || stream->calls->passed < worst->passed;
    if (!alone && fewer) worst = &*stream->calls;
    auto& its = alone ? lost : cause;
    its.explained.push_back(&result);
    its.tell(phrase("{}: {}.", result.probe.target.host, calls_in_words(*stream)), &result);
  }
  auto causes = lost.explained.empty() ? Causes() : lost_with_one_call(context, std::move(lost));
  if (worst == nullptr) return causes;
  const bool policed = *worst->limit == CallLimit::policing;
  const auto where = worst->way == MediaWay::both ? phrase("both ways") : way_in_words(worst->way);
  cause.name(FindingCode::media_bandwidth, likely);
  cause.title = phrase("The line cannot carry {} simultaneous calls: {}{} passed", worst->wanted,
                       may_carry_more(*worst) ? phrase("at least ") : "", worst->passed);
  cause.fix =
      policed ? phrase(
                    "Traffic above a certain rate is dropped {}. If your own router or firewall "
                    "does that (a policer, traffic shaping), raise its limit for voice; otherwise, "
                    "ask the Internet provider. A call needs 86 kbit/s each way.",
                    where)
              : phrase(
                    "Run this again while nobody else is using the line, which is full {}. If it "
                    "passes then, give voice priority on the router and limit other traffic. "
                    "Otherwise, allow fewer simultaneous calls, or get a faster line: a call needs "
                    "86 kbit/s each way.",
                    where);
  causes.push_back(std::move(cause));
  return causes;
}

// Marks that a stream was sent with and arrived without. Calls work all the same: for information.
Causes find_cleared_marks(const Diagnosis& context) {
  Cause cause;
  bool on_the_line = false;  // and not by relays, which may clear marks themselves
  for (const auto& result : context.report.probes) {
    const auto& stream = result.observation.media;
    if (!stream) continue;
    for (const auto way : {MediaWay::up, MediaWay::down, MediaWay::both}) {
      const auto& direction = stream->direction(way);
      if (!direction || !direction->dscp_sent || !direction->dscp_arrived) continue;
      if (*direction->dscp_sent == *direction->dscp_arrived) continue;
      on_the_line |= way != MediaWay::both;
      cause.tell(phrase("{}: {}, the mark for voice (EF, 46) {}{}.", result.probe.target.host,
                        way_in_words(way), treatment(*direction->dscp_arrived),
                        way == MediaWay::both ? phrase(", on the line or by the relays") : ""),
                 &result);
    }
  }
  if (cause.evidence.empty()) return {};
  cause.name(FindingCode::media_dscp_cleared, on_the_line ? likely : possible);
  cause.title = phrase("Voice priority marks (DSCP) are changed in transit");
  cause.fix = phrase(
      "Trust DSCP on the user ports if your own switches, Wi-Fi and router give voice priority. "
      "Calls work without marks as long as the line is not full. Most Internet providers clear "
      "marks, so you need not ask them.");
  return {cause};
}

Causes find_dropped_marks(const Diagnosis& context) {
  Cause cause(context.probes_that([](const ProbeResult& result) {
    return result.observation.detail == DetailCode::marked_silent;
  }));
  if (cause.explained.empty()) return {};
  cause.name(FindingCode::media_dscp_dropped, likely);
  cause.title =
      phrase("Packets marked for voice (EF) do not reach {}", listed(hosts_of(cause.explained)));
  cause.fix = phrase(
      "Look for a rule or a queue that drops packets marked EF (DSCP 46): on your own switches, "
      "Wi-Fi and firewall first, then ask the Internet provider. Until then, turn off the marking "
      "in the application or on the phones: calls work without it.");
  cause.show(cause.explained, 4);
  return {cause};
}

Causes find_interruption(const Diagnosis& context) {
  const auto streams = context.probes_that([](const ProbeResult& result) {
    return result.observation.detail == DetailCode::route_lost;
  });
  if (streams.empty()) return {};
  Cause cause;
  cause.name(FindingCode::network_interrupted, certain);
  cause.title = phrase("This computer lost its network connection during the test");
  cause.fix = phrase(
      "Look for what interrupts the connection: Wi-Fi that roams or is weak, a loose cable or "
      "dock, a VPN that reconnects. Calls drop or fall silent each time. Then run this again: what "
      "was measured up to then is not counted.");
  for (const auto* stream : streams) {
    cause.tell(phrase("{}: after {} packets of a simulated call, this computer had no way to send "
                      "the next one.",
                      stream->probe.target.host, stream->observation.attempts),
               stream);
  }
  cause.affects = sets_of(context, streams);
  return {cause};
}

Causes find_media_delay(const Diagnosis& context) {
  Cause cause;
  std::vector<FindingEvidence> rows;
  for (const auto& row : rows_of(context.report.sets)) {
    const auto probes = context.probes_of(row);
    const bool streamed = std::ranges::any_of(
        probes, [](const auto* result) { return result->observation.media.has_value(); });
    const bool late = !streamed || std::ranges::any_of(row.missed, [&](const auto& one) {
      return of_delay(context, one);
    });
    if (!row.poor || !late) continue;
    // What got no answer has another reason.
    append(cause.explained, those_that(probes, [](const ProbeResult& result) {
             return reached(result.observation.outcome);
           }));
    rows.push_back({"", phrase("{}: {}.", row.title, row.summary)});
  }
  const auto hosts = hosts_of(cause.explained);  // other rows may have timed them
  // Over UDP if that was timed: a satellite modem or a transparent proxy answers TCP by itself.
  const auto timed = [&](bool udp) {
    return nearest(context, [&](const ProbeResult& result) {
      return contains(hosts, result.probe.target.host) && is_udp(result) == udp;
    });
  };
  const auto* server = timed(true) != nullptr ? timed(true) : timed(false);
  // Public services are near everywhere: if they are as slow, it is the line. Without name or time
  // servers: routers answer in their place.
  const auto vendors = context.hosts_asked_for();
  const auto anchor_by = [&](bool udp) {
    return nearest(context, [&](const ProbeResult& result) {
      const auto& check = result.probe.check;
      return result.probe.control() && !vendors.contains(result.probe.target.host) &&
             is_udp(result) == udp && check != CheckKind::dns && check != CheckKind::ntp;
    });
  };
  // Like is compared with like. But something nearby may answer TCP: if even that is slow, so is
  // the line.
  const bool by_udp = server != nullptr ? is_udp(*server) : anchor_by(true) != nullptr;
  const auto* anchor = anchor_by(by_udp);
  const auto as_slow = [&](const ProbeResult* other) {
    return other != nullptr && (server == nullptr || *other->observation.round_trip >
                                                         *server->observation.round_trip / 2);
  };
  if (anchor == nullptr && by_udp && as_slow(anchor_by(false))) anchor = anchor_by(false);
  // The row was judged by whatever answered: another service's server, perhaps.
  if (anchor == nullptr && server == nullptr) {
    anchor = nearest(context, [](const ProbeResult& result) {
      return result.probe.check != CheckKind::dns && result.probe.check != CheckKind::ntp;
    });
  }
  if (cause.explained.empty() || (server == nullptr && anchor == nullptr)) return {};
  cause.name(FindingCode::media_delay, anchor == nullptr ? possible : likely);
  if (anchor == nullptr) {
    cause.title =
        phrase("The service's nearest servers answer slowly: people will talk over each other");
    cause.fix = phrase(
        "Run this again on a wired connection and without a VPN, and compare with other sites on "
        "the Internet. If those are as slow, ask the Internet provider; if not, ask the vendor for "
        "servers closer to this site.");
  } else if (as_slow(anchor)) {
    constexpr double noticed_ms = 2 * usual_delay_ms;  // there and back
    const auto* measured = server != nullptr ? server : anchor;
    cause.title = measured->observation.round_trip->count() > noticed_ms
                      ? phrase("The line has a high delay: people will talk over each other")
                      : phrase("The line has a higher delay than good calls have");
    cause.fix = phrase(
        "Find what delays the packets: a full line, Wi-Fi, a VPN, a mobile or satellite link. Run "
        "this again on a wired connection and without a VPN; if nothing changes, ask the Internet "
        "provider.");
  } else {
    cause.owner = Owner::vendor;
    cause.title = phrase("The service's servers are far away: people will talk over each other");
    cause.fix = phrase(
        "Ask the vendor for servers closer to this site, or ask whether the account is in the "
        "right region.");
  }
  if (server != nullptr) cause.tell(trip_in_words(*server));
  if (anchor != nullptr) cause.tell(trip_in_words(*anchor));
  std::ranges::copy(rows | std::views::take(4), std::back_inserter(cause.evidence));
  return {cause};
}

}  // namespace callready::findings
