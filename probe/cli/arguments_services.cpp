#include "probe/cli/arguments_commands.hpp"

namespace callready {
namespace {

void add_ui(CLI::App& app, Arguments& arguments) {
  auto* ui =
      add_command(app, arguments, "ui",
                  "The same on a page in your browser: choose, run, read, hand on", Command::ui);
  ui->add_flag("!--no-browser", arguments.browser,
               "Open no browser: say which file opens the page");
  ui->footer(
      "The page is for this user alone, on this computer alone. It ends a minute after the page "
      "is closed.\nWhat stands behind -- are options of `check`, for every run: "
      "callready ui -- --interface eth0\nExit status: 0 ended, 2 it could not be started.");
}

void add_exporter(CLI::App& app, Arguments& arguments) {
  auto* exporter = add_command(
      app, arguments, "exporter",
      "Run target sets in the background, and tell Prometheus what was found", Command::exporter);
  exporter
      ->add_option("--config", arguments.config_file,
                   "Sets, options, schedule (YAML); read again on SIGHUP")
      ->type_name("FILE")
      ->required();
  exporter
      ->add_option("--listen,--web.listen-address", arguments.listen,
                   "Where to listen (127.0.0.1:9977); :PORT for all addresses")
      ->type_name("ADDR:PORT");
  exporter
      ->add_option("--web.config.file", arguments.web_config_file,
                   "TLS and logins, as Prometheus' exporters have them (YAML)")
      ->type_name("FILE");
  exporter->add_flag("--check-config", arguments.check_config,
                     "Only say whether the files are right");
  exporter->footer("Exit status: 0 ended by a signal, 2 usage or configuration error.");
}

void add_serve(CLI::App& app, Arguments& arguments) {
  auto* serve =
      add_command(app, arguments, "serve",
                  "The far end, on a host of your own outside: prints the target set to check "
                  "it by, and answers until it is interrupted",
                  Command::serve);
  serve->add_option("NAME", arguments.names, "This host's name or address, as clients reach it")
      ->required()
      ->expected(1);
  serve->add_option("--bind", arguments.bind, "The address to listen on; all IPv4 where absent")
      ->type_name("ADDRESS");
  const auto a_port = CLI::Range(0, 65'535);
  serve
      ->add_option("--udp-port", arguments.udp_port,
                   "For streams like a call's (STAMP, RFC 8762); 0: any")
      ->type_name("PORT")
      ->check(a_port)
      ->capture_default_str();
  serve->add_option("--call-port", arguments.call_port, "UDP, for WebRTC calls (ICE-lite); 0: any")
      ->type_name("PORT")
      ->check(a_port)
      ->capture_default_str();
  const auto ports_option = [&](const char* names, std::string& place, const char* help,
                                const char* type) {
    serve->add_option(names, place, help)->type_name(type)->capture_default_str();
  };
  ports_option("--media-ports", arguments.media_ports,
               "UDP that is echoed to who has the key: ports and ranges, or off", "PORTS");
  ports_option("--tls-ports,--tls-port", arguments.tls_ports,
               "TLS: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--tcp-ports", arguments.tcp_ports,
               "TCP connections: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--stun-port", arguments.stun_port, "STUN over UDP and TCP, or off; 0: any", "PORT");
  serve
      ->add_option("--other-address", arguments.other_address,
                   "A second public address of this host: STUN then tells how NATs behave (RFC "
                   "5780); --bind names the first")
      ->type_name("ADDRESS");
  ports_option("--sip-port", arguments.sip_port,
               "SIP over UDP and TCP, which sends back what it gets, or off; 0: any", "PORT");
  ports_option("--sips-port", arguments.sips_port, "SIP over TLS, or off; 0: any", "PORT");
  serve
      ->add_option(
          "--credentials", arguments.credentials_file,
          "Read CALLREADY_MEDIA_KEY from this file (-: standard input) instead of the environment")
      ->type_name("FILE");
  serve->footer(
      "Streams and echoes answer only who has the key: CALLREADY_MEDIA_KEY, there and here. On a "
      "terminal it makes one by itself. STUN and SIP over UDP answer anybody, with no more bytes "
      "than "
      "came. At most 3,000 ports in all.");
}

}  // namespace

void add_services(CLI::App& app, Arguments& arguments) {
  add_ui(app, arguments);
  add_exporter(app, arguments);
  add_serve(app, arguments);
}

}  // namespace callready
