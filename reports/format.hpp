// The formats of a report: one file and one row in registry.cpp each. Every renderer is a pure
// function of the same `Report` and ends its text with a newline (empty text: nothing to say).
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "probe/model/report.hpp"

namespace callready {

// What the output device can show. Formats for programs ignore it.
struct RenderOptions {
  bool colour = false;                 // ANSI colours
  bool unicode = true;                 // false: nothing but ASCII is written
  int width = 80;                      // columns; clamped to 40 to 200
  bool on_screen = true;               // false: a file or a pipe, where lines need not be cut
  bool verbose = false;                // every endpoint on its own line
  bool quiet = false;                  // one line per set
  bool is_last = true;                 // false: `--from last` would find another report
  const Language* language = nullptr;  // for formats that people read; null: English
};

using Renderer = std::string (*)(const Report&, const RenderOptions&);

struct Format {
  std::string_view name;         // as in --report NAME
  std::string_view description;  // for the help text
  std::string_view extension;    // of a file in this format, without the dot
  Renderer render;
};

// All formats, in the order in which the help lists them.
std::span<const Format> formats();

// The format called `name`, or nullptr.
const Format* find_format(std::string_view name);

std::string render_text(const Report& report, const RenderOptions& options);
// Piece by piece, so that a long report is not in memory twice. `take` returns false when it takes
// no more; then writing stops, and returns false.
using JsonTaker = std::function<bool(std::string_view piece)>;
bool write_json(const Report& report, const JsonTaker& take);
// Never fails: invalid UTF-8 in a string becomes U+FFFD.
std::string render_json(const Report& report, const RenderOptions& options);
std::string render_markdown(const Report& report, const RenderOptions& options);
std::string render_junit(const Report& report, const RenderOptions& options);
std::string render_csv(const Report& report, const RenderOptions& options);
// One self-contained page. Ignores the options.
std::string render_html(const Report& report, const RenderOptions& options);
// For a ticket: plain text, a block for each cause with everything that its fix asks for.
std::string render_ticket(const Report& report, const RenderOptions& options);
std::string render_prometheus(const Report& report, const RenderOptions& options);
// For a site's Prometheus: few series, no addresses, and since when things are so.
std::string render_exporter(const Report& report, const RenderOptions& options);
// For the page of callready ui: the report's sentences and no measurements, as JSON.
std::string render_summary(const Report& report, const RenderOptions& options);
std::string render_nagios(const Report& report, const RenderOptions& options);

// Nagios' exit status: 0 ready, 1 degraded or ready with something to fix, 2 blocked, 3 undecided
// or interrupted.
int nagios_status(const Report& report);

}  // namespace callready
