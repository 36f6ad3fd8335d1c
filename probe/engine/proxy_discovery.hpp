// Which proxy the programs of this computer's user would take, host by host: as given on the
// command line, by the environment, or by a PAC file.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "probe/model/plan.hpp"
#include "probe/model/report.hpp"

namespace callready {

// What the command line asks for.
struct ProxyWish {
  enum class Kind {
    none,         // --proxy none: every probe goes directly
    environment,  // no option: as programs do by themselves
    fixed,        // --proxy URL: this one for all that a proxy may carry
    pac,          // --pac FILE or URL
    automatic,    // --proxy auto: the environment, and where that says nothing, WPAD
  };
  Kind kind = Kind::none;
  std::string value;  // of fixed and pac
};

struct ProxyDiscovery {
  // The proxy's URL for that probe, without credentials; empty: direct. Null: no proxy at all.
  std::function<std::string(const Probe&)> proxy_for;
  std::string main_proxy;  // the one that most probes take; empty: none
  // The proxies that the user has named, by URL, with the login from that URL. Any others were
  // named by a PAC file: not by the user, but by whoever wrote it.
  std::map<std::string, checks::Login> named;
  std::vector<std::string> exceptions;  // hosts that no_proxy or a PAC file sends past it
  std::vector<Text> notes;              // for the report
  std::optional<ProbeResult> pac;  // how it went with the PAC file, if there is one
};

using Variables = std::function<std::string(const std::string&)>;

// `plan` is what would be probed without proxies: a PAC file is asked about each of its endpoints.
// `variables`: the environment. `program`: this program's file, for the child that evaluates a PAC
// file. Takes no longer than a few times pac_fetch_time and pac_script_time.
asio::awaitable<ProxyDiscovery> discover_proxies(checks::Context& context, ProxyWish wish,
                                                 const Plan& plan, Variables variables,
                                                 std::string program);

}  // namespace callready
