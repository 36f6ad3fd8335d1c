// Windows: no command that needs children is offered there yet (docs/windows.md).
#include "probe/platform/child.hpp"

#include <windows.h>

#include <cerrno>

#include "probe/platform/wide.hpp"

namespace callready::platform {

std::string own_program() {
  std::wstring path(32'768, L'\0');  // the longest that there is
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return to_utf8(path);
}

Child start_child(const std::string&, const std::vector<std::string>&) {
  errno = ENOSYS;
  return {};
}

Child start_own_child(const std::string& program, const std::vector<std::string>& arguments) {
  return start_child(program, arguments);
}

std::optional<int> exit_status(const Child&) { return 0; }
void interrupt_child(const Child&) {}
ChildEnd end_child(const Child&) { return ChildEnd::itself; }
// Other processes of the user may look into this one: Windows has no way to forbid it to them.
void forbid_inspection() {}
void confine_this_process(const Confinement&) {}

}  // namespace callready::platform
