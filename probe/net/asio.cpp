#include "probe/net/asio.hpp"
