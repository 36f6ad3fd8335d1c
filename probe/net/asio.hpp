// The precompiled header of the rooms that use Asio: it alone costs 4 to 7 seconds a file.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/system/result.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callready {
namespace asio = boost::asio;
using boost::system::error_code;
}  // namespace callready
