#include "probe/cli/arguments_commands.hpp"
#include "probe/cli/arguments_output.hpp"

namespace callready {
namespace {

void add_ui(CLI::App& app, Arguments& arguments) {
  auto* ui =
      add_command(app, arguments, "ui", "Run checks from a page in your browser", Command::ui);
  ui->add_flag("!--no-browser", arguments.browser,
               "Do not open a browser; print the file that opens the page");
  ui->footer(
      "Only this user on this computer can open the page. The program ends a minute\n"
      "after the page is closed. Options after -- are those of `check`, for each run:\n"
      "  callready ui -- --interface eth0\n"
      "Exit status: 0 ended, 2 could not be started.");
}

void add_exporter(CLI::App& app, Arguments& arguments) {
  auto* exporter = add_command(app, arguments, "exporter",
                               "Run checks in the background and export the results to Prometheus",
                               Command::exporter);
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
                   "TLS and logins, in the format of Prometheus exporters (YAML)")
      ->type_name("FILE");
  exporter->add_flag("--check-config", arguments.check_config,
                     "Only check the files and --listen for errors");
  exporter->footer("Exit status: 0 ended by a signal, 2 usage or configuration error.");
}

void add_serve(CLI::App& app, Arguments& arguments) {
  auto* serve = add_command(app, arguments, "serve",
                            "Run the far end on your own host outside the site, until interrupted",
                            Command::serve);
  serve->add_option("NAME", arguments.names, "This host's name or address, as clients reach it")
      ->required()
      ->expected(1);
  serve->add_option("--bind", arguments.bind, "The address to listen on (default: all IPv4)")
      ->type_name("ADDRESS");
  const auto a_port = number_from(0, 65'535);
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
               "UDP ports that echo to clients with the key: ports and ranges, or off", "PORTS");
  ports_option("--tls-ports,--tls-port", arguments.tls_ports,
               "TLS: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--tcp-ports", arguments.tcp_ports,
               "TCP connections: ports and ranges, or off; 0: any", "PORTS");
  ports_option("--stun-port", arguments.stun_port, "STUN over UDP and TCP, or off; 0: any", "PORT");
  serve
      ->add_option("--other-address", arguments.other_address,
                   "A second public address of this host, so that STUN can show how NATs behave "
                   "(RFC 5780); --bind names the first")
      ->type_name("ADDRESS");
  ports_option("--sip-port", arguments.sip_port,
               "SIP over UDP and TCP, returning what it receives, or off; 0: any", "PORT");
  serve
      ->add_option("--sips-port", arguments.sips_port,
                   "SIP over TLS, or off; 0: any; needs --sip-port")
      ->type_name("PORT")
      ->default_str(usual_sips_port);
  serve
      ->add_option(
          "--credentials", arguments.credentials_file,
          "Read CALLREADY_MEDIA_KEY from this file (-: standard input) instead of the environment")
      ->type_name("FILE");
  serve->footer(
      "Prints the target set to check it with. Streams and echoes answer only clients\n"
      "with the key: set CALLREADY_MEDIA_KEY on both sides; on a terminal, serve makes\n"
      "one. STUN and SIP over UDP answer anyone, with no more bytes than they received.\n"
      "At most 3,000 ports in all.");
}

}  // namespace

void add_services(CLI::App& app, Arguments& arguments) {
  add_ui(app, arguments);
  add_exporter(app, arguments);
  add_serve(app, arguments);
}

}  // namespace callready
