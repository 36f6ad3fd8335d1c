# Sourced by script/fuzz and packaging/oss-fuzz/build.sh, in the source tree.

# seeds_of NAME: the folders that a target starts from.
seeds_of() {
  case $1 in
    report) echo tests/golden/reports ;;
    target_set) echo tests/targets/good tests/targets/bad ;;
  esac
  [ ! -d "tests/fuzz/seeds/$1" ] || echo "tests/fuzz/seeds/$1"
}
