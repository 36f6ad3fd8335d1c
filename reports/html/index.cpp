#include "reports/html/parts.hpp"
#include "reports/words/phrases.hpp"

namespace callready {

PageIndex::PageIndex(const Report& report) : explained_(report) {
  for (std::size_t i = 0; i < report.probes.size(); ++i) {
    probes_[report.probes[i].probe.id].push_back(i);
  }
  for (std::size_t i = 0; i < report.sets.size(); ++i) {
    const auto& set = report.sets[i];
    for (std::size_t j = 0; j < set.requirements.size(); ++j) {
      requirements_.emplace(set.id + '/' + set.requirements[j].id, row(i, j));
    }
  }
}

std::span<const std::size_t> PageIndex::probes(const std::string& id) const {
  const auto found = probes_.find(id);
  if (found == probes_.end()) return {};
  return found->second;
}

std::string PageIndex::requirement(const std::string& path) const {
  const auto found = requirements_.find(path);
  return found == requirements_.end() ? std::string() : found->second;
}

Html html_mark(Mark mark) {
  return Html().put("<span class=\"mark tone-{}\" aria-hidden=\"true\">{}</span>", mark_name(mark),
                    mark_glyph(mark));
}

Html html_said(Mark mark, std::string_view words) {
  return Html().put("<span class=\"said tone-{}\">{} {}</span>", mark_name(mark), html_mark(mark),
                    words);
}

Html html_table(std::string_view classes, const std::vector<std::string>& heads, const Html& rows,
                std::string_view caption) {
  Html out;
  out.put("<table class=\"{}\">\n", classes);
  if (!caption.empty()) out.put("<caption>{}</caption>\n", caption);
  out.put("<thead><tr>");
  for (const auto& head : heads) out.put("<th scope=\"col\">{}</th>", head);
  return out.put("</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n", rows);
}

void html_fact(Html& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.put("<dt>{}</dt><dd>{}</dd>\n", name, text);
}

Html html_filter(std::string_view name, std::string_view legend,
                 std::span<const FilterChoice> choices, const std::map<Mark, std::size_t>& counts) {
  std::size_t all = 0;
  for (const auto& [mark, count] : counts) all += count;
  Html out;
  out.put("<fieldset class=\"filter\">\n<legend>{}</legend>\n", legend);
  out.put(R"(<label class="choice"><input type="radio" name="{}" value="all" checked> {}</label>
)",
          name, say("All {}", all));
  for (const auto& choice : choices) {
    const auto found = counts.find(choice.mark);
    if (found == counts.end()) continue;
    out.put(R"(<label class="choice"><input type="radio" name="{}" value="{}"> {} {} {}</label>
)",
            name, mark_name(choice.mark), html_mark(choice.mark), say_marked(choice.label),
            found->second);
  }
  return out.put(R"(<button type="button" hidden data-open>{}</button>
</fieldset>
)",
                 say("Open all"));
}

}  // namespace callready
