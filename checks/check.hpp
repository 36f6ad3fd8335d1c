// What a check is: one function that sends, listens and returns what it saw. One .cpp a kind, one
// row in registry.cpp; see README.md for how to add one.
#pragma once

#include <map>
#include <set>
#include <string_view>

#include "probe/model/observation.hpp"
#include "probe/model/probe.hpp"
#include "probe/net/http.hpp"
#include "probe/net/resolver.hpp"
#include "probe/net/semaphore.hpp"
#include "probe/net/site_edge.hpp"
#include "probe/net/task_group.hpp"
#include "probe/net/tls.hpp"

namespace callready::checks {

struct Login {
  std::string user, password;
};

// Secrets: never in a report, a log or an argument list; and whom they are for: nobody else gets
// them.
struct Credentials {
  std::string turn_user, turn_password;
  std::string turn_secret;  // for time-limited credentials (draft-uberti-behave-turn-rest)
  std::string media_key;    // of a STAMP reflector: packets are signed with it, it is never sent
  std::vector<std::string> turn_hosts;  // whose these are
  std::string proxy_user, proxy_password;
  std::vector<std::string> proxy_hosts;  // "proxy.example.com", or with its port: the user's word
  // By URL (scheme, host, port): the proxies that may be logged in to, by Negotiate too. The user
  // is empty where there is only the system's own login.
  std::map<std::string, Login> proxies;

  bool has_turn() const { return !turn_user.empty() || !turn_secret.empty(); }
};

// What the user chose, the same for all checks of a run.
struct Settings {
  std::string user_agent = "callready";  // "callready/1.2.3 (https://...)"
  std::string interface;                 // by name; empty: the system's choice
  bool thorough = false;                 // take the time that full evidence needs
  bool every_port = false;               // over TCP none is spared because another passes
  bool quality = false;                  // make calls as long as shows how they sound
  int calls = 0;                         // at once, that the line is to carry; 0: not asked
  bool hurried = false;                  // take no more than a first look at the site's edge needs
  Credentials credentials;
};

// What is known of a proxy's login. Shared by all probes of a run: a wrong password is tried once
// with each scheme, not once a probe, because directories lock accounts for that.
struct ProxyLogin {
  bool trying = false, settled = false;
  ProxyAuth works = ProxyAuth::none;  // none: settled without success, or not needed
  std::optional<HttpReply> cut;       // of a login that got no answer
  std::vector<ProxyAuth> refused;     // the schemes by which it was tried without success
  std::vector<OneShot<bool>> waiting;
};

// Relays that a run holds at a time, over all its TURN servers. Of these some are kept for the
// second one that a relay in doubt is tried with: it must not wait for those that wait for theirs.
inline constexpr int most_relays = 16, relays_kept_for_pairs = 4;

// What a run has asked about refusals (refuser.hpp): the first router outside has few answers.
struct Refusals {
  int asked = 0;
  std::set<std::pair<Transport, std::uint16_t>> ports;  // that a device of the site refuses
};
// Waits until one more packet may go to that SIP server over that transport; false where the run is
// stopped first (docs/design.md: servers ban by address whoever asks too much).
using SipManners = std::function<asio::awaitable<bool>(SocketAddress server, Transport transport)>;

// What a check works with. All of it outlives the check.
struct Context {
  asio::any_io_executor executor;
  Scope scope;
  Instant deadline;  // of the run; the stop signal comes then
  Resolver& resolver;
  TlsContext& tls;
  SiteEdge& edge;
  const Settings& settings;
  std::map<std::string, ProxyLogin> proxy_logins{};  // by the proxy's URL
  // A place in `relays` is needed for an allocation, one in `pairs` for a second beside it.
  Semaphore relays{most_relays - relays_kept_for_pairs};
  Semaphore pairs{relays_kept_for_pairs};
  Refusals refusals{};
  std::set<std::string> asked_how_seen{};  // TURN servers, for our address over TCP (turn.cpp)
  // For every SIP message but retransmissions and the first over UDP to its job's own address,
  // which the runner has asked for. Over a connection: once it stands, since until then nothing is
  // sent that a SIP server could mind. Empty: no manners but the check's own.
  SipManners sip_manners{};
  // Told by a check that goes on for long (the SIP ALG test, nat, turn) once its server has
  // answered it: what only waits to hear of that need not wait for the rest. May be empty.
  std::function<void(const Probe& probe)> first_reply{};
  // What may outlast the one that started it; the runner waits for all of it.
  TaskGroup background{executor};
};

// One probe to make. `address` is what the target's host resolved to, or, over a proxy, nothing.
struct Job {
  const Probe& probe;
  std::optional<IpAddress> address;
  // Its host was silent to others: what takes its time is asked with less patience (dial.hpp).
  bool doubtful = false;

  SocketAddress remote() const { return {address.value_or(IpAddress{}), probe.target.port()}; }
  // The value of a parameter of the check, or `fallback`.
  std::string parameter(const std::string& name, std::string fallback = {}) const;
};

// Never throws; every network failure is an outcome (probe/net/failure.hpp).
using Run = asio::awaitable<Observation> (*)(Context& context, Job job);

// A socket over the interface that the user chose; connected, unless the options say otherwise.
inline Result<UdpSocket> open_udp(const Context& context, const SocketAddress& remote,
                                  UdpSocket::Options options = {}) {
  options.interface = context.settings.interface;
  return UdpSocket::open(context.executor, remote, options);
}

// What a check has that begins now, at its job's address.
inline Observation begin_check(const Context& context, const Job& job) {
  Observation observation;
  observation.address = job.address;
  observation.sent_at = context.scope.clock.wall_now();
  return observation;
}

inline void set_outcome(Observation& observation, Outcome outcome, Detail detail) {
  observation.outcome = outcome;
  observation.detail = detail;
}

// `text` for people, `facts` the same for programs.
inline void add_evidence(Observation& observation, EvidenceKind kind, Text text, FactMap facts) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.text = std::move(text);
  evidence.facts = std::move(facts);
  observation.evidence.push_back(std::move(evidence));
}

struct Parameter {
  std::string_view name, meaning;  // authors of sets read the meaning in registry.cpp
};

struct Check {
  CheckKind kind;          // as in target sets: "tls"
  std::string_view title;  // for people: "TLS handshake"
  Run run;
  std::vector<Transport> transports;
  std::vector<Parameter> parameters;
  bool needs_address = true;  // the runner resolves the host first and reports `unresolved` itself
  // A parameter that, where it is "true", makes it the other way round: sip finds its servers by
  // "srv", dns asks the target itself by "server".
  std::string_view reverses_address{};
  bool both_families = false;  // true: says nothing where the run leaves out IPv4 or IPv6
  // Made one after the other once all else has ended: others' packets would be in what it measures.
  bool alone = false;
};

// Whether it is made once all else has ended: `alone`, or a call that is measured.
bool is_alone(const Check& check, const Probe& probe, const Settings& settings);

// Whether that probe's host is to be resolved before the check runs.
bool needs_address(const Check& check, const Probe& probe);

// All checks, in the order of the table.
std::span<const Check> registry();
const Check* find(CheckKind kind);

}  // namespace callready::checks
