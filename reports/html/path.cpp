// The drawing of the path, as a sequence diagram: the places that a packet passes are next to each
// other, and each flow is a line from the computer to where it stops. Drawn twice, for wide
// and for narrow screens, because text in a scaled drawing cannot be read; and repeated as a
// table.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "reports/html/parts.hpp"
#include "reports/words/path_flows.hpp"
#include "reports/words/phrases.hpp"
#include "reports/words/terminal.hpp"

namespace callready {
namespace {

// Flows drawn per set; the table has them all.
constexpr std::size_t most_flows = 16;

// All lengths in CSS pixels at the drawing's own size.
struct PathLayout {
  std::string_view name;
  int width;
  int first_x, last_x;  // of the computer and of the vendor
  int box_width, box_height;
  bool names_own_address;      // the boxes have room for it
  int label_x;                 // where a flow's label begins
  int words_x, words_columns;  // where its words begin, and how many characters fit
  bool beside;                 // label, line and words side by side
};

constexpr PathLayout wide_path{"wide", 1040, 210, 690, 128, 46, true, 8, 768, 38, true};
constexpr PathLayout narrow_path{"narrow", 320, 31, 289, 60, 26, false, 2, 16, 44, false};

constexpr int word_line = 18;

struct Column {
  Place place;
  std::string name, short_name;
  std::string detail;
  int x = 0;
};

// "10.20.0.3:3128" from "http://10.20.0.3:3128": the box is small.
std::string without_scheme(const std::string& url) {
  const auto end = url.find("://");
  return end == std::string::npos ? url : url.substr(end + 3);
}

std::vector<Column> columns_of(const Path& path, const PathLayout& layout) {
  std::vector<Column> columns = {
      {Place::computer, say("This computer"), say("PC"), path.computer},
      {Place::router, say("Router"), say("Router"),
       path.router.empty() ? say("and firewall") : path.router},
  };
  if (path.has_proxy)
    columns.push_back({Place::proxy, say("Proxy"), say("Proxy"), without_scheme(path.proxy)});
  columns.push_back({Place::provider, say("Provider"), say("Provider"), path.provider});
  columns.push_back({Place::vendor, say("Vendor"), say("Vendor"), ""});
  const int last = static_cast<int>(columns.size()) - 1;
  for (int i = 0; i <= last; ++i) {
    columns[static_cast<std::size_t>(i)].x =
        layout.first_x + (layout.last_x - layout.first_x) * i / last;
  }
  return columns;
}

int x_of(Place place, const std::vector<Column>& columns) {
  for (const auto& column : columns) {
    if (column.place == place) return column.x;
  }
  // Unknown: before the vendor, beyond everything that has a name.
  return (columns[columns.size() - 2].x + columns.back().x) / 2;
}

std::string stop_words(const Stop& stop) {
  const auto words =
      stop.place == Place::unknown ? say("{}; nothing shows where", stop.words) : stop.words;
  return stop.count > 1 ? fmt::format("{} ({})", words, stop.count) : words;
}

std::string flow_label(const Flow& flow) {
  if (flow.findings.empty()) return flow.label;
  std::vector<std::string> numbers;
  for (const auto number : flow.findings) numbers.push_back(std::to_string(number));
  return say("{}, see {}", flow.label, joined(numbers));
}

class Drawing {
 public:
  Drawing(const Path& path, const PathLayout& layout)
      : path_(path), layout_(layout), columns_(columns_of(path, layout)) {}

  Html take() {
    for (const auto& group : path_.groups) add_group(group);
    const int height = y_ + 8;
    Html out;
    out.put(
        R"(<svg class="{}" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}">
)",
        layout_.name, layout_.width, height, layout_.width, height,
        say("Diagram of the path; the table below shows the same data"));
    for (const auto& column : columns_) {
      out.put("<path class=\"axis\" d=\"M{} {}V{}\"/>\n", column.x, layout_.box_height, y_);
      add_box(out, column);
    }
    return out.put(body_).put("</svg>\n");
  }

 private:
  void add_box(Html& out, const Column& column) const {
    const int width = layout_.box_width, height = layout_.box_height;
    out.put(R"(<rect class="box" x="{}" y="1" width="{}" height="{}" rx="8"/>
)",
            column.x - width / 2, width, height - 2);
    const auto detail = layout_.names_own_address ? shortened(harmless(column.detail), 17) : "";
    out.put(R"(<text class="strong{}" x="{}" y="{}" text-anchor="middle">{}</text>
)",
            std::string_view(layout_.beside ? "" : " small-box"), column.x,
            detail.empty() ? height / 2 + 5 : height / 2 - 3,
            layout_.beside ? column.name : column.short_name);
    if (!detail.empty()) {
      out.put(R"(<text class="quiet" x="{}" y="{}" text-anchor="middle">{}</text>
)",
              column.x, height / 2 + 14, detail);
    }
  }

  void add_group(const FlowGroup& group) {
    y_ += 20;
    for (const auto& line : wrap(harmless(group.title), layout_.beside ? 120 : 40)) {
      body_.put("<text class=\"strong\" x=\"{}\" y=\"{}\">{}</text>\n", layout_.label_x, y_, line);
      y_ += word_line;
    }
    body_.put("<path class=\"rule\" d=\"M{} {}H{}\"/>\n", layout_.label_x, y_ - 10,
              layout_.width - layout_.label_x);
    const auto count = std::min(group.flows.size(), most_flows);
    for (std::size_t i = 0; i < count; ++i) add_flow(group.flows[i]);
    if (group.flows.size() > count) {
      y_ += 14;
      body_.put(R"(<text class="quiet" x="{}" y="{}">{}</text>
)",
                layout_.label_x, y_, say("and {} more, in the table", group.flows.size() - count));
    }
  }

  void add_flow(const Flow& flow) {
    body_.put("<g class=\"flow\">\n");
    const int top = y_ + 14;
    int line_y = top - 4, words_y = top;
    body_.put("<text x=\"{}\" y=\"{}\">{}</text>\n", layout_.label_x, top, flow_label(flow));
    if (!layout_.beside) {
      line_y = top + 16;
      words_y = top + 40;
    }
    add_line(flow, line_y);
    for (const auto& stop : flow.stops) {
      const auto words = wrap(harmless(stop_words(stop)), layout_.words_columns);
      body_.put("<g class=\"tone-{}\">", mark_name(stop.mark));
      if (!layout_.beside) {
        body_.put("<text class=\"glyph\" x=\"{}\" y=\"{}\">{}</text>", layout_.words_x - 9, words_y,
                  mark_glyph(stop.mark));
      }
      for (const auto& line : words) {
        body_.put("<text class=\"toned\" x=\"{}\" y=\"{}\">{}</text>", layout_.words_x, words_y,
                  line);
        words_y += word_line;
      }
      body_.put("</g>\n");
    }
    y_ = std::max(words_y - word_line + (flow.stops.size() > 1 ? 8 : 6), line_y + 12);
    body_.put("</g>\n");
  }

  // Solid as far as packets were seen to get; dotted beyond that if nothing shows where they stop.
  void add_line(const Flow& flow, int y) {
    const int start = columns_.front().x;
    int good = start, bad = start;
    bool guess = false;
    for (const auto& stop : flow.stops) {
      const int x = x_of(stop.place, columns_);
      if (stop.place == Place::unknown)
        guess = true;
      else if (stop.mark == Mark::good || stop.mark == Mark::warning)
        good = std::max(good, x);
      else
        bad = std::max(bad, x);
    }
    const auto stretch = [&](int from, int to, std::string_view tone, std::string_view kind) {
      if (to <= from) return;
      body_.put("<path class=\"way{} tone-{}\" d=\"M{} {}H{}\"/>\n", kind, tone, from, y, to);
    };
    const bool changed = std::any_of(flow.stops.begin(), flow.stops.end(),
                                     [](const Stop& stop) { return stop.mark == Mark::warning; });
    stretch(start, good, changed ? "warning" : "good", "");
    stretch(good, bad, "bad", "");
    if (guess) stretch(std::max(good, bad), columns_.back().x, "unknown", " guess");
    body_.put("<circle class=\"spot tone-skipped\" cx=\"{}\" cy=\"{}\" r=\"4\"/>\n", start, y);
    if (flow.proxied) {
      body_.put("<circle class=\"spot tone-skipped\" cx=\"{}\" cy=\"{}\" r=\"3\"/>\n",
                x_of(Place::proxy, columns_), y);
    }
    std::set<int> taken;
    std::map<Place, int> next;  // where the search for room goes on
    for (const auto& stop : flow.stops) {
      int& x = next.try_emplace(stop.place, x_of(stop.place, columns_)).first->second;
      while (!taken.insert(x).second) x += 22;  // two that end at one place are drawn side by side
      body_.put(R"(<g class="tone-{}"><circle class="spot" cx="{}" cy="{}" r="9"/>)"
                R"(<text class="glyph" x="{}" y="{}">{}</text></g>
)",
                mark_name(stop.mark), x, y, x, y + 5, mark_glyph(stop.mark));
    }
  }

  const Path& path_;
  const PathLayout& layout_;
  std::vector<Column> columns_;
  Html body_;
  int y_ = layout_.box_height;
};

std::string place_words(Place place) {
  static constexpr Word<Place> table[] = {
      {Place::computer, marked("this computer")},
      {Place::router, marked("router or firewall of the site")},
      {Place::proxy, marked("proxy")},
      {Place::provider, marked("provider")},
      {Place::vendor, marked("vendor")},
      {Place::unknown, marked("not known")},
  };
  return say_word(table, place);
}

Html table_of(const Path& path) {
  Html out;
  out.put("<details>\n<summary>{}</summary>\n", say("The same data as a table"));
  const std::vector<std::string> heads = {say("Flow"), say("Gets as far as"), say("What was seen")};
  for (const auto& group : path.groups) {
    Html rows;
    for (const auto& flow : group.flows) {
      for (const auto& stop : flow.stops) {
        rows.put("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>\n", flow_label(flow),
                 place_words(stop.place), html_said(stop.mark, stop_words(stop)));
      }
    }
    out.put(html_table("stack path-table", heads, rows, group.title));
  }
  return out.put("</details>\n");
}

void add_drawing(Html& out, const Path& path) {
  if (path.groups.empty()) return;
  if (!path.proxy.empty()) {
    out.put(R"(<p class="small muted">{} <bdi>{}</bdi>.</p>
)",
            say("The proxy is"), path.proxy);
  }
  out.put("<figure class=\"path\">\n");
  out.put(Drawing(path, wide_path).take()).put(Drawing(path, narrow_path).take());
  out.put("</figure>\n").put(table_of(path));
}

// What one vantage of a merged report saw, with the merged report's causes.
Path path_from(const VantageReport& vantage, const Report& report) {
  Report part;
  part.site = vantage.site;
  part.sets = report.sets;
  part.findings = report.findings;
  std::copy_if(report.probes.begin(), report.probes.end(), std::back_inserter(part.probes),
               [&](const auto& result) { return result.probe.vantage == vantage.name; });
  return path_of(part);
}

}  // namespace

Html html_path(const Report& report) {
  Html drawings;
  if (report.vantages.empty()) add_drawing(drawings, path_of(report));
  for (const auto& vantage : report.vantages) {
    Html one;
    add_drawing(one, path_from(vantage, report));
    if (!one.empty())
      drawings.put(R"(<h3>{}</h3>
{})",
                   say("From {}", vantage.name), one);
  }
  if (drawings.empty()) return drawings;
  Html out;
  out.put(
      R"(<p class="small muted">{}</p>
)",
      say("Each line is one kind of traffic, drawn as far as this run saw it get. Dotted: nothing "
          "came back, and nothing shows where it was lost."));
  return out.put(drawings);
}

}  // namespace callready
