// The command line, read into plain values. No work is done here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probe/model/words.hpp"

namespace callready {

enum class Command {
  none,
  check,
  list,
  show,
  firewall,
  validate,
  render,
  merge,
  diff,
  demo,
  serve,
  update,
  import,
  exporter,
  ui
};
enum class ColourChoice { automatic, always, never };

inline constexpr auto usual_sips_port = "5061";

// `--report html=lyon.html`; without a file it goes to standard output.
struct ReportRequest {
  std::string format;
  std::string file;
};

struct Arguments {
  Command command = Command::none;
  std::vector<std::string> names;  // sets, or files

  std::vector<std::string> set_files;  // --set
  std::vector<std::string> scenarios, regions, only, skip, ca_files, dns_servers, interfaces;
  std::map<std::string, std::string> variables;
  std::optional<Vantage> from;
  std::string client, site, proxy, pac, credentials_file, anchors_file, service_tags_file;
  bool all = false, fast = false, thorough = false, quality = false, anchors = true, v4 = true,
       v6 = true;
  bool sip_sdp = false;
  int calls = 0;                    // at once; 0: not asked
  std::optional<double> timeout_s;  // nothing: as the plan needs

  // firewall
  std::string firewall_format, report_file;  // --format (empty: by output), --from REPORT.json
  std::optional<std::string> nft_table, nft_chain;
  bool missing = false, required_only = false;

  std::optional<ServiceKind> kind;  // list --kind
  bool bare_names = false;          // list --names
  std::string from_source;          // update --from
  std::string url, into_file;       // import --url, --into

  std::string fault;  // demo --fault: which recording (recordings.hpp)

  // check
  std::string history_file, place, push_url;  // --history, --place, --push-to

  // exporter
  std::string config_file, web_config_file, listen = "127.0.0.1:9977";
  bool check_config = false;
  bool browser = true;           // ui
  std::string bind = "0.0.0.0";  // serve
  std::string other_address;
  std::uint16_t udp_port = 8620, call_port = 8622;
  // Lists, such as "443" or "5060,8000-8010"; "off" and "0" (any port) stand alone.
  std::string tls_ports = "8443", tcp_ports = "off", media_ports = "16384-16447",
              stun_port = "3478", sip_port = "5060";
  std::optional<std::string> sips_port;  // nothing: usual_sips_port, where SIP is served

  std::vector<ReportRequest> reports;
  bool json = false, nagios = false, quiet = false, verbose = false;
  bool ticket = false;          // only the block for the ticket
  bool keep = true;             // the last run, for `render last`
  bool follow = false;          // --json as it goes on: a line for each event
  bool redact = false;          // pseudonyms for what is the site's
  std::string redact_key_file;  // --redact-key
  int log_level = 0;            // times -d was given
  ColourChoice colour = ColourChoice::automatic;
  std::string language;  // --lang; empty: as the environment says
};

// Exit status where the command line ends the program by itself: 0 after --help and --version, 2
// after an error, which has been printed.
struct ParseResult {
  Arguments arguments;
  std::optional<int> exit_status;
};
ParseResult parse_arguments(int argc, const char* const* argv);

}  // namespace callready
