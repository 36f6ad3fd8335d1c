// A text that many read at once, without a copy for each; and how much of such text is being sent.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace callready {

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}
  SharedText(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}
  const std::string& str() const {
    static const std::string none;
    return text_ ? *text_ : none;
  }

 private:
  std::shared_ptr<const std::string> text_;
};

// Texts that are being sent: each counts once, however many read it.
class TextsInFlight {
 public:
  explicit TextsInFlight(std::size_t most) : most_(most) {}
  // A text on its own always has room.
  bool has_room_for(const SharedText& text) const {
    return readers_.contains(&text.str()) || bytes_ == 0 || bytes_ + text.str().size() <= most_;
  }

  // A text counts as long as this lives, which the texts in flight must outlive.
  class Reader {
   public:
    Reader(TextsInFlight& all, SharedText text) : all_(all), text_(std::move(text)) {
      if (++all_.readers_[&text_.str()] == 1) all_.bytes_ += text_.str().size();
    }
    ~Reader() {
      const auto own = all_.readers_.find(&text_.str());
      if (--own->second > 0) return;
      all_.bytes_ -= own->first->size();
      all_.readers_.erase(own);
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

   private:
    TextsInFlight& all_;
    SharedText text_;
  };

 private:
  std::size_t most_, bytes_ = 0;
  std::map<const std::string*, int> readers_;
};

}  // namespace callready
