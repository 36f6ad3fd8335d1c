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
  void operator()(const char* name, Share& share) const {
    const auto member = node.member(name);
    share_fields(share, MediaReader{member});
  }
  void operator()(const char* name, CallScore& score) const {
    const auto member = node.member(name);
    score_fields(score, MediaReader{member});
  }
  void operator()(const char* name, MediaDirection& direction) const {
    const auto member = node.member(name);
    direction_fields(direction, MediaReader{member});
  }
  void operator()(const char* name, std::vector<MediaSecond>& seconds) const {
    seconds = node.member(name).list([](const Node& item) {
      MediaSecond second;
      second_fields(second, MediaReader{item});
      return second;
    });
  }
  void operator()(const char* name, CallLimit& limit) const {
    limit = node.member(name).word<CallLimit>();
  }
  void operator()(const char* name, MediaWay& way) const {
    way = node.member(name).word<MediaWay>();
  }
  void operator()(const char* name, CallCapacity& capacity) const {
    const auto member = node.member(name);
    capacity_fields(capacity, MediaReader{member});
  }
  void operator()(const char* name, IpAddress& place) const { place = node.member(name).address(); }
  void operator()(const char* name, MediaOutage& outage) const {
    const auto member = node.member(name);
    outage_fields(outage, MediaReader{member});
  }
  void operator()(const char* name, FirstHop& hop) const {
    const auto member = node.member(name);
    hop_fields(hop, MediaReader{member});
  }
  void operator()(const char* name, WifiLink& link) const {
    const auto member = node.member(name);
    wifi_fields(link, MediaReader{member});
  }
  void operator()(const char* name, std::vector<int>& numbers) const {
    const auto member = node.optional(name);
    if (!member) return;
    numbers =
        member->list([](const Node& item) { return static_cast<int>(item.integer(0, any_count)); });
    numbers.resize(later_ms.size() + 1);
  }
  void operator()(const char* name, std::vector<CallStep>& steps) const {
    steps = node.member(name).list([](const Node& item) {
      CallStep step;
      step_fields(step, MediaReader{item});
      return step;
    });
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) const {
    if (!node.optional(name)) return;
    value.emplace();
    (*this)(name, *value);
  }
};

}  // namespace

MediaStream read_media(const Node& node) {
  MediaStream stream;
  stream_fields(stream, MediaReader{node});
  return stream;
}

}  // namespace callready
