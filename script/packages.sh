# Sourced by the other scripts: makes sure that Debian packages are installed, without prompting.
# If all of them are, it takes a few milliseconds and needs no network.

# What builds callready.
build_packages="g++ cmake ninja-build ccache pkg-config ca-certificates
  libboost1.81-dev libnice-dev libssl-dev libcurl4-openssl-dev libc-ares-dev libspdlog-dev libfmt-dev
  libcli11-dev libyaml-cpp-dev nlohmann-json3-dev libosip2-dev libpacparser-dev libutf8proc-dev
  libpsl-dev libseccomp-dev libcrypt-dev"

# What its tests need in addition: the libraries, and the servers of the private site.
test_packages="libgtest-dev libvalijson-dev libsrtp2-dev python3 python3-yaml python3-cryptography libfaketime openssl curl
  python3-jsonschema libxml2-utils prometheus prometheus-alertmanager cmark-gfm minisign fish zsh groff-base
  iproute2 nftables util-linux procps coturn kamailio kamailio-tls-modules nginx-light dnsmasq-base ngtcp2-server
  squid-openssl chrony unbound tayga krb5-kdc krb5-admin-server krb5-user chromium python3-scapy"

# What script/fuzz needs in addition: a clang whose coroutines work with libstdc++ 12.
fuzz_packages="clang-19 libclang-rt-19-dev llvm-19"

# What script/windows needs in addition: a compiler for Windows, wine to try its output, wixl for the
# MSI, and the tools to unpack and configure Debian's sources.
windows_packages="g++-mingw-w64-x86-64-posix libz-mingw-w64-dev wine64 wixl msitools dpkg-dev perl make
  ninja-build cmake ccache python3 publicsuffix libboost1.81-dev libcli11-dev nlohmann-json3-dev
  libvalijson-dev"

# What script/bench compares callready to.
bench_packages="nmap sipsak curl coturn prometheus-blackbox-exporter irtt iperf3"

# What script/package needs in addition: static libraries, and the tools for its package formats.
package_packages="git meson python3 dpkg-dev fakeroot lintian buildah debootstrap man-db desktop-file-utils rpm appstream
  libidn2-dev libunistring-dev libmount-dev libblkid-dev libselinux1-dev libffi-dev zlib1g-dev
  libpcre2-dev libglib2.0-dev"

# What script/package --arm64 needs in addition.
arm64_packages="g++-aarch64-linux-gnu qemu-user"

# missing_packages NAME...: prints those that are not installed.
missing_packages() {
  installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' | tr '\n' ' ')"
  for package in "$@"; do
    case $installed in *" $package "*) ;; *) echo "$package" ;; esac
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages NAME...: installs what is missing, without starting the services that come with it.
need_packages() {
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "$0: this is not Debian; please install the counterparts of: $(echo $missing)" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "$0: needs root (or sudo) to install: $(echo $missing)" >&2
    return 1
  fi
  echo "Installing:" $missing >&2
  install_packages $missing
}

# In a subshell, so that its traps do not affect the caller.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    # Servers are for the private site only: exit 101 says "do not start" (invoke-rc.d(8)). Left
    # there by an interrupt, it would keep this system from starting any service it installs.
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root apt-get update -q >&2 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" >&2
)
