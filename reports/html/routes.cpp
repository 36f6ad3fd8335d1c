// What a proxy may carry, side by side: the result for each endpoint through the proxy and
// directly, how long that took, and which route works or is faster.
#include "probe/model/describe.hpp"
#include "probe/util/text.hpp"
#include "reports/html/parts.hpp"
#include "reports/words/phrases.hpp"

namespace callready {
namespace {

// If more pairs are alike, they are folded.
constexpr std::size_t most_alike = 12;

std::string names_of(const std::vector<RoutePair>& pairs) {
  std::vector<std::string> proxies;
  for (const auto& pair : pairs) {
    add_once(proxies, pair.proxied->probe.target.route.proxy);
  }
  return joined(proxies);
}

// If the routes differ, a reader should see it first.
bool ways_differ(const RoutePair& pair) {
  return pair.better == Better::proxy_only || pair.better == Better::direct_only ||
         pair.better == Better::neither;
}

Html cell(const Report& report, const ProbeResult* result) {
  if (result == nullptr) return html_said(Mark::skipped, say("not tried"));
  auto words = outcome_in_words(result->observation).string();
  const auto took = set_up_ms(*result);
  if (took && reached(result->observation.outcome)) {
    words = say("{}, ready in {}", words, duration_phrase(Milliseconds(*took)));
  }
  return Html().put("<a href=\"#{}\">{}</a>",
                    PageIndex::endpoint(static_cast<std::size_t>(result - report.probes.data())),
                    html_said(mark_of(*result), words));
}

void add_pair(Html& rows, const Report& report, const RoutePair& pair) {
  const auto& vantage = pair.proxied->probe.vantage;
  const auto name = endpoint(pair);
  rows.put(
      R"(<tr><th scope="row">{}</th><td data-route="{}">{}</td><td data-route="{}">{}</td><td data-route="{}">{}</td></tr>
)",
      vantage.empty() ? name : say("{}: {}", vantage, name), say("Proxy"),
      cell(report, pair.proxied), say("Directly"), cell(report, pair.direct), say("Works"),
      html_said(mark_of(pair), better_in_words(pair)));
}

Html table(const Html& rows) {
  return html_table(
      "stack routes",
      {say("Endpoint"), say("Through the proxy"), say("Directly"), say("Which works")}, rows);
}

}  // namespace

Html html_routes(const Report& report) {
  const auto pairs = route_pairs(report);
  Html out;
  if (pairs.empty()) return out;
  Html different, alike;
  std::size_t alike_count = 0;
  for (const auto& pair : pairs) {
    add_pair(ways_differ(pair) ? different : alike, report, pair);
    if (!ways_differ(pair)) ++alike_count;
  }
  if (const auto in_short = routes_in_short(pairs); !in_short.empty()) {
    out.put("<p>{}</p>\n", in_short);
  }
  out.put("<p class=\"small muted\">{}</p>\n",
          say("The proxy: {}. Times run until the connection could be used; through the proxy, "
              "they include its DNS lookup.",
              names_of(pairs)));
  if (alike_count <= most_alike) return out.put(table(different.put(alike)));
  if (!different.empty()) out.put(table(different));
  return out.put(R"(<details>
<summary>{}</summary>
{}</details>
)",
                 say("The other {} endpoints", alike_count), table(alike));
}

}  // namespace callready
