// The place that the run was made from, and the run itself.
#include "reports/html_parts.hpp"
#include "reports/phrases.hpp"
#include "reports/rfc3339.hpp"

namespace callready {
namespace {

class Facts {
 public:
  void add(std::string_view name, const std::string& text) {
    if (!text.empty()) rows_.put("<dt>{}</dt><dd>{}</dd>\n", name, text);
  }
  Html take() {
    Html out;
    if (!rows_.empty()) out.put("<dl class=\"facts\">\n{}</dl>\n", rows_);
    return out;
  }

 private:
  Html rows_;
};

std::string in_words(std::vector<IpAddress> addresses) {
  std::vector<std::string> texts;
  for (const auto& address : addresses) texts.push_back(address.to_string());
  return joined(texts);
}

}  // namespace

Html html_site(const Site& site) {
  Facts facts;
  facts.add("Site", site.name);
  facts.add("Computer", site.host);
  for (const auto& interface : site.interfaces) {
    facts.add("Interface", fmt::format("{}: {}{}", interface.name, in_words(interface.addresses),
                                       interface.default_route ? " (to the Internet)" : ""));
  }
  facts.add("DNS servers", joined(site.resolvers));
  facts.add("Proxy", site.proxy.value_or("none"));
  facts.add("Public address", in_words(site.public_addresses));
  facts.add("NAT mapping", site.nat_mapping.value_or(""));
  facts.add("NAT filtering", site.nat_filtering.value_or(""));
  return facts.take();
}

Html html_run(const Report& report) {
  Facts facts;
  facts.add("Started", format_rfc3339(report.started_at));
  facts.add("Finished", format_rfc3339(report.finished_at));
  facts.add("Took", duration_phrase(report.duration));
  facts.add("Complete", report.complete ? "yes" : "no: stopped, or out of time");
  facts.add("Tried", count_of(endpoints_tried(report), "endpoint", "endpoints"));
  for (const auto& set : report.sets) {
    auto text = set_name(set);
    if (!set.document.empty()) text += fmt::format(", after \"{}\"", set.document);
    if (!set.verified.empty()) text += fmt::format(", held against it on {}", set.verified);
    facts.add("Target set", text);
  }
  for (const auto& note : report.notes) facts.add("Note", note);
  facts.add("Program", fmt::format("{} {}", report.tool.name, report.tool.version));
  return facts.take();
}

}  // namespace callready
