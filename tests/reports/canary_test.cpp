// A canary in each field that the site, its users or a server choose: it sings in no format of a
// redacted report, and in no event, wherever sentences quote it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "probe/model/told_apart.hpp"
#include "reports/format.hpp"
#include "reports/json/events.hpp"
#include "reports/monitoring/otlp.hpp"
#include "reports/privacy/redact_owners.hpp"
#include "reports/privacy/redact_text.hpp"
#include "tests/reports/redaction.hpp"
#include "tests/reports/samples.hpp"

namespace callready {
namespace {

struct Field {
  std::string name;
  std::function<void(Report&, const std::string& canary)> put;
  bool alone = false;  // makes another kind of report
};

ProbeResult& vendors_probe(Report& report) {
  for (auto& result : report.probes) {
    if (result.probe.target.host == "web.openrainbow.com") return result;
  }
  return report.probes.at(0);
}

// A server of the site's own, with a certificate.
ProbeResult& own_probe(Report& report, const std::string& host) {
  auto made = vendors_probe(report);
  made.probe.target.host = host;
  made.probe.target.route.proxy.clear();
  made.probe.id = probe_id(made.probe);
  made.observation.evidence.clear();
  report.probes.push_back(std::move(made));
  return report.probes.back();
}

void add_chain(ProbeResult& result, const FactMap& certificate, std::optional<bool> expected,
               bool listed) {
  auto& evidence = result.observation.evidence;
  evidence.push_back({EvidenceKind::certificate, "a certificate", certificate});
  if (!expected) return;
  evidence.push_back({EvidenceKind::chain_root, "the root", {{Fact::expected, *expected}}});
  if (listed) evidence.back().facts[Fact::basis] = std::string(public_root_basis);
}

SetResult& own_set(Report& report) {
  auto set = report.sets.at(0);
  set.id = "ours";
  report.sets.push_back(std::move(set));
  return report.sets.back();
}

std::vector<Field> fields() {
  std::vector<Field> all = {
      {"site", [](Report& r, const auto& c) { r.site.name = c; }},
      {"computer", [](Report& r, const auto& c) { r.site.host = c; }},
      {"interface", [](Report& r, const auto& c) { r.site.interfaces.at(0).name = c; }},
      {"way",
       [](Report& r, const auto& c) {
         r.site.ways.push_back({c, std::nullopt, false, true, {}});
       }},
      {"host on a way",
       [](Report& r, const auto& c) {
         r.site.ways.push_back({"eth0", std::nullopt, false, true, {c}});
       }},
      {"resolver", [](Report& r, const auto& c) { r.site.resolvers.push_back(c); }},
      {"proxy", [](Report& r, const auto& c) { r.site.proxy = "http://" + c + ":3128"; }},
      {"own host", [](Report& r, const auto& c) { r.site.own_hosts.push_back(c); }},
      {"place",
       [](Report& r, const auto& c) { r.notes.push_back(fmt::format("{}{}.", place_words, c)); }},
      {"host", [](Report& r, const auto& c) { own_probe(r, c); }},
      {"route",
       [](Report& r, const auto& c) {
         vendors_probe(r).probe.target.route.proxy = "http://" + c + ":8080";
       }},
      {"parameter", [](Report& r, const auto& c) { vendors_probe(r).probe.with["domain"] = c; }},
      {"region", [](Report& r, const auto& c) { vendors_probe(r).probe.region = c; }},
      {"vantage",
       [](Report& r, const auto& c) {
         vendors_probe(r).probe.vantage = c;
         VantageReport part;
         part.name = c;
         r.vantages = {part};
         r.findings.at(0).seen_from = {c};
       },
       true},
      {"peer of a vendor's rule",
       [](Report& r, const auto& c) {
         FirewallRule rule;
         rule.set = r.sets.at(0).id;
         rule.transport = Transport::udp;
         rule.peers = {{c, PeerKind::name, "", "", Lifecycle::current}};
         r.sets.at(0).requirements.at(0).rules = {rule};
         r.findings.at(0).rules = {rule};
       }},
      {"names of an own server, public root",
       [](Report& r, const auto& c) {
         add_chain(own_probe(r, "pbx.example.fr"),
                   {{Fact::names, "pbx.example.fr " + c}, {Fact::subject, "CN=x,O=" + c}}, true,
                   true);
       }},
      {"names of an own server, --ca-file",
       [](Report& r, const auto& c) {
         add_chain(own_probe(r, "pbx2.example.fr"),
                   {{Fact::names, c}, {Fact::issuer, "OU=" + c + ",O=x1"}}, true, false);
       }},
      {"issuer in the vendor's place, --ca-file",
       [](Report& r, const auto& c) {
         add_chain(vendors_probe(r),
                   {{Fact::issuer, "CN=" + c + ",C=FR"}, {Fact::subject, "O=" + c}}, true, false);
       }},
      {"issuer in the vendor's place, no root known",
       [](Report& r, const auto& c) {
         add_chain(vendors_probe(r), {{Fact::issuer, "CN=" + c}, {Fact::sha256, c}}, std::nullopt,
                   false);
       }},
      {"own set's id", [](Report& r, const auto& c) { own_set(r).id = c; }},
      {"own set's title", [](Report& r, const auto& c) { own_set(r).title = c; }},
      {"own set's document",
       [](Report& r, const auto& c) {
         auto& set = own_set(r);
         set.document = set.edition = c;
       }},
      {"own set's row",
       [](Report& r, const auto& c) {
         auto& row = own_set(r).requirements.at(0);
         row.id = row.title = row.source = c;
         row.error_texts = {c};
       }},
      {"own set's capability",
       [](Report& r, const auto& c) {
         auto& capability = own_set(r).capabilities.at(0);
         capability.id = capability.title = c;
       }},
      {"pages of a browser's policy",
       [](Report& r, const auto& c) {
         r.site.browser_policies = {{"Google Chrome", "WebRtcIPHandlingUrl", c, "/etc/x.json"}};
       }},
      {"own set's advice",
       [](Report& r, const auto& c) {
         own_set(r).advice = {{c, c, c}};
       }},
      {"own set's rule",
       [](Report& r, const auto& c) {
         FirewallRule rule;
         rule.set = "ours";
         rule.requirements = rule.titles = rule.purposes = rule.sources = rule.clients =
             rule.notes = rule.conditions = rule.fallback_for = {c};
         rule.remarks = rule.your_ports = {c};
         rule.your_transport = c;
         rule.peers = {{"192.0.2.7", PeerKind::address, c, c, Lifecycle::current},
                       {c, PeerKind::yours, "", "", Lifecycle::current},
                       {c, PeerKind::service_tag, "", "", Lifecycle::current}};
         own_set(r).requirements.at(0).rules = {rule};
       }},
  };
  for (const auto& [fact, word] : words<Fact>()) {
    const auto owner = owner_of(fact);
    if (owner != FactOwner::said && owner != FactOwner::file) continue;
    all.push_back({"fact " + std::string(word), [fact](Report& r, const auto& c) {
                     vendors_probe(r).observation.evidence.push_back(
                         {EvidenceKind::http_reply, "it said \"" + c + "\"", {{fact, c}}});
                   }});
  }
  return all;
}

// Where a canary sings: "srv-zorg" of that field's own.
constexpr std::string_view song = "zorg";

std::string tag(std::size_t field) {
  return {static_cast<char>('a' + field / 26), static_cast<char>('a' + field % 26)};
}

struct Caged {
  Report report;
  std::vector<std::string> canaries;  // empty where a field is left out
};

// One report with a canary in every field, each its own, and one for each field that goes alone.
std::vector<Caged> caged(const std::vector<Field>& fields, const std::string& before,
                         const std::string& after) {
  std::vector<Caged> all = {{samples::blocked(), std::vector<std::string>(fields.size())}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto canary = fmt::format("{}{}{}{}", before, song, tag(i), after);
    if (fields[i].alone) all.push_back({samples::blocked(), all.front().canaries});
    auto& cage = fields[i].alone ? all.back() : all.front();
    if (fields[i].alone) cage.canaries.assign(fields.size(), "");
    fields[i].put(cage.report, canary);
    cage.canaries[i] = canary;
  }
  return all;
}

// Sentences of ours that quote them.
void quote(Caged& cage) {
  std::string sentence;
  for (const auto& canary : cage.canaries) {
    if (!canary.empty()) {
      sentence += fmt::format(" It is {}, says {}: \"{}\".", canary, canary, canary);
    }
  }
  auto& report = cage.report;
  report.notes.push_back(sentence);
  report.sets.at(0).requirements.at(0).summary += sentence;
  report.sets.at(0).capabilities.at(0).summary += sentence;
  auto& finding = report.findings.at(0);
  finding.title += sentence;
  finding.fix += sentence;
  finding.runner_up = {sentence, sentence};
  finding.evidence.push_back({"", sentence});
  vendors_probe(report).observation.evidence.push_back({EvidenceKind::error, sentence, {}});
}

std::string everything(const Report& report) {
  std::string all;
  RenderOptions options;
  options.verbose = true;
  options.width = 200;
  for (const auto& format : formats()) all += format.render(report, options);
  all += otlp_logs(report) + otlp_metrics(report);
  for (const auto& set : report.sets) all += event_set(set);
  for (const auto& finding : report.findings) all += event_finding(finding);
  return lower_case(all + event_started(report, {}, 1) + event_finished(report));
}

// As check --follow tells it: what a probe shows is known from then on.
std::string followed(const Report& report) {
  Redactor redactor(digest_with("k"), vendors(), {});
  redactor.learn(report.site);
  std::string all;
  for (const auto& result : report.probes) {
    redactor.learn(result);
    all += event_probe(redactor.probe(result), 1, 2);
  }
  return lower_case(all);
}

// The fields whose canaries sing in the text, each with the first of its song.
std::string heard(const std::vector<Field>& fields, const std::string& text) {
  std::string all;
  std::set<std::string> known;
  for (auto at = text.find(song); at != text.npos; at = text.find(song, at + 1)) {
    const auto whose = text.substr(at + song.size(), 2);
    if (!known.insert(whose).second) continue;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (tag(i) == whose) all += fields[i].name + ": ";
    }
    all += text.substr(at < 100 ? 0 : at - 100, 220) + "\n\n";
  }
  return all;
}

TEST(Canary, SingsInNoFormat) {
  const auto all = fields();
  EXPECT_GT(all.size(), 45u);
  for (const auto& [before, after] : {std::pair("srv-", ""), std::pair("", " Lub SA")}) {
    for (auto& cage : caged(all, before, after)) {
      const auto plain = lower_case(render_json(cage.report, {}));
      for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_NE(plain.find(lower_case(cage.canaries[i])), plain.npos) << all[i].name;
      }
      quote(cage);
      Redactor redactor(digest_with("k"), vendors(), {});
      EXPECT_EQ(heard(all, everything(redactor.report(cage.report))), "");
    }
  }
}

TEST(Canary, SingsInNoEvent) {
  const auto all = fields();
  for (const auto& [before, after] :
       {std::pair("", "realm"), std::pair("srv-", ""), std::pair("pbx.", ".fr")}) {
    for (const auto& cage : caged(all, before, after)) {
      EXPECT_EQ(heard(all, followed(cage.report)), "");
    }
  }
}

// A ticket is about these.
TEST(Canary, LeavesTheVendorsNamesAndPublicAuthorities) {
  auto report = samples::blocked();
  auto& probe = vendors_probe(report);
  add_chain(probe,
            {{Fact::names, std::string("web.openrainbow.com rainbow.example.org")},
             {Fact::issuer, std::string("CN=R11,O=Let's Encrypt,C=US")},
             {Fact::subject, std::string("CN=web.openrainbow.com")}},
            true, true);
  probe.observation.evidence.push_back({EvidenceKind::http_reply,
                                        "answered",
                                        {{Fact::server, std::string("nginx/1.22.1")},
                                         {Fact::reason, std::string("Service Unavailable")}}});
  report.notes = {"rainbow.example.org has the certificate of web.openrainbow.com"};
  Redactor redactor(digest_with("k"), vendors(), {});
  const auto hidden = render_json(redactor.report(report), {});
  for (const auto* kept : {"CN=R11,O=Let's Encrypt,C=US", "CN=web.openrainbow.com",
                           "rainbow.example.org has", "nginx/1.22.1", "Service Unavailable"}) {
    EXPECT_NE(hidden.find(kept), std::string::npos) << kept;
  }
}

}  // namespace
}  // namespace callready
