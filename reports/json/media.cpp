// A stream's figures as JSON. What was not measured is not there.
#include <cmath>

#include "reports/json/media_fields.hpp"
#include "reports/json/parts.hpp"

namespace callready {
namespace {

using Json = nlohmann::ordered_json;

struct Writer {
  Json& json;

  void operator()(const char* name, const std::string& text) const { json[name] = text; }
  void operator()(const char* name, int number) const { json[name] = number; }
  void operator()(const char* name, bool flag) const { json[name] = flag; }
  void operator()(const char* name, double number) const {
    if (std::isfinite(number)) json[name] = std::round(number * 10'000) / 10'000 + 0.0;
  }
  void operator()(const char* name, const Share& share) const {
    share_fields(share, Writer{json[name]});
  }
  void operator()(const char* name, const CallScore& score) const {
    score_fields(score, Writer{json[name]});
  }
  void operator()(const char* name, const MediaDirection& direction) const {
    direction_fields(direction, Writer{json[name]});
  }
  void operator()(const char* name, const std::vector<MediaSecond>& seconds) const {
    json[name] = Json::array();
    for (const auto& second : seconds) {
      auto item = Json::object();
      second_fields(second, Writer{item});
      json[name].push_back(std::move(item));
    }
  }
  void operator()(const char* name, CallLimit limit) const { json[name] = to_string(limit); }
  void operator()(const char* name, MediaWay way) const { json[name] = to_string(way); }
  void operator()(const char* name, const CallCapacity& capacity) const {
    capacity_fields(capacity, Writer{json[name]});
  }
  void operator()(const char* name, const std::vector<CallStep>& steps) const {
    json[name] = Json::array();
    for (const auto& step : steps) {
      auto item = Json::object();
      step_fields(step, Writer{item});
      json[name].push_back(std::move(item));
    }
  }
  void operator()(const char* name, const IpAddress& address) const {
    json[name] = address.to_string();
  }
  void operator()(const char* name, const MediaOutage& outage) const {
    outage_fields(outage, Writer{json[name]});
  }
  void operator()(const char* name, const FirstHop& hop) const {
    hop_fields(hop, Writer{json[name]});
  }
  void operator()(const char* name, const WifiLink& link) const {
    json[name] = Json::object();
    wifi_fields(link, Writer{json[name]});
  }
  void operator()(const char* name, const std::vector<int>& numbers) const {
    if (!numbers.empty()) json[name] = numbers;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
};

}  // namespace

Json media_json(const MediaStream& stream) {
  auto json = Json::object();
  stream_fields(stream, Writer{json});
  return json;
}

Json missed_json(const MissedFigure& missed) {
  Json json = {{"figure", to_string(missed.figure)}, {"way", to_string(missed.way)}};
  const Writer write{json};
  write("measured", missed.measured);
  write("bound", missed.bound);
  write("wanted", missed.wanted);
  json["probe"] = missed.probe;
  if (missed.usual) json["usual"] = true;
  return json;
}

}  // namespace callready
