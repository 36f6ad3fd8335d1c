#include "reports/json/media_fields.hpp"
#include "reports/json/node.hpp"

namespace callready {
namespace {

// The members of a stream's figures (media_fields.hpp).
struct MediaReader {
  const Node& node;

  void operator()(const char* name, std::string& text) const { text = node.member(name).text(); }
  void operator()(const char* name, int& number) const {
    number = node.member(name).integer(0, any_count);
  }
  void operator()(const char* name, bool& flag) const { flag = node.member(name).boolean(); }
  void operator()(const char* name, double& number) const { number = node.member(name).number(); }
  void operator()(const char* name, CallLimit& limit) const {
    limit = node.member(name).word<CallLimit>();
  }
  void operator()(const char* name, MediaWay& way) const {
    way = node.member(name).word<MediaWay>();
  }
  void operator()(const char* name, IpAddress& place) const { place = node.member(name).address(); }
  void operator()(const char* name, std::vector<int>& numbers) const {
    const auto member = node.optional(name);
    if (!member) return;
    numbers =
        member->list([](const Node& item) { return static_cast<int>(item.integer(0, any_count)); });
    numbers.resize(later_ms.size() + 1);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) const {
    if (!node.optional(name)) return;
    value.emplace();
    (*this)(name, *value);
  }
  template <typename T>
  void operator()(const char* name, std::vector<T>& items) const {
    items = node.member(name).list([](const Node& item) {
      T one;
      fields(one, MediaReader{item});
      return one;
    });
  }
  template <typename T>
  requires std::is_class_v<T>
  void operator()(const char* name, T& part) const {
    const auto member = node.member(name);
    fields(part, MediaReader{member});
  }
};

}  // namespace

MediaStream read_media(const Node& node) {
  MediaStream stream;
  fields(stream, MediaReader{node});
  return stream;
}

}  // namespace callready
