#!/bin/bash -eu
# What OSS-Fuzz runs: builds all fuzz targets of $SRC/callready into $OUT, with their seeds and libraries.
# Takes OSS-Fuzz's variables (SRC, OUT, WORK, CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE); `script/fuzz
# --oss-fuzz` sets them outside of its image.
cd "$SRC/callready"
# The distribution's C++ libraries are built with libstdc++, which does not mix with libc++.
export CXXFLAGS="${CXXFLAGS//-stdlib=libc++/}"
# Shared libraries go next to the programs: the image that runs them has nothing else.
cmake -G Ninja -S . -B "$WORK/build" -DCALLREADY_FUZZ=ON "-DCALLREADY_FUZZ_ENGINE=$LIB_FUZZING_ENGINE" \
  -DCALLREADY_UNITY=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG= -DCMAKE_C_FLAGS_DEBUG= \
  '-DCMAKE_BUILD_RPATH=$ORIGIN/lib' -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags
ninja -C "$WORK/build" -j "$(nproc)" fuzzers

. tests/fuzz/seeds.sh
mkdir -p "$OUT/lib"
for program in "$WORK"/build/tests/fuzz_*; do
  [ -x "$program" ] && [ -f "$program" ] || continue
  cp "$program" "$OUT/"
  name=${program##*/fuzz_}
  rm -f "$OUT/fuzz_${name}_seed_corpus.zip"
  python3 -m zipfile -c "$OUT/fuzz_${name}_seed_corpus.zip" $(seeds_of "$name")
  # All except the C library's own.
  ldd "$program" | awk '$3 ~ /^\// { print $3 }' |
    grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv)\.so' | xargs -r cp -Lt "$OUT/lib"
done
