# cmake -DOUTPUT=FILE.cpp -DANCHORS=anchors.yaml -P embed.cmake -- SET.yaml...: writes the sets and
# the anchors into C++ source as raw string literals (targets/builtin.hpp).
set(past_separator FALSE)
set(names)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(past_separator)
    list(APPEND names "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(past_separator TRUE)
  endif()
endforeach()
list(LENGTH names count)

set(delimiter "callready_yaml")
# The file's text as a raw string literal, in `literal`.
macro(read_literal name)
  file(READ "${name}" text)
  string(FIND "${text}" ")${delimiter}\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${name} holds the delimiter of its own raw string: )${delimiter}\"")
  endif()
  set(literal "R\"${delimiter}(${text})${delimiter}\"")
endmacro()

set(rows "")
foreach(name IN LISTS names)
  get_filename_component(id "${name}" NAME_WLE)
  read_literal("${name}")
  string(APPEND rows "    {\"${id}\", ${literal}},\n")
endforeach()
read_literal("${ANCHORS}")

set(source "// Generated from targets/vendors by targets/embed.cmake.
#include <array>

#include \"targets/builtin.hpp\"

namespace callready {

std::span<const BuiltinSet> builtin_sets() {
  static constexpr std::array<BuiltinSet, ${count}> sets{{
${rows}  }};
  return sets;
}

std::string_view builtin_anchors() {
  return ${literal};
}

}  // namespace callready
")
file(WRITE "${OUTPUT}" "${source}")
