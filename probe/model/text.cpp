#include "probe/model/text.hpp"

namespace callready {
namespace {

thread_local const Language* spoken = nullptr;

// A placeholder without an argument, which only a translation can have, stays as it is.
std::string composed(std::string_view words, const std::vector<std::string>& arguments) {
  std::string text;
  std::size_t next = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    const char after = i + 1 < words.size() ? words[i + 1] : '\0';
    if ((c == '{' || c == '}') && after == c) {
      text += c;
      ++i;
      continue;
    }
    const bool numbered =
        c == '{' && after >= '0' && after <= '9' && i + 2 < words.size() && words[i + 2] == '}';
    if (!numbered && (c != '{' || after != '}')) {
      text += c;
      continue;
    }
    const auto place = numbered ? static_cast<std::size_t>(after - '0') : next++;
    const auto length = numbered ? std::size_t{3} : std::size_t{2};
    text += place < arguments.size() ? std::string_view(arguments[place]) : words.substr(i, length);
    i += length - 1;
  }
  return text;
}

std::string said_in(const Language* language, const Text::Part& part) {
  if (part.plain) return part.words;
  std::vector<std::string> arguments;
  for (const auto& argument : part.arguments) arguments.push_back(argument.in(language));
  const bool counts = !part.many.empty();
  const auto words = counts && part.count != 1 ? part.many : part.words;
  const auto found =
      language == nullptr
          ? std::nullopt
          : language->find(part.words, counts ? std::optional(part.count) : std::nullopt);
  return composed(found.value_or(words), arguments);
}

}  // namespace

Speaking::Speaking(const Language* language) : before_(std::exchange(spoken, language)) {}

Speaking::~Speaking() { spoken = before_; }

const Language* spoken_language() { return spoken; }

Text::Text(std::string plain) : said_(std::move(plain)) {}

Text::Text(std::vector<Part> parts) : parts_(std::move(parts)) { said_ = in(nullptr); }

std::string Text::in(const Language* language) const {
  if (parts_.empty()) return said_;
  std::string text;
  for (const auto& part : parts_) text += said_in(language, part);
  return text;
}

Text& Text::operator+=(const Text& more) {
  if (more.empty() && more.parts_.empty()) return *this;
  if (empty() && parts_.empty()) return *this = more;
  if (!parts_.empty() || !more.parts_.empty()) {
    const auto plain = [](const std::string& text) {
      Part part;
      part.words = text;
      part.plain = true;
      return part;
    };
    if (parts_.empty()) parts_.push_back(plain(said_));
    if (more.parts_.empty()) {
      parts_.push_back(plain(more.said_));
    } else {
      const auto added = more.parts_;  // it may be this very text
      parts_.insert(parts_.end(), added.begin(), added.end());
    }
  }
  said_ += std::string(more.said_);
  return *this;
}

bool Text::replace(std::string_view old, const Text& other) {
  const auto at = said_.find(old);
  if (at == said_.npos) return false;
  if (said_ == old) {
    *this = other;
    return true;
  }
  if (parts_.empty()) {
    Text after(said_.substr(at + old.size()));
    *this = Text(said_.substr(0, at)) + other + after;
    return true;
  }
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    for (auto& argument : parts_[i].arguments) {
      if (!argument.replace(old, other)) continue;
      said_ = in(nullptr);
      return true;
    }
    const auto start = parts_[i].plain ? parts_[i].words.find(old) : std::string::npos;
    if (start == std::string::npos) continue;
    Text middle(parts_[i].words);
    middle.replace(old, other);
    Text whole;
    for (std::size_t k = 0; k < parts_.size(); ++k) {
      whole += k == i ? middle : Text(std::vector<Part>{parts_[k]});
    }
    *this = whole;
    return true;
  }
  // The old text spans several sentences: the result is plain.
  *this = Text(said_.substr(0, at) + other.said_ + said_.substr(at + old.size()));
  return true;
}

namespace words_detail {

Text made(std::string_view one, std::string_view many, std::uint64_t count,
          std::vector<Text> arguments) {
  Text::Part part;
  part.words = one;
  part.many = many;
  part.count = count;
  part.arguments = std::move(arguments);
  if (one.empty()) return {};
  std::vector<Text::Part> parts;
  parts.push_back(std::move(part));
  Text text(std::move(parts));
  return spoken == nullptr ? text : Text(text.in(spoken));
}

}  // namespace words_detail
}  // namespace callready
