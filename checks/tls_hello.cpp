// tls-hello: does a TLS greeting as long as a browser's get through? With the key share of
// X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem) a browser's ClientHello fills two packets; ours fits
// in one, and there are devices on the way that read no more than that.
//
// A handshake whose ClientHello has an extension of 1,400 bytes that servers ignore (RFC 8446
// section 4.1.2). Only where it is cut off (reset, closed, or never answered) six more, at once:
// the usual one; the long one again; and, where the system lets programs choose the size, the usual
// one in segments of 200 bytes and the long one in segments of 536, which fit through every path,
// twice each. Direct only: through a proxy the segments are the proxy's.
// Outcomes: `answered` with "connected" (by anybody) if a long one gets through, first or again;
// `failed` with "long_hello_cut" if the usual one gets through and no long one does, and with
// "split_hello_cut" if greetings in several packets do not, however short; `skipped` with
// "hello_not_compared" if nothing follows from it: no handshake succeeds, the long one gets through
// in small segments (that is the path MTU's doing, see `path`), or the server itself said no.
// Evidence "hello", one per handshake: `payload` ("long", "short", "short_in_segments",
// "long_in_segments") and `result`.
#include <fmt/format.h>

#include "checks/dial.hpp"
#include "checks/kinds.hpp"
#include "probe/net/together.hpp"

namespace callready::checks {
namespace {

// OpenSSL's own needs two of these at least (Linux has none below 88).
constexpr int part_of_a_hello = 200;

struct Hello {
  std::string_view word, text;
  std::size_t padding;
  int segment;
};
constexpr Hello long_one{"long", marked("a greeting as long as a browser's"), padding_of_browsers,
                         0};
constexpr Hello short_one{"short", marked("a short greeting"), 0, 0};
constexpr Hello short_in_segments{
    "short_in_segments", marked("a short greeting in several packets"), 0, part_of_a_hello};
constexpr Hello long_in_segments{"long_in_segments", marked("a long greeting in small packets"),
                                 padding_of_browsers, small_segment};

struct Greeted {
  Observation seen;
  bool through = false;  // the server answered in TLS, to the end
  bool cut = false;      // TCP connected, but the greeting got no TLS answer
};

asio::awaitable<Greeted> greet(Context& context, Job job, Hello hello) {
  Greeted greeted;
  const DialOptions options{.tls = true, .hello_padding = hello.padding, .segment = hello.segment};
  const auto dialled = co_await dial(context, job, options, greeted.seen);
  greeted.through = dialled.stream != nullptr || !dialled.tls.chain.empty();
  const auto detail = greeted.seen.detail;
  greeted.cut = greeted.seen.outcome == Outcome::failed && !greeted.through &&
                (detail == DetailCode::connection_reset || detail == DetailCode::closed_by_peer ||
                 detail == DetailCode::tls_timed_out);
  co_return greeted;
}

void add_hello(Observation& observation, const Hello& hello, const Greeted& greeted) {
  const auto result = greeted.through ? Detail(DetailCode::connected) : greeted.seen.detail;
  const auto what = marked_text(hello.text);
  auto text =
      greeted.through ? phrase("{} gets through", what) : phrase("{} does not get through", what);
  FactMap facts{{Fact::payload, std::string(hello.word)}, {Fact::result, result.text()}};
  add_evidence(observation, EvidenceKind::hello, std::move(text), std::move(facts));
}

}  // namespace

asio::awaitable<Observation> run_tls_hello(Context& context, Job job) {
  auto first = co_await greet(context, job, long_one);
  auto observation = std::move(first.seen);
  const bool proxied = !job.probe.target.route.direct();
  observation.evidence.clear();  // said below, for each of them
  add_hello(observation, long_one, first);
  if (first.through) {
    set_outcome(observation, Outcome::answered, DetailCode::connected);
    co_return observation;
  }
  if (!first.cut || proxied) {
    set_outcome(observation, Outcome::skipped, DetailCode::hello_not_compared);
    co_return observation;
  }
  std::vector<Hello> hellos{short_one, long_one};
  if (segments_can_be_sized()) {
    // Twice each: one connection may be cut by chance.
    for (const auto& hello : {short_in_segments, long_in_segments})
      hellos.insert(hellos.end(), 2, hello);
  }
  std::vector<asio::awaitable<Greeted>> work;
  for (const auto& hello : hellos) work.push_back(greet(context, job, hello));
  const auto more = co_await together(context.executor, std::move(work));
  bool long_cut = true, split_cut = hellos.size() > 2;
  for (std::size_t i = 0; i < hellos.size(); ++i) {
    add_hello(observation, hellos[i], more[i]);
    if (hellos[i].padding > 0) long_cut = long_cut && more[i].cut;
    if (hellos[i].word == short_in_segments.word) split_cut = split_cut && more[i].cut;
  }
  if (more[1].through) {
    set_outcome(observation, Outcome::answered, DetailCode::connected);
  } else if (!more[0].through || !long_cut) {
    set_outcome(observation, Outcome::skipped, DetailCode::hello_not_compared);
  } else {
    set_outcome(observation, Outcome::failed,
                split_cut ? DetailCode::split_hello_cut : DetailCode::long_hello_cut);
  }
  co_return observation;
}

}  // namespace callready::checks
