# For a tap of Homebrew: brew install --HEAD ./packaging/homebrew/callready.rb
#
# Never built: nobody who develops callready has a Mac. What is macOS' own (probe/platform/*_darwin.cpp) is
# compiled by script/darwin, and was never run. It has no `url` until there is a release.
class Callready < Formula
  desc "Tells whether calls work from this network, and if not, what to change"
  homepage "https://github.com/callready/callready"
  license "Apache-2.0"
  head "https://github.com/callready/callready.git", branch: "main"

  depends_on "boost" => :build
  depends_on "cli11" => :build
  depends_on "cmake" => :build
  depends_on "ninja" => :build
  depends_on "nlohmann-json" => :build
  depends_on "pkgconf" => :build
  depends_on "c-ares"
  depends_on "curl"
  depends_on "fmt"
  depends_on "libnice"
  depends_on "libosip"
  depends_on "libpsl"
  depends_on "libxcrypt"
  depends_on "openssl@3"
  depends_on "pacparser"
  depends_on "spdlog"
  depends_on "utf8proc"
  depends_on "yaml-cpp"

  def install
    args = %w[-G Ninja -DCALLREADY_TESTS=OFF -DCALLREADY_UNITY=ON]
    system "cmake", "-S", ".", "-B", "build", *args, *std_cmake_args
    system "cmake", "--build", "build", "--target", "callready"
    system "cmake", "--install", "build"
    generate_completions_from_executable(bin/"callready", "completion")
    (man1/"callready.1").write Utils.safe_popen_read(bin/"callready", "manual")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/callready --version") unless head?
    # A whole site on loopback, checked.
    assert_match "READY", shell_output("#{bin}/callready demo")
  end
end
