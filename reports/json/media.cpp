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
  void operator()(const char* name, CallLimit limit) const { json[name] = to_string(limit); }
  void operator()(const char* name, MediaWay way) const { json[name] = to_string(way); }
  void operator()(const char* name, const IpAddress& address) const {
    json[name] = address.to_string();
  }
  void operator()(const char* name, const std::vector<int>& numbers) const {
    if (!numbers.empty()) json[name] = numbers;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
  template <typename T>
  void operator()(const char* name, const std::vector<T>& items) const {
    json[name] = Json::array();
    for (const auto& item : items) fields(item, Writer{json[name].emplace_back(Json::object())});
  }
  template <typename T>
  requires std::is_class_v<T>
  void operator()(const char* name, const T& part) const {
    json[name] = Json::object();
    fields(part, Writer{json[name]});
  }
};

}  // namespace

Json media_json(const MediaStream& stream) {
  auto json = Json::object();
  fields(stream, Writer{json});
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
