// Windows: this program again as its own child. Only a thread can wait for a pipe there, and Asio
// waits for sockets: so each of the child's pipes has a thread that carries its bytes to a
// connection of this process with itself. (A socket as the child's own standard output would lose
// unread data when the child ends: Windows resets it.)
#include "probe/platform/child.hpp"

#include <winsock2.h>

#include <windows.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <thread>

#include "probe/platform/descriptor.hpp"
#include "probe/platform/wide.hpp"

namespace callready::platform {
namespace {

struct HandleCloser {
  void operator()(HANDLE handle) const { CloseHandle(handle); }
};
using Handle = std::unique_ptr<void, HandleCloser>;

constexpr unsigned ended_by_force = ~0U;
constexpr DWORD to_end_ms = 5'000;
constexpr int block_size = 16'384;

SOCKET native(const OwnedDescriptor& socket) {
  return static_cast<SOCKET>(static_cast<unsigned>(socket.get()));
}

HANDLE process_of(const Child& child) {
  return reinterpret_cast<HANDLE>(static_cast<std::intptr_t>(child.id));
}

std::wstring event_of(DWORD process) { return interrupt_event + std::to_wstring(process); }

// Copies until either end is closed.
void carry_out(Handle pipe, OwnedDescriptor to) {
  char block[block_size];
  for (DWORD size = 0; ReadFile(pipe.get(), block, block_size, &size, nullptr) != 0;) {
    for (DWORD sent = 0; sent < size;) {
      const int now = ::send(native(to), block + sent, static_cast<int>(size - sent), 0);
      if (now <= 0) return;
      sent += static_cast<DWORD>(now);
    }
  }
}

void carry_in(OwnedDescriptor from, Handle pipe) {
  char block[block_size];
  for (int size = 0; (size = ::recv(native(from), block, block_size, 0)) > 0;) {
    DWORD written = 0;  // a blocking pipe takes everything
    if (WriteFile(pipe.get(), block, static_cast<DWORD>(size), &written, nullptr) == 0) return;
  }
}

// One of the child's streams: the end of the pipe that it inherits, the other one, and the
// connection.
struct Stream {
  Handle its, ours;
  OwnedDescriptor near_end, far_end;

  bool open(bool into_child) {
    SECURITY_ATTRIBUTES inherited{sizeof inherited, nullptr, TRUE};
    HANDLE reading = nullptr, writing = nullptr;
    if (CreatePipe(&reading, &writing, &inherited, 0) == 0) return false;
    its.reset(into_child ? reading : writing);
    ours.reset(into_child ? writing : reading);
    int read_end = -1, write_end = -1;
    if (!open_pipe(read_end, write_end)) return false;
    near_end = OwnedDescriptor(into_child ? write_end : read_end);
    far_end = OwnedDescriptor(into_child ? read_end : write_end);
    return true;
  }
};

// Quoted such that CommandLineToArgvW() restores it.
void append_quoted(std::wstring& line, const std::wstring& word) {
  line += line.empty() ? L"\"" : L" \"";
  std::size_t backslashes = 0;
  for (const wchar_t letter : word) {
    if (letter == L'"') line.append(backslashes + 1, L'\\');
    backslashes = letter == L'\\' ? backslashes + 1 : 0;
    line += letter;
  }
  line.append(backslashes, L'\\');
  line += L'"';
}

// Whatever is in it ends with this program, however that ends.
HANDLE job_of_children() {
  static const HANDLE job = [] {
    const HANDLE made = CreateJobObjectW(nullptr, nullptr);
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits, sizeof limits);
    return made;
  }();
  return job;
}

// Suspended, with these three streams and no other handle of ours.
PROCESS_INFORMATION create_process(const std::string& program, std::wstring line,
                                   HANDLE (&streams)[3]) {
  PROCESS_INFORMATION made{};
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
  std::vector<unsigned char> memory(size);
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = streams[0];
  startup.StartupInfo.hStdOutput = streams[1];
  startup.StartupInfo.hStdError = streams[2];
  startup.lpAttributeList = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory.data());
  if (InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0, &size) == 0) return made;
  // A console of its own that nobody sees: Ctrl-C is not for it.
  constexpr DWORD how = CREATE_SUSPENDED | CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT;
  if (UpdateProcThreadAttribute(startup.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                streams, sizeof streams, nullptr, nullptr) != 0) {
    CreateProcessW(to_wide(program).c_str(), line.data(), nullptr, nullptr, TRUE, how, nullptr,
                   nullptr, &startup.StartupInfo, &made);
  }
  DeleteProcThreadAttributeList(startup.lpAttributeList);
  return made;
}

}  // namespace

std::string own_program() {
  std::wstring path(32'768, L'\0');  // the longest that there is
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return to_utf8(path);
}

// On Windows, WinHTTP runs what is not trusted (probe/net/pac_windows.cpp).
Child start_child(const std::string&, const std::vector<std::string>&) {
  errno = ENOSYS;
  return {};
}

Child start_own_child(const std::string& program, const std::vector<std::string>& arguments) {
  Child child;
  Stream input, output, errors;
  if (!input.open(true) || !output.open(false) || !errors.open(false)) return child;
  std::wstring line;
  append_quoted(line, to_wide(program));
  for (const auto& argument : arguments) append_quoted(line, to_wide(argument));
  HANDLE streams[] = {input.its.get(), output.its.get(), errors.its.get()};
  const auto made = create_process(program, std::move(line), streams);
  if (made.hProcess == nullptr) {
    errno = ENOENT;
    return child;
  }
  const Handle thread(made.hThread);
  child.id = static_cast<long>(reinterpret_cast<std::intptr_t>(made.hProcess));
  // The child's own handle keeps the event alive until it listens.
  const Handle event(CreateEventW(nullptr, TRUE, FALSE, event_of(made.dwProcessId).c_str()));
  HANDLE its_event = nullptr;
  const bool held = AssignProcessToJobObject(job_of_children(), made.hProcess) != 0 && event &&
                    DuplicateHandle(GetCurrentProcess(), event.get(), made.hProcess, &its_event,
                                    SYNCHRONIZE, FALSE, 0) != 0;
  if (!held || ResumeThread(thread.get()) == ~DWORD{0}) {
    end_child(child);
    errno = EPERM;
    return {};
  }
  std::thread(carry_in, std::move(input.far_end), std::move(input.ours)).detach();
  for (auto* stream : {&output, &errors}) {
    std::thread(carry_out, std::move(stream->ours), std::move(stream->far_end)).detach();
  }
  child.input = input.near_end.release();
  child.output = output.near_end.release();
  child.errors = errors.near_end.release();
  return child;
}

std::optional<int> exit_status(const Child& child) {
  if (!child.started()) return 0;
  const HANDLE process = process_of(child);
  DWORD status = 0;
  if (WaitForSingleObject(process, 0) == WAIT_TIMEOUT) return std::nullopt;
  GetExitCodeProcess(process, &status);
  CloseHandle(process);
  return static_cast<int>(status);  // a crash is negative there too
}

void interrupt_child(const Child& child) {
  if (!child.started()) return;
  const auto name = event_of(GetProcessId(process_of(child)));
  const Handle event(OpenEventW(EVENT_MODIFY_STATE, FALSE, name.c_str()));
  if (event) SetEvent(event.get());
}

ChildEnd end_child(const Child& child) {
  if (!child.started()) return ChildEnd::itself;
  const Handle process(process_of(child));
  const bool killed = TerminateProcess(process.get(), ended_by_force) != 0;
  WaitForSingleObject(process.get(), to_end_ms);
  return killed ? ChildEnd::killed : ChildEnd::itself;
}

// Other processes of the user may look into this one: Windows has no way to forbid that.
void forbid_inspection() {}
bool confine_this_process(const Confinement&) { return false; }

}  // namespace callready::platform
