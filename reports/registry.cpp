#include "reports/format.hpp"

#include "reports/words/language.hpp"

namespace callready {
namespace {

// In the reader's language, for formats that people read.
template <Renderer render>
std::string spoken(const Report& report, const RenderOptions& options) {
  if (options.language == nullptr) return render(report, options);
  const Speaking speaking(options.language);
  return render(translated(report, *options.language), options);
}

}  // namespace

std::span<const Format> formats() {
  static constexpr Format table[] = {
      {"text", "for a person at a terminal", "txt", spoken<render_text>},
      {"json", "everything, for programs and for tickets", "json", render_json},
      {"html", "one web page that needs nothing else, to send, read and print", "html",
       spoken<render_html>},
      {"markdown", "for a ticket or a wiki", "md", render_markdown},
      {"ticket", "a ticket of at most 25 lines: verdict, cause, who, what to change", "txt",
       spoken<render_ticket>},
      {"junit", "for CI systems", "xml", render_junit},
      {"csv", "for a spreadsheet: one row per endpoint", "csv", render_csv},
      {"prometheus", "for the node exporter's textfile collector", "prom", render_prometheus},
      {"exporter", "for Prometheus, as callready exporter says it: few series, no addresses",
       "prom", render_exporter},
      {"summary", "what callready ui shows of it: verdict, causes, what to do (JSON)", "json",
       spoken<render_summary>},
      {"nagios", "one line for monitoring, with performance data", "txt", render_nagios},
  };
  return table;
}

const Format* find_format(std::string_view name) {
  for (const auto& format : formats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

}  // namespace callready
