#include "reports/monitoring/exporter_index.hpp"

#include "reports/html/markup.hpp"
#include "reports/words/rfc3339.hpp"

namespace callready {

std::string exporter_index(const std::string& site, const std::string& place,
                           const std::vector<IndexRow>& rows) {
  Html out;
  out.put(R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>callready: {}</title></head>
<body><h1>callready exporter: {}</h1>
<p>Measured from: {}. Other networks of the site may have other rules.</p>
<table><thead><tr><th scope="col">Set</th><th scope="col">Module</th>
<th scope="col">Last result</th><th scope="col">Report</th><th scope="col">Series</th></tr></thead>
<tbody>
)",
          site, site, place.empty() ? std::string("this computer") : place);
  for (const auto& row : rows) {
    const auto when = row.finished ? format_rfc3339(*row.finished) : std::string("none yet");
    // Names of sets and modules are ids: nothing in them has to be encoded in a URL.
    out.put(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}{}{}</td>"
        "<td><a href=\"/report/{}?module={}\">report</a></td>"
        "<td><a href=\"/probe?set={}&amp;module={}\">series</a></td></tr>\n",
        row.set, row.module, when, std::string_view(row.running ? ", running now" : ""),
        row.error.empty() ? std::string() : "; the last run failed: " + row.error, row.set,
        row.module, row.set, row.module);
  }
  out.put(
      "</tbody></table>\n<p><a href=\"/metrics\">The exporter's own series</a></p>\n"
      "</body></html>\n");
  return out.take();
}

}  // namespace callready
