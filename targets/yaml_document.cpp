#include "targets/yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "probe/util/utf8.hpp"

namespace callready {
namespace {

// Ends the parse from within yaml-cpp's callbacks; never leaves this file.
struct Stop {};

class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, Problems& problems, const YamlLimits& limits)
      : text_(text), problems_(problems), limits_(limits) {
    line_starts_.push_back(0);
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') line_starts_.push_back(at + 1);
    }
  }

  std::optional<YamlNode> take() { return std::move(root_); }
  // The last node that was read completely.
  Position last() const { return last_; }
  // Where the innermost list or map still open begins.
  std::optional<Position> open_since() const {
    if (open_.empty()) return std::nullopt;
    return open_.back().node.position;
  }

  // yaml-cpp counts from 0 and in bytes; people count from 1 and in characters.
  Position position(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0) return {};
    const auto line = static_cast<std::size_t>(mark.line);
    if (line >= line_starts_.size()) return {mark.line + 1, mark.column + 1};
    const auto begin = line_starts_[line];
    const auto bytes = std::min(static_cast<std::size_t>(mark.column), text_.size() - begin);
    // A whole set may be one line, so count only from where we stopped last time.
    if (counted_.line != mark.line || counted_.bytes > bytes) counted_ = {mark.line, 0, 0};
    counted_.characters +=
        count_characters(text_.substr(begin + counted_.bytes, bytes - counted_.bytes));
    counted_.bytes = bytes;
    return {mark.line + 1, static_cast<int>(counted_.characters) + 1};
  }

  std::string_view line_text(int line) const {  // 1-based
    if (line < 1 || static_cast<std::size_t>(line) > line_starts_.size()) return {};
    const auto begin = line_starts_[static_cast<std::size_t>(line - 1)];
    return text_.substr(begin, text_.find('\n', begin) - begin);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    problems_.add(position(mark),
                  "a second YAML document begins here; expected one set a "
                  "file");
    throw Stop{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(count(make(YamlNode::Kind::null, mark)), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end()) {
      problems_.add(position(mark), "this alias stands for a block that it is itself a part of");
      throw Stop{};
    }
    count(known->second.values, known->second.bytes, position(mark));
    add(known->second.node, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(YamlNode::Kind::scalar, mark);
    refuse_tag(tag, node.position);
    node.text = value;
    node.plain = tag == "?";
    add(count(std::move(node)), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::size_t values_before = 0, bytes_before = 0;
    std::optional<YamlNode> key;                // of a map, while its value is awaited
    std::map<std::string, Position> seen_keys;  // of a map
  };
  struct Anchor {
    YamlNode node;
    std::size_t values = 0, bytes = 0;
  };

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    YamlNode node;
    node.kind = kind;
    node.position = last_ = position(mark);
    return node;
  }

  void count(std::size_t values, std::size_t bytes, Position at) {
    values_ += values;
    bytes_ += bytes;
    if (values_ <= limits_.values && bytes_ <= limits_.expanded_bytes) return;
    problems_.add(at, "too much for one set: more than " + std::to_string(limits_.values) +
                          " values or " + std::to_string(limits_.expanded_bytes) +
                          " bytes, counting an alias as all that it stands for");
    throw Stop{};
  }
  YamlNode count(YamlNode node) {
    count(1, node.text.size(), node.position);
    return node;
  }

  void refuse_tag(const std::string& tag, Position at) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    problems_.add(at, "YAML tag " + in_quotes(tag) + ": expected a value without a tag");
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    Open frame;
    frame.node = make(kind, mark);
    frame.anchor = anchor;
    frame.values_before = values_;
    frame.bytes_before = bytes_;
    refuse_tag(tag, frame.node.position);
    count(1, 0, frame.node.position);
    if (open_.size() >= limits_.depth) {
      problems_.add(frame.node.position, "nested more than " + std::to_string(limits_.depth) +
                                             " levels deep; a set needs 6");
      throw Stop{};
    }
    open_.push_back(std::move(frame));
  }

  void close() {
    auto frame = std::move(open_.back());
    open_.pop_back();
    if (frame.anchor != 0) {
      anchors_[frame.anchor] = {frame.node, values_ - frame.values_before,
                                bytes_ - frame.bytes_before};
    }
    place(std::move(frame.node));
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {node, 1, node.text.size()};
    place(std::move(node));
  }

  void place(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!parent.key) {
      parent.key = std::move(node);
      return;
    }
    place_entry(parent, std::move(node));
    parent.key.reset();
  }

  void place_entry(Open& parent, YamlNode value) {
    auto& key = *parent.key;
    if (!key.is_scalar()) {
      problems_.add(key.position, "a key must be a word, found " + describe(key));
      return;
    }
    const auto [first, is_new] = parent.seen_keys.try_emplace(key.text, key.position);
    if (!is_new) {
      problems_.add(key.position, "duplicate key " + in_quotes(key.text) +
                                      "; it was given on line " +
                                      std::to_string(first->second.line));
      return;
    }
    parent.node.entries.push_back({std::move(key.text), key.position, std::move(value)});
  }

  std::string_view text_;
  Problems& problems_;
  YamlLimits limits_;
  std::vector<std::size_t> line_starts_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchor> anchors_;
  std::optional<YamlNode> root_;
  Position last_;
  struct Counted {
    int line = -1;  // from 0
    std::size_t bytes = 0, characters = 0;
  };
  mutable Counted counted_;  // of the line that was last asked for
  std::size_t documents_ = 0, values_ = 0, bytes_ = 0;
};

constexpr std::string_view eof_in_quotes = "illegal EOF in scalar";

// What people often get wrong in YAML, by the error that yaml-cpp reports for it.
std::string hint(std::string_view message, std::string_view line) {
  const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
  if (indentation.find('\t') != std::string_view::npos) return "; indent with spaces, not tabs";
  if (message.find("flow not found") != std::string_view::npos) {
    return "; close the bracket that opens here, and put \"${...}\" inside brackets in quotes";
  }
  if (message == eof_in_quotes) return "; a quote that opens behind this is never closed";
  if (message == "illegal map value") return "; text with ': ' in it must be in quotes";
  if (message == "end of map not found" || message == "end of sequence not found") {
    return "; is this line indented like its neighbours?";
  }
  if (message == "the referenced anchor is not defined" || message == "unknown token" ||
      message.find("alias") != std::string_view::npos) {
    return "; text that begins with *, &, @, % or ` must be in quotes";
  }
  return {};
}

void report_syntax(const YAML::Exception& error, const Builder& builder, Problems& problems) {
  auto at = builder.position(error.mark);
  // For an unclosed quote or bracket, yaml-cpp gives the end of the file; its beginning helps more.
  if (error.msg == eof_in_quotes) at = builder.last();
  if (error.msg.find("flow not found") != std::string::npos) at = builder.open_since().value_or(at);
  problems.add(at, "not YAML: " + error.msg + hint(error.msg, builder.line_text(at.line)));
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, Problems& problems,
                                   const YamlLimits& limits, std::string_view expected) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.size() > limits.bytes) {
    problems.add({}, "larger than " + std::to_string(limits.bytes / 1024 / 1024) +
                         " MiB; a target set is a few hundred KiB at most");
    return std::nullopt;
  }
  if (const auto bad = find_invalid_utf8(text)) {
    const auto before = text.substr(0, *bad);
    const auto line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
    const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
    const auto column = static_cast<int>(count_characters(before.substr(line_start))) + 1;
    problems.add({line, column}, text[*bad] == '\0' ? "a NUL byte: this is not a text file"
                                                    : "not UTF-8 text; save the file as UTF-8");
    return std::nullopt;
  }
  const auto is_opening = [](char c) { return c == '[' || c == '{'; };
  if (std::count_if(text.begin(), text.end(), is_opening) >
      static_cast<std::ptrdiff_t>(limits.brackets)) {
    problems.add({}, "holds more than " + std::to_string(limits.brackets) +
                         " brackets; a target set has some thousand");
    return std::nullopt;
  }
  Builder builder(text, problems, limits);
  try {
    // yaml-cpp takes the end of the file for a closing quote if it follows a line feed.
    std::istringstream stream{std::string(text.substr(0, text.find_last_not_of(" \t\r\n") + 1))};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& error) {
    report_syntax(error, builder, problems);
    return std::nullopt;
  }
  auto root = builder.take();
  if (!root || root->kind == YamlNode::Kind::null) {
    problems.add({}, "empty; expected " + std::string(expected));
    return std::nullopt;
  }
  return root;
}

const YamlNode::Entry* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &*found;
}

std::string yaml_quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t shown = 60;
  std::string result = "'";
  std::size_t characters = 0;
  for (const char byte : on_one_line(text.substr(0, 4 * (shown + 1)))) {  // 4 bytes at most each
    const bool continues = (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
    if (!continues && characters++ == shown) return result + "...'";
    result += byte == '\t' ? ' ' : byte;
  }
  return result + "'";
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return in_quotes(node.text);
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a block of keys";
  }
  return "?";
}

}  // namespace callready
