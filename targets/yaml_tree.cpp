#include "targets/yaml_tree.hpp"

namespace callready {
namespace {

// A node: its kind as a letter, line and column, then the text of a scalar, the number of items and
// the items, or the number of entries and each one's key, its line and column, and its value.
// Numbers are seven bits a byte, the lowest first; texts have their size before them.
constexpr char null_letter = 'n', quoted_letter = 'q', plain_letter = 'p', list_letter = 'l',
               map_letter = 'm';
constexpr int most_levels = 64;  // YamlLimits has half as many

class Writer {
 public:
  void node(const YamlNode& node) {
    bytes += letter_of(node);
    position(node.position);
    if (node.is_scalar()) text(node.text);
    if (node.is_list()) number(node.items.size());
    for (const auto& item : node.items) this->node(item);
    if (node.is_map()) number(node.entries.size());
    for (const auto& entry : node.entries) {
      text(entry.key);
      position(entry.position);
      this->node(entry.value);
    }
  }

  std::string bytes;

 private:
  static char letter_of(const YamlNode& node) {
    if (node.is_scalar()) return node.plain ? plain_letter : quoted_letter;
    if (node.is_list()) return list_letter;
    return node.is_map() ? map_letter : null_letter;
  }
  void number(std::size_t value) {
    for (; value > 0x7f; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
    bytes += static_cast<char>(value);
  }
  void position(const Position& position) {
    number(static_cast<std::size_t>(position.line));
    number(static_cast<std::size_t>(position.column));
  }
  void text(const std::string& text) {
    number(text.size());
    bytes += text;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool sound() const { return sound_; }
  bool at_end() const { return left_.empty(); }

  YamlNode node(int level = 0) {
    YamlNode node;
    const char letter = left_.empty() || level == most_levels ? '\0' : left_.front();
    sound_ = sound_ && letter != '\0';
    if (!sound_) return node;
    left_.remove_prefix(1);
    node.position = position();
    switch (letter) {
      case null_letter:
        break;
      case plain_letter:
      case quoted_letter:
        node.kind = YamlNode::Kind::scalar;
        node.plain = letter == plain_letter;
        node.text = text();
        break;
      case list_letter:
        node.kind = YamlNode::Kind::list;
        for (auto count = this->count(); count > 0 && sound_; --count) {
          node.items.push_back(this->node(level + 1));
        }
        break;
      case map_letter:
        node.kind = YamlNode::Kind::map;
        for (auto count = this->count(); count > 0 && sound_; --count) {
          YamlNode::Entry entry;
          entry.key = text();
          entry.position = position();
          entry.value = this->node(level + 1);
          node.entries.push_back(std::move(entry));
        }
        break;
      default:
        sound_ = false;
    }
    return node;
  }

 private:
  std::size_t number() {
    std::size_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<unsigned char>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    sound_ = false;
    return 0;
  }
  // Of things that take a byte each at least.
  std::size_t count() {
    const auto value = number();
    sound_ = sound_ && value <= left_.size();
    return sound_ ? value : 0;
  }
  Position position() {
    Position position;
    position.line = static_cast<int>(number() & 0x7fff'ffff);
    position.column = static_cast<int>(number() & 0x7fff'ffff);
    return position;
  }
  std::string text() {
    const auto size = count();
    const std::string text(left_.substr(0, size));
    left_.remove_prefix(size);
    return text;
  }

  std::string_view left_;
  bool sound_ = true;
};

}  // namespace

std::string write_tree(const YamlNode& root) {
  Writer writer;
  writer.node(root);
  return std::move(writer.bytes);
}

std::optional<YamlNode> read_tree(std::string_view bytes) {
  Reader reader(bytes);
  auto root = reader.node();
  if (!reader.sound() || !reader.at_end()) return std::nullopt;
  return root;
}

}  // namespace callready
