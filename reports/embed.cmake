# cmake -DOUTPUT=FILE.cpp -DSTYLE=style.css -DSCRIPT=script.js -P embed.cmake: writes the page's style
# and script into C++ source as raw string literals (reports/page.hpp).
set(delimiter "callready_page")
function(read_literal file literal)
  file(READ "${file}" text)
  string(FIND "${text}" ")${delimiter}\"" clash)
  string(FIND "${text}" "</" closing)
  if(NOT clash EQUAL -1 OR NOT closing EQUAL -1)
    message(FATAL_ERROR "${file} holds what would end it: )${delimiter}\" or </")
  endif()
  set(${literal} "R\"${delimiter}(${text})${delimiter}\"" PARENT_SCOPE)
endfunction()
read_literal("${STYLE}" style)
read_literal("${SCRIPT}" script)

set(source "// Generated from reports/page by reports/embed.cmake.
#include \"reports/page.hpp\"

namespace callready {

std::string_view page_style() {
  return ${style};
}

std::string_view page_script() {
  return ${script};
}

}  // namespace callready
")
file(WRITE "${OUTPUT}" "${source}")
