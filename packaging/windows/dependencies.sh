#!/bin/sh
# packaging/windows/dependencies.sh FOLDER: what callready.exe is linked with, cross-built statically
# from Debian's source packages into FOLDER/HASH, to which FOLDER/current links. HASH covers this
# script without its comments, the compiler's version and the sources: what was built once is not
# built again, but a security update from Debian is. $JOBS says how many compilers run at
# once.
set -eu
recipe=$(realpath "$0")
mkdir -p "$1"
folder=$(cd "$1" && pwd)
jobs=${JOBS:-2}
host=x86_64-w64-mingw32
sources="fmtlib spdlog yaml-cpp utf8proc googletest libosip2 libpsl openssl c-ares curl"

# apt with the system's mirrors and keys, for source packages, with folders of its own: it changes
# nothing in the system.
apt() {
  command=$1
  shift
  "$command" -q -o Dir::Etc::SourceList="$folder/apt/sources.list" \
    -o Dir::Etc::SourceParts="$folder/apt/sources" -o Dir::State::Lists="$folder/apt/lists" \
    -o Dir::Cache="$folder/apt/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

list_sources() {
  mkdir -p "$folder/apt/sources" "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
  : > "$folder/apt/sources.list"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources; do
    [ -f "$file" ] || continue
    case $file in
      *.sources) sed 's/^Types:.*/Types: deb-src/; s/^Suites: bookworm /&trixie /' "$file" \
                   > "$folder/apt/sources/debian.sources" ;;
      *) sed -n 's/^deb \(.*debian.*\)/deb-src \1/p' "$file" > "$folder/apt/sources.list" ;;
    esac
  done
  apt apt-get update >&2
}

# download NAME: the newest version in Debian 12 that the mirror really has (a security update may
# be listed before it is there); if it has none, Debian 13's. Prints its .dsc.
download() {
  for suite in bookworm-security bookworm-updates bookworm trixie; do
    listed=$(apt apt-cache showsrc "$1" | grep -c "^Package: $1\$")
    [ "$listed" -gt 0 ] || break
    if apt apt-get source --download-only "$1/$suite" > "$folder/apt/said" 2>&1; then
      # Run it elsewhere: it does not list files that are in the current folder already.
      (cd / && apt apt-get source --print-uris --download-only "$1/$suite" 2>/dev/null) |
        sed -n "s/^'[^ ]* \([^ ]*\.dsc\) .*/\1/p"
      return 0
    fi
    echo "$1: not to be had from $suite" >&2
  done
  cat "$folder/apt/said" >&2
  return 1
}

list_sources
mkdir -p "$folder/files"
wanted=$(cd "$folder/files" && for name in $sources; do download "$name" || exit 1; done)
hash=$( { sed '/^ *#/d' "$recipe"; $host-g++ -v 2>&1 | tail -n 1
          cd "$folder/files" && cat $wanted; } | sha256sum | cut -c1-16)
prefix=$folder/$hash
if [ -e "$prefix/complete" ]; then
  ln -sfn "$hash" "$folder/current"
  echo "Windows dependencies: $prefix is complete" >&2
  exit 0
fi

# Always the same paths, for ccache; renamed when everything is there.
final=$prefix prefix=$folder/building work=$folder/work
rm -rf "$prefix" "$work"
mkdir -p "$work" "$prefix/include" "$prefix/lib"
(cd "$work" && for file in $wanted; do
  dpkg-source --no-check -x "$folder/files/$file" >/dev/null 2>&1
done)

compiler=$host-gcc compiler_cxx=$host-g++
if command -v ccache >/dev/null; then
  compiler="ccache $compiler" compiler_cxx="ccache $compiler_cxx"
fi
# Functions in sections of their own, so that the linker drops unused ones. No path of this computer
# gets into the program either.
plain="-Os -ffunction-sections -fdata-sections -D_WIN32_WINNT=0x0A00"
flags="$plain -ffile-prefix-map=$work=. -ffile-prefix-map=$prefix=."

cat > "$prefix/toolchain.cmake" <<END
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER $host-gcc)
set(CMAKE_CXX_COMPILER $host-g++)
set(CMAKE_RC_COMPILER $host-windres)
set(CMAKE_FIND_ROOT_PATH \${CMAKE_CURRENT_LIST_DIR} /usr/$host)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
END

source_of() { (cd "$work"/"$1"-[0-9]* && pwd); }

# with_cmake SOURCE OPTION...
with_cmake() {
  name=$1
  shift
  launcher=
  ! command -v ccache >/dev/null ||
    launcher="-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
  cmake -G Ninja -S "$(source_of "$name")" -B "$work/build-$name" $launcher \
    -DCMAKE_TOOLCHAIN_FILE="$prefix/toolchain.cmake" -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_BUILD_TYPE=None -DBUILD_SHARED_LIBS=OFF \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" "$@"
  ninja -C "$work/build-$name" -j "$jobs" install
}

# Its folders and flags become part of the library: hence /nowhere, and flags without local paths.
build_openssl() {
  cd "$(source_of openssl)"
  CC="$compiler" CXX="$compiler_cxx" RC="$host-windres" ./Configure mingw64 $plain \
    --prefix=/nowhere --libdir=lib --openssldir=/nowhere no-shared no-module no-tests \
    no-engine no-legacy no-comp no-dso
  make -s -j "$jobs" build_libs
  make -s install_dev DESTDIR="$work/openssl"
  cp -r "$work/openssl/nowhere/include/openssl" "$prefix/include"
  cp "$work"/openssl/nowhere/lib/*.a "$prefix/lib"
}

build_osip2() {
  cd "$(source_of libosip2)"
  CC="$compiler" CFLAGS="$flags" ./configure --host=$host --prefix="$prefix" --libdir="$prefix/lib" \
    --disable-shared --disable-mt --disable-trace
  make -s -j "$jobs" -C src/osipparser2
  make -s -C src/osipparser2 install
  make -s -C include install
}

# With Debian's list of public suffixes, without conversion of names in other scripts (IDN), which
# would need one more library.
build_psl() {
  cd "$(source_of libpsl)/src"
  sed 's/@.*VERSION_NUMBER@/0/; s/@.*VERSION_\(MAJOR\|MINOR\|PATCH\)@/0/; s/@.*VERSION@/static/' \
    ../include/libpsl.h.in > "$prefix/include/libpsl.h"
  : > config.h
  python3 psl-make-dafsa --output-format=cxx+ /usr/share/publicsuffix/public_suffix_list.dat \
    suffixes_dafsa.h
  for file in psl lookup_string_in_fixed_set; do
    $compiler $flags -DENABLE_BUILTIN -DHAVE_STDINT_H -DPACKAGE_VERSION='"static"' -I. \
      -I "$prefix/include" -c $file.c -o $file.o
  done
  $host-ar rcs "$prefix/lib/libpsl.a" psl.o lookup_string_in_fixed_set.o
}

build_all() {
  # These are header-only, and the same for every system.
  ln -s /usr/include/boost /usr/include/nlohmann /usr/include/CLI "$prefix/include/"
  with_cmake fmtlib -DFMT_TEST=OFF -DFMT_DOC=OFF
  with_cmake spdlog -DSPDLOG_FMT_EXTERNAL=ON -DSPDLOG_BUILD_EXAMPLE=OFF
  with_cmake yaml-cpp -DYAML_CPP_BUILD_TESTS=OFF -DYAML_CPP_BUILD_TOOLS=OFF
  with_cmake utf8proc
  with_cmake googletest -DBUILD_GMOCK=OFF
  (build_osip2)
  (build_psl)
  (build_openssl)
  # INADDRSZ: its configure check cannot run in a cross build.
  with_cmake c-ares -DCARES_STATIC=ON -DCARES_SHARED=OFF -DCARES_BUILD_TOOLS=OFF \
    -DCMAKE_C_FLAGS="$flags -DINADDRSZ=4"
  # Schannel in addition to OpenSSL: it brings SSPI, so Negotiate and NTLM as the logged-in user.
  with_cmake curl -DBUILD_CURL_EXE=OFF -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DCURL_USE_SCHANNEL=ON \
    -DCURL_DEFAULT_SSL_BACKEND=openssl -DCURL_USE_LIBSSH2=OFF -DUSE_LIBIDN2=OFF \
    -DCURL_USE_LIBPSL=OFF -DBUILD_TESTING=OFF -DCURL_ZLIB=ON -DENABLE_UNICODE=ON \
    -DOPENSSL_ROOT_DIR="$prefix" -DOPENSSL_USE_STATIC_LIBS=ON
}

(set -e; build_all) > "$prefix/log" 2>&1 &
wait $! || { tail -n 40 "$prefix/log" >&2; exit 1; }
rm -rf "$work" "$final"
touch "$prefix/complete"
mv "$prefix" "$final"
ln -sfn "$hash" "$folder/current"
